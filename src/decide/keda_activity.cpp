#include "decide/keda_activity.h"

#include <algorithm>

namespace headroom::decide::keda {

bool trigger_active(const TriggerReading& trigger) {
  if (trigger.resource) return false;
  return trigger.fallback || (trigger.value && *trigger.value > trigger.activation);
}

ObjectActivity object_activity(std::span<const TriggerReading> triggers,
                               const std::optional<CompositeReading>& composite) {
  ObjectActivity activity;
  // Under fallback the failure is made good by a made-up value.
  activity.error =
      std::ranges::any_of(triggers, [](const auto& each) { return !each.value && !each.fallback; });
  if (composite) {
    activity.error = activity.error || !composite->value;
    activity.active = !activity.error && *composite->value > composite->activation;
    return activity;
  }
  // Nothing but cpu and memory could ever wake the object: it is always active.
  const bool only_resources = std::ranges::all_of(triggers, &TriggerReading::resource);
  activity.active =
      only_resources ? !activity.error : std::ranges::any_of(triggers, trigger_active);
  return activity;
}

}  // namespace headroom::decide::keda
