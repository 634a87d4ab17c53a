#include "decide/cron.h"

#include <algorithm>
#include <chrono>

namespace headroom::decide::cron {
namespace {

constexpr std::int64_t kDay = 86400;
// Two leap days may lie eight years apart, as round 2100.
constexpr int kDays = 8 * 366 + 1;

bool day_matches(const Schedule& schedule, std::int64_t day) {
  const std::chrono::sys_days date{std::chrono::days{day}};
  const std::chrono::year_month_day civil{date};
  if ((schedule.months >> static_cast<unsigned>(civil.month()) & 1) == 0) return false;
  const bool in_month = (schedule.days >> static_cast<unsigned>(civil.day()) & 1) != 0;
  const bool in_week = (schedule.weekdays >> std::chrono::weekday{date}.c_encoding() & 1) != 0;
  if (schedule.any_day || schedule.any_weekday) return in_month && in_week;
  return in_month || in_week;
}

/// The first moment after `now` at which clocks show this local minute.
std::optional<std::int64_t> moment(const Zone& zone, std::int64_t local, std::int64_t now) {
  // Whatever offset holds within a day of it is the one before or the one after a change; of a
  // minute that comes twice the one before gives the first.
  for (const std::int64_t near : {local - kDay, local, local + kDay}) {
    const std::int64_t unix_seconds = local - zone.offset_at(near);
    if (unix_seconds > now && unix_seconds + zone.offset_at(unix_seconds) == local) {
      return unix_seconds;
    }
  }
  return std::nullopt;
}

/// The earliest of that day: after a change of offset a later minute may come first.
std::optional<std::int64_t> first_of_day(const Schedule& schedule, const Zone& zone,
                                         std::int64_t day, std::int64_t now) {
  std::optional<std::int64_t> first;
  for (unsigned minute = 0; minute < 24 * 60; ++minute) {
    if ((schedule.hours >> (minute / 60) & 1) == 0) continue;
    if ((schedule.minutes >> (minute % 60) & 1) == 0) continue;
    const auto at = moment(zone, day * kDay + minute * std::int64_t{60}, now);
    if (at && (!first || *at < *first)) first = at;
  }
  return first;
}

}  // namespace

Result<Schedule> parse(std::string_view expression) {
  constexpr std::size_t kMostText = 1024;
  if (expression.size() > kMostText) {
    return fail({Code::invalid, "a cron expression is longer than 1,024 bytes"});
  }
  return policy::read_schedule(expression);
}

std::optional<std::int64_t> next(const Schedule& schedule, const Zone& zone, std::int64_t now) {
  constexpr std::int64_t kFurthest = std::int64_t{1} << 36;  // some two thousand years
  if (now < -kFurthest || now > kFurthest) return std::nullopt;
  // A day early: clocks set back show a local day again.
  const std::int64_t local = now + zone.offset_at(now) - kDay;
  const std::int64_t today = local / kDay - (local % kDay < 0 ? 1 : 0);
  for (std::int64_t day = today; day <= today + kDays + 1; ++day) {
    if (!day_matches(schedule, day)) continue;
    if (const auto first = first_of_day(schedule, zone, day, now)) return first;
  }
  return std::nullopt;
}

std::optional<Replicas> desired(const Trigger& trigger, const Zone& start_zone,
                                const Zone& end_zone, std::int64_t now) {
  const auto start = next(trigger.start, start_zone, now);
  const auto end = next(trigger.end, end_zone, now);
  const bool opens_first = start && (!end || *start < *end);
  if (opens_first) return std::nullopt;
  return trigger.desired;
}

}  // namespace headroom::decide::cron
