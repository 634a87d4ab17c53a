#pragma once

#include "decide/observation.h"
#include "decide/proposal.h"
#include "policy/autoscaler.h"

namespace headroom::decide {

/// kube-controller-manager's defaults.
inline constexpr double kTolerance = 0.1;
inline constexpr Millis kCpuInitializationPeriod = 300s;
inline constexpr Millis kInitialReadinessDelay = 30s;

/// How far a ratio may be from 1 before anything moves.
struct Tolerances {
  double down = kTolerance;
  double up = kTolerance;

  /// Compared as upstream does: 1.1 is inside 0.1.
  bool hold(double ratio) const { return 1.0 - down <= ratio && ratio <= 1.0 + up; }
};
Tolerances tolerances_of(const policy::Autoscaler& policy);

/// HPA v2's replica calculator for a Resource metric. `current` is what was asked for, more than 0.
/// A replica without a reading dampens: it counts as fully used on the way down and as idle on
/// the way up. Fails where no ready replica has a reading.
/// Source: HPA v2, replica_calculator.go, GetResourceReplicas and GetRawResourceReplicas.
Proposal propose_by_resource(const policy::Metric& metric, const policy::Requests& requests,
                             const Tolerances& tolerances, const Observation& observation,
                             Replicas current);

}  // namespace headroom::decide
