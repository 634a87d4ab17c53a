#include "decide/stabilise.h"

#include <algorithm>

namespace headroom::decide {
namespace {

using Type = policy::ScalingPolicy::Type;

policy::ScalingRules filled(const std::optional<policy::ScalingRules>& rules,
                            std::vector<policy::ScalingPolicy> defaults) {
  policy::ScalingRules result = rules.value_or(policy::ScalingRules{});
  if (result.policies.empty()) result.policies = std::move(defaults);
  return result;
}

/// Adds the newest and drops what can win no more: an older entry matters only while it is lower
/// or higher than all that came after it.
void remember(Recommendation newest, const Rules& rules, std::vector<Recommendation>& past) {
  const Millis longest = std::max(rules.up_window, rules.down_window);
  std::erase_if(past, [&](const Recommendation& r) { return newest.at - r.at > longest; });
  past.push_back(newest);
  std::vector<Recommendation> kept;
  Replicas lowest = newest.replicas, highest = newest.replicas;
  for (auto it = past.rbegin(); it != past.rend(); ++it) {
    const bool matters = it == past.rbegin() || it->replicas < lowest || it->replicas > highest;
    lowest = std::min(lowest, it->replicas);
    highest = std::max(highest, it->replicas);
    if (matters) kept.push_back(*it);
  }
  std::ranges::reverse(kept);
  past = std::move(kept);
}

}  // namespace

Rules rules_of(const std::optional<policy::Behavior>& behavior) {
  Rules rules;
  rules.given = behavior.has_value();
  const auto given = behavior.value_or(policy::Behavior{});
  rules.up = filled(given.scale_up, {{Type::pods, 4, 15s}, {Type::percent, 100, 15s}});
  rules.down = filled(given.scale_down, {{Type::percent, 100, 15s}});
  rules.up_window = rules.up.stabilization_window.value_or(0s);
  rules.down_window = rules.down.stabilization_window.value_or(300s);
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

}  // namespace headroom::decide
