#include "decide/activate.h"

#include <algorithm>

#include "decide/steps.h"
#include "decide/words.h"

namespace headroom::decide {
namespace {

using Stage = Step::Stage;
using Kind = Activation::Kind;

constexpr Replicas kOne{1};
constexpr Replicas kZero{0};

Activation asleep(const Load& load, Chain& chain) {
  const std::int64_t open = load.waiting + load.running;
  if (open <= 0) {
    chain.link(Stage::activate, step::kAsleep, kZero);
    return {Kind::sleep, kZero};
  }
  const Replicas woken = std::max(kOne, chain.number());
  chain.link(Stage::activate, step::kActivated, woken, {static_cast<double>(open)});
  return {Kind::wake, woken};
}

/// From the last request on.
Millis wait_before_zero(const policy::Autoscaler& policy) {
  if (!policy.concurrency) return policy.cooldown_period;
  const auto& by = *policy.concurrency;
  const Millis retention = by.scale_to_zero_pod_retention_period;
  // Upstream's last pod has been without a request for a window when its retention begins.
  const Millis kept = retention > 0ms ? by.window + retention : 0ms;
  return std::max({policy.cooldown_period, by.scale_down_delay, kept});
}

Activation awake(const policy::Autoscaler& policy, const Load& load, Instant now, bool held,
                 const Memory& memory, Chain& chain) {
  const std::int64_t open = load.waiting + load.running;
  const Millis idle = memory.last_active ? std::max(0ms, now - *memory.last_active) : 0ms;
  const Millis wait = wait_before_zero(policy);
  if (open <= 0 && !(load.rate > 0) && idle >= wait && !held) {
    chain.link(Stage::activate, step::kScaledToZero, kZero, {in_seconds(idle), in_seconds(wait)});
    return {Kind::sleep, kZero};
  }
  if (chain.number() < kOne) {
    if (open > 0) {
      chain.link(Stage::activate, step::kActive, kOne, {static_cast<double>(open)});
    } else {
      chain.link(Stage::activate, step::kCooldown, kOne, {in_seconds(idle), in_seconds(wait)});
    }
  }
  return {Kind::none, chain.number()};
}

}  // namespace

void note_activity(const Observation& observation, Memory& memory) {
  auto& last = memory.last_active;
  if (observation.load) {
    const Load& load = *observation.load;
    if (load.last_active > Instant{}) {
      const Instant at = std::min(load.last_active, observation.now);
      last = last ? std::max(*last, at) : at;
    }
    if (load.waiting > 0 || load.running > 0) last = observation.now;
  }
  if (!last && observation.current > kZero) last = observation.now;
}

Activation activate(const policy::Autoscaler& policy, const Observation& observation,
                    Replicas current, bool held, const Memory& memory, Chain& chain) {
  if (policy.max_replicas <= kZero) {
    chain.link(Stage::limit, step::kTooManyReplicas, kZero);
    return {Kind::sleep, kZero};
  }
  if (policy.min_replicas > kZero) return {Kind::none, chain.number()};
  if (!observation.load) {
    if (policy.gateway && current == kZero) {
      chain.link(Stage::activate, step::kAsleep, kZero);
      return {Kind::sleep, kZero};
    }
    chain.move(Stage::activate, step::kKeptAwake, std::max(kOne, chain.number()));
    return {current == kZero ? Kind::wake : Kind::none, chain.number()};
  }
  return current == kZero ? asleep(*observation.load, chain)
                          : awake(policy, *observation.load, observation.now, held, memory, chain);
}

}  // namespace headroom::decide
