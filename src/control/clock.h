#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "base/time.h"

namespace headroom::control {

/// The wall clock, for people and for anchoring; no decision depends on it.
std::int64_t unix_millis();

/// Loop time from the monotonic clock, anchored to the wall clock when Headroom starts and never
/// before `newest` (the newest time in the journal): a step of the wall clock moves no window,
/// and time that passed while Headroom was down has passed.
class LiveClock : public Clock {
 public:
  explicit LiveClock(Instant newest)
      : anchor_(std::max(Instant{Millis{unix_millis()}}, newest + 1ms)),
        started_(std::chrono::steady_clock::now()) {}

  Instant now() const override {
    return anchor_ +
           std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now() - started_);
  }

 private:
  Instant anchor_;
  std::chrono::steady_clock::time_point started_;
};

}  // namespace headroom::control
