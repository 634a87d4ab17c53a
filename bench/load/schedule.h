#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace headroom::bench {

/// When requests are due: a rate that goes in straight lines between points of time. The same
/// schedule always gives the same times.
class Schedule {
 public:
  /// Reads "0s:0,5s:2000,10s:2000,12s:0": durations (base/time.h) and requests per second.
  /// Errors: Code::invalid for fewer than two points, times that go back, a bad number.
  static Result<Schedule> parse(std::string_view text);
  static Schedule steady(double rate, double seconds);

  /// Nanoseconds from the start at which the next request is due; none: the schedule is over.
  std::optional<std::int64_t> next();

  double seconds() const { return points_.back().at; }
  /// Requests per second that the schedule asks for at a time.
  double rate(double seconds) const;

 private:
  struct Point {
    double at;    // seconds
    double rate;  // per second
  };
  std::vector<Point> points_;
  std::size_t segment_ = 0;
  double before_ = 0;  // requests due before the segment
  double count_ = 0;   // requests given out
};

}  // namespace headroom::bench
