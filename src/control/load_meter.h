#pragma once

#include <deque>

#include "base/time.h"
#include "decide/observation.h"

namespace headroom::control {

/// What the gateway's counters say at one time; cumulative but for waiting and running.
struct LoadSample {
  Instant at;
  std::uint64_t arrived = 0;
  double concurrency_seconds = 0;
  std::int64_t waiting = 0;
  std::int64_t running = 0;
};

/// Turns the gateway's cumulative counters into the load of the last second, sampled at any
/// spacing. Bounded: keeps one second of samples, at most one per 50 ms, and one before.
class LoadMeter {
 public:
  decide::Load add(const LoadSample& sample);

 private:
  std::deque<LoadSample> samples_;
  Instant last_active_{};
};

}  // namespace headroom::control
