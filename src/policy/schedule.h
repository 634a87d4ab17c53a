#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace headroom::policy {

/// The times at which a schedule of five fields fires, as sets of bits.
struct Schedule {
  std::uint64_t minutes = 0, hours = 0, days = 0, months = 0, weekdays = 0;
  bool any_day = false, any_weekday = false;  // `*` or `?`: then both have to match
  std::string zone;                           // of a prefix TZ= or CRON_TZ=; empty: the trigger's
};

/// As robfig/cron's standard parser reads them: names of months and days in any case, `?` as `*`,
/// ranges, steps and lists; weekdays 0 to 6 only. Linear in the text.
/// Errors: invalid, with what was found and expected; also for one that never fires (30 February).
Result<Schedule> read_schedule(std::string_view text);

}  // namespace headroom::policy
