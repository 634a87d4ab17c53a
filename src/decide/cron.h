#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "base/units.h"
#include "policy/schedule.h"

/// KEDA's cron trigger: when its schedules fire, by the clocks of their zones.
namespace headroom::decide::cron {

using policy::Schedule;

/// Errors: those of policy::read_schedule(); invalid for more than 1,024 bytes.
Result<Schedule> parse(std::string_view expression);

/// How far around a moment next() asks for offsets, in seconds before and after it.
inline constexpr std::int64_t kLooksBack = std::int64_t{4} * 86'400;
inline constexpr std::int64_t kLooksAhead = std::int64_t{2'936} * 86'400;

/// A zone's offset from UTC in seconds at a unix time; less than a day. Where two changes are less
/// than two days apart, a minute that comes twice may fire once.
class Zone {
 public:
  virtual ~Zone() = default;
  virtual std::int32_t offset_at(std::int64_t unix_seconds) const = 0;
};

/// The first firing strictly after `now`: a local time that a day does not have does not fire,
/// one that it has twice fires twice. None within eight years and a day. At most 3,000 days are
/// looked at, and the minutes of those that match.
std::optional<std::int64_t> next(const Schedule& schedule, const Zone& zone, std::int64_t now);

struct Trigger {
  Schedule start, end;
  Replicas desired;
};

/// desired while the start does not fire before the end does, else none. So the window opens at
/// the start's second and closes at the end's.
std::optional<Replicas> desired(const Trigger& trigger, const Zone& start_zone,
                                const Zone& end_zone, std::int64_t now);

}  // namespace headroom::decide::cron
