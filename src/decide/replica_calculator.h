#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "decide/decision.h"
#include "decide/observation.h"
#include "policy/autoscaler.h"

namespace headroom::decide {

/// How far a ratio may be from 1 before anything moves.
struct Tolerances {
  double down = 0.1;
  double up = 0.1;

  /// Compared as upstream does: 1.1 is inside 0.1.
  bool hold(double ratio) const { return 1.0 - down <= ratio && ratio <= 1.0 + up; }
};
/// The controller's, or the behavior's own for a direction.
Tolerances tolerances_of(const policy::Autoscaler& policy);

/// What one metric asks for, or why it cannot.
struct Calculated {
  std::string_view code;  // of the step that says it (steps.h)
  bool failed = false;    // then `replicas` means nothing
  Replicas replicas;
  MetricNow now;
  std::array<double, 4> inputs = {};  // of the step
};

/// What there is to read of one metric, borrowed.
struct MetricReadings {
  bool own = false;                // the replicas' own cpu or memory; all below is empty
  const Absent* failed = nullptr;  // the source did; nothing below counts
  std::span<const Reading> of_replicas;
  std::span<const Quantity> strays;
  std::span<const Quantity> values;
};
/// Of the observation's metric of that index; own where it has none.
inline MetricReadings readings_of(const Observation& observation, std::size_t metric) {
  if (metric >= observation.metrics.size()) return {.own = true};
  const MetricSeen& seen = observation.metrics[metric];
  return {.failed = seen.failed ? &*seen.failed : nullptr,
          .of_replicas = seen.of_replicas,
          .strays = seen.strays,
          .values = seen.values};
}

/// HPA v2's replica calculator: how many replicas the policy's metric of that index asks for.
/// `current` is what was asked for (spec replicas). Linear in the replicas; allocates nothing.
/// A replica without a reading dampens: it counts as fully used on the way down, as idle on the
/// way up. Errors: `failed`, with the code of why.
/// Source: Kubernetes 1.36, pkg/controller/podautoscaler, replica_calculator.go.
Calculated calculate(const policy::Autoscaler& policy, std::size_t metric,
                     const MetricReadings& readings, const Observation& observation,
                     Replicas current, const Tolerances& tolerances);

/// The reason of ScalingActive where a metric of that type fails: "FailedGetResourceMetric".
std::string_view failure_of(policy::Metric::Type type);

}  // namespace headroom::decide
