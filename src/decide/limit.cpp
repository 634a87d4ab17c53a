#include "decide/limit.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "decide/steps.h"

namespace headroom::decide {
namespace {

using Select = policy::ScalingRules::Select;

constexpr std::size_t kMostEvents = 2048;

std::int64_t sum_within(std::span<const ScaleEvent> events, Millis period, Instant now) {
  std::int64_t sum = 0;
  for (const auto& [at, change] : events) {
    if (now - at < period) sum += change;
  }
  return sum;
}

/// What there was a period ago: what was added since taken off, what was removed put back.
std::int64_t count_before(Replicas current, Millis period, Instant now,
                          std::span<const ScaleEvent> ups, std::span<const ScaleEvent> downs) {
  return current.count - sum_within(ups, period, now) - sum_within(downs, period, now);
}

Replicas narrow(std::int64_t count) {
  return {static_cast<std::int32_t>(std::clamp<std::int64_t>(
      count, std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()))};
}

std::int64_t allowed(const policy::ScalingPolicy& policy, std::int64_t before, int direction) {
  if (policy.type == policy::ScalingPolicy::Type::pods) return before + direction * policy.value;
  const double part = 1 + direction * static_cast<double>(policy.value) / 100;
  const double count = static_cast<double>(before) * part;
  constexpr double kMost = 1e18;  // far past what 32 bits take, which is cut to in the end
  return static_cast<std::int64_t>(
      std::clamp(direction > 0 ? std::ceil(count) : std::trunc(count), -kMost, kMost));
}

/// How far the policies let it go in this direction (1 up, −1 down), never past current the other
/// way. Max is the largest change, Min the smallest.
Replicas furthest(const Rates& rules, int direction, Replicas current, Instant now,
                  std::span<const ScaleEvent> ups, std::span<const ScaleEvent> downs) {
  if (rules.select == Select::disabled || rules.policies.empty()) return current;
  const bool largest_number = (rules.select == Select::max) == (direction > 0);
  std::int64_t result = largest_number ? std::numeric_limits<std::int32_t>::min()
                                       : std::numeric_limits<std::int32_t>::max();
  for (const auto& policy : rules.policies) {
    const std::int64_t proposed =
        allowed(policy, count_before(current, policy.period, now, ups, downs), direction);
    result = largest_number ? std::max(result, proposed) : std::min(result, proposed);
  }
  const Replicas limit = narrow(result);
  return direction > 0 ? std::max(limit, current) : std::min(limit, current);
}

Limited limit_with_behavior(Change change, const Rules& rules, Bounds bounds, Instant now,
                            std::span<const ScaleEvent> ups, std::span<const ScaleEvent> downs) {
  const auto [current, wanted] = change;
  if (wanted > current) {
    const Replicas rate = furthest(rules.up, 1, current, now, ups, downs);
    const Replicas most = std::min(bounds.max, rate);
    if (wanted > most) {
      return {most, bounds.max > rate ? step::kScaleUpLimit : step::kTooManyReplicas};
    }
  } else if (wanted < current) {
    const Replicas rate = furthest(rules.down, -1, current, now, ups, downs);
    const Replicas least = std::max(bounds.min, rate);
    if (wanted < least) {
      return {least, bounds.min < rate ? step::kScaleDownLimit : step::kTooFewReplicas};
    }
  }
  return {wanted};
}

}  // namespace

Limited within_bounds(Replicas wanted, Bounds bounds) {
  if (wanted < bounds.min) return {bounds.min, step::kTooFewReplicas};
  if (wanted > bounds.max) return {bounds.max, step::kTooManyReplicas};
  return {wanted};
}

Limited limit(Change change, const Rules& rules, Bounds bounds, Instant now,
              std::span<const ScaleEvent> ups, std::span<const ScaleEvent> downs) {
  if (rules.given) return limit_with_behavior(change, rules, bounds, now, ups, downs);
  const std::int64_t before =
      std::max<std::int64_t>(0, count_before(change.current, rules.doubling, now, ups, downs));
  const Replicas rate = std::max(narrow(std::max<std::int64_t>(2 * before, 4)), change.current);
  if (change.wanted < bounds.min) return {bounds.min, step::kTooFewReplicas};
  const Replicas most = std::min(bounds.max, rate);
  if (change.wanted <= most) return {change.wanted};
  return {most, bounds.max > rate ? step::kScaleUpLimit : step::kTooManyReplicas};
}

void remember_change(Change change, const Rules& rules, Instant now, Memory& memory) {
  const bool up = change.wanted > change.current;
  if (!rules.given && rules.doubling == 0s) return;  // nothing would ask for it
  Millis longest = rules.given ? 0ms : rules.doubling;
  if (rules.given) {
    for (const auto& policy : (up ? rules.up : rules.down).policies) {
      longest = std::max(longest, policy.period);
    }
  }
  auto& events = up ? memory.ups : memory.downs;
  const ScaleEvent event{now, change.wanted.count - change.current.count};
  // The last one that is out of its own direction's periods, though the other direction's longer
  // ones may still count it: upstream's way, and its numbers.
  const auto old = std::find_if(events.rbegin(), events.rend(),
                                [&](const ScaleEvent& e) { return now - e.at > longest; });
  if (old != events.rend()) {
    *old = event;
    return;
  }
  if (events.size() >= kMostEvents) events.erase(events.begin());
  events.push_back(event);
}

}  // namespace headroom::decide
