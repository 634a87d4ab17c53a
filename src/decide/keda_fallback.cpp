#include "decide/keda_fallback.h"

#include <algorithm>
#include <limits>

namespace headroom::decide {
namespace {

using Behavior = policy::Fallback::Behavior;
using Kind = Served::Kind;

Health& health_of(std::string_view metric, std::vector<Health>& health) {
  const auto found = std::ranges::find(health, metric, &Health::metric);
  return found != health.end() ? *found : health.emplace_back(Health{std::string(metric)});
}

Replicas replicas_of(const policy::Fallback& fallback, Replicas current) {
  const auto behavior = fallback.behavior;
  if (behavior == Behavior::current_replicas) return current;
  if (behavior == Behavior::current_replicas_if_higher) return std::max(current, fallback.replicas);
  if (behavior == Behavior::current_replicas_if_lower) return std::min(current, fallback.replicas);
  return fallback.replicas;
}

/// Cut toward zero, held inside 64 bits.
Quantity cut(double milli) {
  constexpr auto kMost = static_cast<double>(std::numeric_limits<std::int64_t>::max());
  if (!(milli < kMost)) return {std::numeric_limits<std::int64_t>::max()};
  if (milli < -kMost) return {std::numeric_limits<std::int64_t>::min()};
  return {static_cast<std::int64_t>(milli)};
}

Served made_up(const policy::Fallback& fallback, const Aimed& aimed, const ReplicasSeen& seen) {
  if (fallback.behavior == Behavior::scaling_modifiers) return {Kind::nil, {}};
  if (fallback.behavior != Behavior::static_ && !seen.current) return {Kind::source_error, {}};
  double replicas = replicas_of(fallback, seen.current.value_or(Replicas{})).count;
  if (aimed.value) {
    if (seen.ready.value_or(0) == 0) return {Kind::fallback_error, {}};
    replicas /= *seen.ready;
  }
  return {Kind::fallback, cut(aimed.target * 1000 * replicas)};
}

}  // namespace

Served serve(const std::optional<policy::Fallback>& fallback, std::string_view metric,
             std::optional<Quantity> answer, const Aimed& aimed, const ReplicasSeen& replicas,
             std::vector<Health>& health) {
  if (!fallback) return answer ? Served{Kind::value, *answer} : Served{Kind::source_error, {}};
  Health& of = health_of(metric, health);
  if (answer) {
    of.failures = 0;
    return {Kind::value, *answer};
  }
  if (of.failures < std::numeric_limits<std::int32_t>::max()) ++of.failures;
  if (of.failures <= fallback->failure_threshold) return {Kind::source_error, {}};
  return made_up(*fallback, aimed, replicas);
}

bool falls_back(const policy::Fallback& fallback, const std::vector<Health>& health) {
  return std::ranges::any_of(
      health, [&](const Health& of) { return of.failures > fallback.failure_threshold; });
}

}  // namespace headroom::decide
