#include "decide/activate.h"

#include <algorithm>

#include <fmt/format.h>

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
    chain.add(Stage::activate, step::kAsleep, kZero, "at zero and nothing waits");
    return {Kind::sleep, kZero};
  }
  const Replicas woken = std::max(kOne, chain.number());
  chain.add(
      Stage::activate, step::kActivated, woken,
      fmt::format("{} request{} at zero {}", open, open == 1 ? " waits" : "s wait", arrow(woken)));
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
    chain.add(Stage::activate, step::kScaledToZero, kZero,
              fmt::format("no request for {}, to zero after {} {}", seconds(idle), seconds(wait),
                          arrow(kZero)));
    return {Kind::sleep, kZero};
  }
  if (chain.number() < kOne) {
    if (open > 0) {
      chain.add(Stage::activate, step::kActive, kOne,
                fmt::format("{} request{} open {}", open, open == 1 ? "" : "s", arrow(kOne)));
    } else {
      chain.add(Stage::activate, step::kCooldown, kOne,
                fmt::format("last request {} ago, to zero after {} {}", seconds(idle),
                            seconds(wait), arrow(kOne)));
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
    chain.add(Stage::limit, step::kTooManyReplicas, kZero, "at most 0 " + arrow(kZero));
    return {Kind::sleep, kZero};
  }
  if (policy.min_replicas > kZero) return {Kind::none, chain.number()};
  if (!observation.load) {
    if (policy.gateway && current == kZero) {
      chain.add(Stage::activate, step::kAsleep, kZero, "at zero and the load cannot be read");
      return {Kind::sleep, kZero};
    }
    chain.move(Stage::activate, step::kKeptAwake, std::max(kOne, chain.number()),
               [] { return "nothing would wake it from zero " + arrow(kOne); });
    return {current == kZero ? Kind::wake : Kind::none, chain.number()};
  }
  return current == kZero ? asleep(*observation.load, chain)
                          : awake(policy, *observation.load, observation.now, held, memory, chain);
}

}  // namespace headroom::decide
