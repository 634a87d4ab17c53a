#include "decide/keda_activation.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

namespace headroom::decide {
namespace {

using Rule = KedaAnswer::Rule;

struct Cooldown {
  bool over = false;
  Millis left{};
};

/// Never active: only the initial cooldown counts, from the object's creation. Both must be past,
/// not just reached.
Cooldown cooldown(const policy::Autoscaler& policy, Instant now, const Memory& memory) {
  const Instant end = memory.keda.last_active
                          ? *memory.keda.last_active + policy.cooldown_period
                          : memory.keda.created.value_or(now) + policy.initial_cooldown_period;
  return {end < now, end - now};
}

KedaAnswer to(Rule rule, Replicas current, Replicas replicas) {
  return {rule, current, replicas, true, {}};
}

KedaAnswer sleep(const policy::Autoscaler& policy, Replicas current, Instant now,
                 const Memory& memory) {
  if (policy.pause.scale_in) return {Rule::scale_in_paused, current, current};
  const auto [over, left] = cooldown(policy, now, memory);
  if (!over) return {Rule::cooling_down, current, current, false, left};
  return to(Rule::slept, current, policy.idle_replicas.value_or(policy.min_replicas));
}

KedaAnswer active(const policy::Autoscaler& policy, Replicas current,
                  const TriggersSeen& triggers) {
  const bool below = policy.idle_replicas && current < policy.min_replicas;
  if (below || current == Replicas{0}) {
    if (policy.pause.scale_out) return {Rule::scale_out_paused, current, current};
    return to(Rule::woken, current, std::max(Replicas{1}, policy.min_replicas));
  }
  return {triggers.error ? Rule::active_with_errors : Rule::active, current, current};
}

KedaAnswer inactive(const policy::Autoscaler& policy, Replicas current,
                    const TriggersSeen& triggers, Instant now, const Memory& memory) {
  const auto& idle = policy.idle_replicas;
  if (triggers.error && policy.fallback && policy.fallback->replicas.count != 0) {
    return {Rule::fallback_holds, current, current};
  }
  if (triggers.error && !policy.fallback) return {Rule::error_holds, current, current};
  const bool awake = current.count > 0 && policy.min_replicas.count == 0;
  if ((idle && current > *idle) || awake) return sleep(policy, current, now, memory);
  if (!idle && current < policy.min_replicas) return to(Rule::raised, current, policy.min_replicas);
  return {Rule::inactive, current, current};
}

void set_ready(const KedaAnswer& answer, bool refused, std::vector<Condition>& conditions) {
  Truth status = Truth::no;
  std::string_view reason = "ErrorScalingTarget";
  if (answer.rule == Rule::unreadable) {
    reason = "ErrorGettingCurrentReplicas";
  } else if (answer.rule == Rule::error_holds) {
    reason = "TriggerError";
  } else if (answer.rule == Rule::active_with_errors) {
    status = Truth::unknown;
    reason = "PartialTriggerError";
  } else if (!answer.write || !refused) {
    status = Truth::yes;
    reason = "ScaledObjectReady";
  }
  set_condition(conditions, "Ready", status, reason);
}

}  // namespace

KedaAnswer activate_by_keda(const policy::Autoscaler& policy, std::optional<Replicas> current,
                            const TriggersSeen& triggers, Instant now, const Memory& memory) {
  if (!current) return {Rule::unreadable};
  if (policy.pause.paused) return {Rule::paused, *current, *current};
  return triggers.active || policy.force_activation
             ? active(policy, *current, triggers)
             : inactive(policy, *current, triggers, now, memory);
}

void conclude(const KedaAnswer& answer, bool refused, Instant now, Memory& memory,
              std::vector<Condition>& conditions) {
  set_ready(answer, refused, conditions);
  const auto is = [&](auto... rules) { return ((answer.rule == rules) || ...); };
  if (is(Rule::unreadable)) return;
  if (is(Rule::paused)) {
    return set_condition(conditions, "Paused", Truth::yes, "ScaledObjectPaused");
  }
  // KEDA's status keeps whole seconds, cut off: a cooldown runs from the second's start.
  if (is(Rule::woken, Rule::active) && !(answer.write && refused)) {
    memory.keda.last_active = std::chrono::floor<std::chrono::seconds>(now);
  }
  if (is(Rule::woken, Rule::active, Rule::active_with_errors, Rule::scale_out_paused)) {
    return set_condition(conditions, "Active", Truth::yes, "ScalerActive");
  }
  set_condition(conditions, "Active", Truth::no,
                is(Rule::cooling_down) ? "ScalerCooldown" : "ScalerNotActive");
}

std::optional<KedaEvent> event_of(const KedaAnswer& answer, const policy::Autoscaler& policy,
                                  std::string_view target, std::string_view triggers,
                                  std::string_view refused) {
  const bool woken = answer.rule == Rule::woken;
  if (!woken && answer.rule != Rule::slept) return std::nullopt;
  const auto change =
      fmt::format("{} from {} to {}", target, answer.current.count, answer.replicas.count);
  if (!refused.empty()) {
    return KedaEvent{
        true, woken ? "KEDAScaleTargetActivationFailed" : "KEDAScaleTargetDeactivationFailed",
        fmt::format("Failed to {} {}: {}", woken ? "scale" : "deactivate", change, refused)};
  }
  if (!woken) return KedaEvent{false, "KEDAScaleTargetDeactivated", "Deactivated " + change};
  return KedaEvent{false, "KEDAScaleTargetActivated",
                   policy.force_activation
                       ? fmt::format("Scaled {}, caused by forced activation annotation", change)
                       : fmt::format("Scaled {}, triggered by {}", change, triggers)};
}

void set_hpa_active(const Condition& scaling_active, std::vector<Condition>& conditions) {
  const bool disabled = scaling_active.reason == "ScalingDisabled";
  if (scaling_active.status == Truth::yes) {
    set_condition(conditions, "HPAActive", Truth::yes, "HPAActive");
  } else if (disabled) {
    set_condition(conditions, "HPAActive", Truth::yes, scaling_active.reason);
  } else {
    set_condition(conditions, "HPAActive", Truth::no,
                  scaling_active.reason.empty() ? "HPAMetricsUnavailable" : scaling_active.reason);
  }
}

}  // namespace headroom::decide
