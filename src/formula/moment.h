#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "formula/datum.h"

namespace headroom::formula {

/// Go's time.Parse with the layouts that `date` tries, as far as they are known here:
/// "2024-02-29", "15:04:05", "2024-02-29 15:04:05", "2024-02-29T15:04:05Z" (or +01:00).
std::optional<Time> read_time(std::string_view text);

Time time_of(std::int64_t unix_millis);

/// A time as the calendar of its zone has it.
struct Calendar {
  int year, month, day, hour, minute, second;
  int weekday;   // 0: Sunday
  int year_day;  // from 1
};
Calendar calendar(const Time& time);

}  // namespace headroom::formula
