#include "decide/stabilise.h"

#include <algorithm>
#include <array>

namespace headroom::decide {
namespace {

using Select = policy::ScalingRules::Select;
using Type = policy::ScalingPolicy::Type;

// What the API server fills in where a behavior names no policies.
constexpr std::array<policy::ScalingPolicy, 2> kUp = {
    {{Type::pods, 4, 15s}, {Type::percent, 100, 15s}}};
constexpr std::array<policy::ScalingPolicy, 1> kDown = {{{Type::percent, 100, 15s}}};

Rates rates_of(const std::optional<policy::ScalingRules>& rules,
               std::span<const policy::ScalingPolicy> defaults) {
  if (!rules) return {Select::max, defaults};
  return {rules->select_policy, rules->policies.empty() ? defaults : std::span(rules->policies)};
}

/// Headroom looks at processes several times a second, where upstream's doubling at each look
/// would be no limit.
constexpr Millis kDoublingOfProcesses = 10s;

/// Adds the newest and drops what can win no more: an older entry matters only while it is lower
/// or higher than all that came after it.
void remember(Recommendation newest, const Rules& rules, std::vector<Recommendation>& past) {
  const Millis longest = std::max(rules.up_window, rules.down_window);
  std::erase_if(past, [&](const Recommendation& r) { return newest.at - r.at > longest; });
  past.push_back(newest);
  Replicas lowest = newest.replicas, highest = newest.replicas;
  auto kept = past.end() - 1;  // from here on all matter
  for (auto each = kept; each != past.begin();) {
    --each;
    if (each->replicas >= lowest && each->replicas <= highest) continue;
    lowest = std::min(lowest, each->replicas);
    highest = std::max(highest, each->replicas);
    *--kept = *each;
  }
  past.erase(past.begin(), kept);
}

}  // namespace

Rules rules_of(const policy::Autoscaler& policy) {
  Rules rules;
  rules.given = policy.behavior.has_value();
  rules.down_window = policy.controller.downscale_stabilization;
  rules.doubling = policy.target.scale_target_ref ? 0s : kDoublingOfProcesses;
  rules.up = {Select::max, kUp};
  rules.down = {Select::max, kDown};
  if (!policy.behavior) return rules;
  const auto& [up, down] = *policy.behavior;
  rules.up = rates_of(up, kUp);
  rules.down = rates_of(down, kDown);
  if (up) rules.up_window = up->stabilization_window.value_or(0s);
  if (down) rules.down_window = down->stabilization_window.value_or(rules.down_window);
  return rules;
}

Replicas stabilise(Change change, const Rules& rules, Instant now,
                   std::vector<Recommendation>& past) {
  if (past.empty()) past.push_back({now, change.current});
  Replicas lowest = change.wanted, highest = change.wanted;
  for (const auto& [at, replicas] : past) {
    const Millis age = now - at;
    if (rules.given && age < rules.up_window) lowest = std::min(lowest, replicas);
    if (age < rules.down_window || (!rules.given && age == rules.down_window)) {
      highest = std::max(highest, replicas);
    }
  }
  remember({now, change.wanted}, rules, past);
  if (!rules.given) return highest;
  // Stay between the bounds, do not go to one: taking `highest` outright would let an old peak
  // start a scale-up while load falls (kubernetes#96671).
  return std::min(std::max(change.current, lowest), highest);
}

Millis held_for(Replicas held, bool up, const Rules& rules, Instant now,
                std::span<const Recommendation> past) {
  const Millis window = up ? rules.up_window : rules.down_window;
  Millis left = 0ms;
  for (const auto& [at, replicas] : past) {
    if (up ? replicas <= held : replicas >= held) left = std::max(left, at + window - now);
  }
  return left;
}

}  // namespace headroom::decide
