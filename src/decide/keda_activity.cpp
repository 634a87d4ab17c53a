#include "decide/keda_activity.h"

#include <algorithm>

namespace headroom::decide::keda {

bool trigger_active(const TriggerReading& trigger) {
  if (trigger.resource) return false;
  if (trigger.fallback || !trigger.value) return trigger.fallback;
  return trigger.says.value_or(*trigger.value > trigger.activation);
}

ObjectActivity object_activity(std::span<const TriggerReading> triggers,
                               const std::optional<CompositeReading>& composite) {
  ObjectActivity activity;
  // Under fallback the failure is made good by a made-up value. What cpu and memory lack is the
  // HPA's business.
  activity.error = std::ranges::any_of(triggers, [](const auto& each) {
    return !each.resource && !each.value && !each.fallback;
  });
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
