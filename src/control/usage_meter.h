#pragma once

#include <chrono>
#include <deque>

#include "base/time.h"
#include "decide/observation.h"

namespace headroom::control {

/// Turns one replica's cumulative CPU time into cores used over the last seconds.
/// Bounded: at most kWindow / kSpacing samples and one before.
class UsageMeter {
 public:
  static constexpr Millis kSpacing = 1s;  // of samples
  static constexpr Millis kWindow = 10s;  // of the average
  static constexpr Millis kStale = 15s;   // an older newest sample is no reading

  /// Whether it is time for another sample.
  bool due(Instant now) const;
  void add(Instant now, std::chrono::microseconds cpu, std::int64_t memory_bytes);

  decide::Reading cpu(Instant now) const;  // cores over at most kWindow; no_data before two samples
  decide::Reading memory(Instant now) const;  // bytes, the newest sample

 private:
  struct Sample {
    Instant at;
    std::chrono::microseconds cpu;
    std::int64_t memory_bytes;
  };
  std::deque<Sample> samples_;
};

}  // namespace headroom::control
