#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"

namespace headroom {

using namespace std::chrono_literals;  // NOLINT: durations are written as 5s everywhere

/// The loop's monotonic time, in milliseconds since the journal's epoch. It has
/// no now(): code that was handed neither an Instant nor a Clock cannot ask for it.
struct LoopTime {
  using duration = std::chrono::milliseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<LoopTime>;
  static constexpr bool is_steady = true;
};
using Millis = LoopTime::duration;
using Instant = LoopTime::time_point;

class Clock {  // the real one is made in src/cli/
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
};

/// Reads "300ms", "5s", "1m30s", "2h", "1d" or a bare number of seconds ("30", "0.5").
/// Errors: Code::invalid for an empty text, an unknown unit, a negative or overflowing value.
Result<Millis> parse_duration(std::string_view text);

/// The shortest such spelling: 90000 ms is "1m30s", 250 ms is "250ms", 0 is "0s".
std::string to_string(Millis duration);

/// As people say it: "6 ms", "0.1 s", "90 s", "5 min", "3 min 12 s", "2 h 5 min". Seconds have at
/// most three digits, and from two minutes on none after the point.
std::string span_of(double seconds);
std::string span_of(Millis duration);

/// Wall-clock milliseconds since 1970 as local time, "2024-05-01 14:05:09".
std::string local_time(std::int64_t unix_millis);

}  // namespace headroom
