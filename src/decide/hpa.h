#pragma once

#include "decide/decision.h"
#include "decide/limit.h"
#include "decide/memory.h"
#include "decide/observation.h"
#include "policy/autoscaler.h"

namespace headroom::decide {

/// One reconciliation as the HorizontalPodAutoscaler's controller does it, between `bounds`.
/// Conditions are kept in the memory: a step that sets nothing leaves the old one. What a written
/// scale leaves behind is not in the memory yet: see settle().
/// Allocates nothing where memory and decision have been used before.
/// Source: Kubernetes 1.36, pkg/controller/podautoscaler, horizontal.go, reconcileAutoscaler.
void reconcile(const policy::Autoscaler& policy, Bounds bounds, const Observation& observation,
               Memory& memory, Decision& decision);

/// After reconcile(): the scale was written, or was refused, or did not have to be.
/// A refused one is an error, and no event.
void settle(const policy::Autoscaler& policy, Bounds bounds, Instant now, bool refused,
            Memory& memory, Decision& decision);

}  // namespace headroom::decide
