#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "decide/cron.h"
#include "decide/observation.h"
#include "formula/modifiers.h"
#include "policy/autoscaler.h"
#include "policy/trigger_parameters.h"

namespace headroom::decide {

/// What deciding by a policy's triggers needs and no observation changes: formulas compiled,
/// schedules parsed, names made. Immutable; borrows the policy, which must outlive it. A policy
/// without triggers needs nothing, and costs nothing.
struct Prepared {
  struct Trigger {
    bool resource = false;  // cpu, memory: among the policy's metrics
    bool scaler = false;    // external, external-push: an outside scaler says the target
    policy::TriggerTarget target;
    std::optional<cron::Trigger> cron;  // its schedules name their zones
    std::string wrong;                  // why it cannot be read; empty: it can
  };
  /// Where a metric of `hpa` comes from.
  struct Source {
    bool trigger = false;   // or all of them together, by the formula
    std::size_t index = 0;  // of the policy's triggers, or of its metrics
  };

  explicit Prepared(const policy::Autoscaler& policy);

  const policy::Autoscaler& policy;
  std::vector<Trigger> triggers;
  std::optional<Result<formula::Modifiers>> modifiers;
  double fallback_target = 0;  // the modifiers', for which a fallback makes up a value
  /// The HPA that KEDA would write: metrics, behavior and what decides beside them.
  policy::Autoscaler hpa;
  std::vector<Source> sources;  // of hpa.metrics, in their order
};

/// What an external scaler has said of a trigger; none: nothing, or no target above 0.
std::optional<policy::TriggerTarget> target_said(const Prepared& prepared, std::size_t trigger,
                                                 const Observation& observation);
/// Prepared::hpa with what external scalers have said.
policy::Autoscaler hpa_as_said(const Prepared& prepared, const Observation& observation);

/// The time zones that the policy's cron triggers go by, each once. An observation has to have
/// them: the trigger of one that is missing fails.
std::vector<std::string> zones_of(const policy::Autoscaler& policy);
std::vector<std::string> zones_of(const policy::Trigger& trigger);

/// What a cron trigger asks for at the observation's wall clock.
/// Errors: no_data where the observation has not its zones.
tl::expected<std::optional<Replicas>, Absent> desired_by_cron(const cron::Trigger& trigger,
                                                              const Observation& observation);

}  // namespace headroom::decide
