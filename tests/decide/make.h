#pragma once

#include "decide/decide.h"
#include "policy/autoscaler.h"

/// Short ways to the worlds that the tests of deciding are about.
namespace headroom::decide::make {

inline constexpr Instant kStart{Millis{1'700'000'000'000}};

inline Reading cores(double value, Instant at, Millis window = 10s) {
  return Measured{{static_cast<std::int64_t>(value * 1000)}, at, window};
}
inline Reading none(Absent::Reason reason = Absent::Reason::no_data) {
  return tl::unexpected<Absent>(Absent{reason, ""});
}

inline ReplicaSeen replica(std::uint64_t id, ReplicaSeen::State state, Instant now) {
  const bool ready = state == ReplicaSeen::State::ready;
  return {.id = id,
          .deleting = state == ReplicaSeen::State::draining,
          .started = now - 1000s,
          .ready = Readiness{ready ? Truth::yes : Truth::no, now - 900s},
          .cpu = none(),
          .memory = none()};
}

/// One core and 256 MiB, as a process asks for where it says nothing.
inline Template process() {
  return {.containers = {{"app", {{"cpu", {1000}}, {"memory", {256LL * 1024 * 1024 * 1000}}}}}};
}

inline Observation observation(Instant now, std::int32_t current, std::int32_t ready) {
  Observation made;
  made.now = now;
  made.unix_millis = now.time_since_epoch().count();
  made.current = {current};
  made.templates = {process()};
  for (std::int32_t i = 0; i < ready; ++i) {
    made.replicas.push_back(
        replica(static_cast<std::uint64_t>(i) + 1, ReplicaSeen::State::ready, now));
  }
  return made;
}

inline Load load(double concurrency, Instant now, std::int64_t waiting = 0) {
  Load made;
  made.concurrency = concurrency;
  made.waiting = waiting;
  made.running = static_cast<std::int64_t>(concurrency);
  made.last_active = concurrency > 0 || waiting > 0 ? now : Instant{};
  return made;
}

/// Ten requests in flight per replica, of which seven are aimed at.
inline policy::Autoscaler by_concurrency(std::int32_t min, std::int32_t max, Millis window = 60s) {
  policy::Autoscaler made;
  made.name = "shop";
  made.min_replicas = {min};
  made.max_replicas = {max};
  made.gateway.emplace();
  made.concurrency.emplace();
  made.concurrency->container_concurrency = 10;
  made.concurrency->window = window;
  return made;
}

inline policy::Autoscaler by_cpu(std::int32_t min, std::int32_t max, std::int32_t percent) {
  policy::Autoscaler made;
  made.name = "shop";
  made.min_replicas = {min};
  made.max_replicas = {max};
  made.gateway.emplace();
  made.metrics.emplace_back();
  made.metrics.back().name = "cpu";
  made.metrics.back().target.average_utilization = percent;
  return made;
}

}  // namespace headroom::decide::make
