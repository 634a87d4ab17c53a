#pragma once

#include <algorithm>
#include <deque>

#include "decide/make.h"

namespace headroom::decide::make {

/// A service with a load of so many requests in flight, looked at every 250 ms: replicas take a
/// while to start, what does not fit waits, and the load is measured over the trailing second.
class Live {
 public:
  explicit Live(policy::Autoscaler by, std::int32_t replicas = 0) : policy(std::move(by)) {
    current = {replicas};
    started.assign(static_cast<std::size_t>(replicas), now - 1h);
  }

  /// One look, and then 250 ms.
  Decision look() {
    const Observation seen = observe();
    const Decision decision = decide(policy, seen, memory);
    current = decision.replicas;
    started.resize(static_cast<std::size_t>(current.count), now);
    now += 250ms;
    return decision;
  }
  Decision look_for(Millis duration) {
    Decision last;
    for (const Instant end = now + duration; now < end;) last = look();
    return last;
  }

  policy::Autoscaler policy;
  Memory memory;
  Instant now = kStart;
  double offered = 0;      // requests in flight, were there room for all
  std::int64_t burst = 0;  // ... and those that came just now
  Millis start_time = 300ms;
  bool gateway = true;
  Replicas current;

 private:
  Observation observe() {
    auto seen = observation(now, current.count, 0);
    std::int64_t ready = 0;
    for (const Instant at : started) {
      auto each = replica(seen.replicas.size() + 1, ReplicaSeen::State::starting, now);
      each.started = at;
      if (now - at >= start_time) {
        each.ready = Readiness{Truth::yes, now};
        ++ready;
      }
      seen.replicas.push_back(each);
    }
    if (!gateway) return seen;
    samples.push_back(offered);
    if (samples.size() > 4) samples.pop_front();
    const auto open = static_cast<std::int64_t>(offered) + burst;
    const std::int64_t hard = policy.concurrency ? policy.concurrency->container_concurrency : 0;
    const std::int64_t room = hard > 0 ? ready * hard : ready > 0 ? open : 0;
    Load load;
    for (const double each : samples) load.concurrency += each / 4;
    load.rate = load.concurrency * 10;
    load.running = std::min(open, room);
    load.waiting = open - load.running;
    if (open > 0) last_active = now;
    load.last_active = last_active;
    seen.load = load;
    return seen;
  }

  std::vector<Instant> started;
  std::deque<double> samples;
  Instant last_active{};
};

}  // namespace headroom::decide::make
