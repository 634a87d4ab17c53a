#pragma once

#include <span>

#include "decide/decision.h"
#include "decide/limit.h"
#include "decide/memory.h"
#include "decide/observation.h"
#include "decide/replica_calculator.h"
#include "policy/autoscaler.h"

namespace headroom::decide {

/// One reconciliation as the HorizontalPodAutoscaler's controller does it, between `bounds`.
/// `readings` has one for each of the policy's metrics; empty: the observation's are read.
/// Conditions are kept in the memory: a step that sets nothing leaves the old one. What a written
/// scale leaves behind is not in the memory yet: see settle().
/// Allocates nothing where memory and decision have been used before.
/// Source: Kubernetes 1.36, pkg/controller/podautoscaler, horizontal.go, reconcileAutoscaler.
void reconcile(const policy::Autoscaler& policy, Bounds bounds, const Observation& observation,
               std::span<const MetricReadings> readings, Memory& memory, Decision& decision);

/// kube-controller-manager's default.
inline constexpr Millis kSyncPeriod = 15s;

/// After reconcile(): the scale was written, or was refused, or did not have to be.
/// A refused one is an error, and no event.
void settle(const policy::Autoscaler& policy, Bounds bounds, Instant now, bool refused,
            Memory& memory, Decision& decision);

}  // namespace headroom::decide
