#pragma once

#include <chrono>
#include <deque>

#include "base/time.h"
#include "decide/observation.h"

namespace headroom::control {

/// Turns one replica's cumulative CPU time into cores used over the last seconds.
class UsageMeter {
 public:
  /// Samples closer than this to the one before are skipped.
  static constexpr Millis kSpacing = 1s;
  static constexpr Millis kWindow = 10s;

  /// Whether it is time for another sample.
  bool due(Instant now) const;
  void add(Instant now, std::chrono::microseconds cpu, std::int64_t memory_bytes);

  decide::Reading cpu() const;     // cores over at most kWindow; no_data before two samples
  decide::Reading memory() const;  // bytes, the newest sample

 private:
  struct Sample {
    Instant at;
    std::chrono::microseconds cpu;
    std::int64_t memory_bytes;
  };
  std::deque<Sample> samples_;
};

}  // namespace headroom::control
