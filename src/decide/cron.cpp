#include "decide/cron.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <span>
#include <vector>

#include <fmt/format.h>

namespace headroom::decide::cron {
namespace {

constexpr std::size_t kMostText = 1024;
constexpr std::int64_t kDay = 86400;
// Two leap days may lie eight years apart, as round 2100.
constexpr int kDays = 8 * 366 + 1;

constexpr std::array<std::string_view, 12> kMonths = {"jan", "feb", "mar", "apr", "may", "jun",
                                                      "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kWeekdays = {"sun", "mon", "tue", "wed",
                                                       "thu", "fri", "sat"};

struct Field {
  std::string_view name;
  unsigned least, most;
  std::span<const std::string_view> names;
};

bool digits(std::string_view text, unsigned& number) {
  if (text.starts_with('+')) text.remove_prefix(1);  // as Go reads numbers
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

bool number_or_name(const Field& field, std::string_view text, unsigned& number) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  const auto found = std::ranges::find(field.names, lower);
  if (found == field.names.end()) return digits(text, number);
  number = field.least + static_cast<unsigned>(found - field.names.begin());
  return true;
}

bool range(const Field& field, std::string_view text, std::uint64_t& bits, bool& any) {
  const auto slash = text.find('/');
  const auto body = text.substr(0, slash);
  unsigned step = 1;
  if (slash != text.npos && (!digits(text.substr(slash + 1), step) || step == 0)) return false;
  unsigned from = field.least;
  unsigned to = field.most;
  const auto dash = body.find('-');
  if (body.substr(0, dash) == "*" || body.substr(0, dash) == "?") {
    any = true;  // what follows a hyphen here is not looked at, as upstream does not
  } else {
    if (!number_or_name(field, body.substr(0, dash), from)) return false;
    if (dash != body.npos) {
      if (!number_or_name(field, body.substr(dash + 1), to)) return false;
    } else if (slash == text.npos) {
      to = from;  // with a step "5/15" runs to the end
    }
  }
  if (from < field.least || to > field.most || from > to) return false;
  for (std::uint64_t at = from; at <= to; at += step) bits |= std::uint64_t{1} << at;
  return true;
}

Result<bool> read(const Field& field, std::string_view text, std::uint64_t& bits) {
  bool any = false;
  bool some = false;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    if (comma > 0) {
      if (!range(field, text.substr(0, comma), bits, any)) {
        return fail({Code::invalid, fmt::format("\"{}\" is no {} of a cron expression",
                                                text.substr(0, comma), field.name)});
      }
      some = true;
    }
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  if (!some)
    return fail({Code::invalid, fmt::format("a cron expression's {} is empty", field.name)});
  return any;
}

std::vector<std::string_view> words(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  std::vector<std::string_view> list;
  for (;;) {
    text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
    if (text.empty()) return list;
    const auto end = std::min(text.find_first_of(kSpace), text.size());
    list.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

/// Days of the months, 29 in February: a schedule fires some day unless all its months are
/// shorter than all its days. A weekday beside `any_day` or in an "or" always comes.
bool can_fire(const Schedule& schedule) {
  if (!schedule.any_day && !schedule.any_weekday) return true;
  constexpr std::array<unsigned, 12> kLengths = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  for (unsigned month = 1; month <= 12; ++month) {
    const std::uint64_t inside = (std::uint64_t{2} << kLengths[month - 1]) - 1;
    if ((schedule.months >> month & 1) != 0 && (schedule.days & inside) != 0) return true;
  }
  return false;
}

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
  if (expression.size() > kMostText) {
    return fail({Code::invalid, "a cron expression is longer than 1,024 bytes"});
  }
  Schedule schedule;
  auto fields = words(expression);
  if (!fields.empty() && (fields[0].starts_with("TZ=") || fields[0].starts_with("CRON_TZ="))) {
    schedule.zone = fields[0].substr(fields[0].find('=') + 1);
    fields.erase(fields.begin());
  }
  if (fields.size() != 5) {
    return fail(
        {Code::invalid, fmt::format("a cron expression has 5 fields, this one {}", fields.size())});
  }
  const std::array<Field, 5> kinds = {
      Field{"minute", 0, 59, {}}, Field{"hour", 0, 23, {}}, Field{"day of month", 1, 31, {}},
      Field{"month", 1, 12, kMonths}, Field{"day of week", 0, 6, kWeekdays}};
  const std::array<std::uint64_t*, 5> bits = {&schedule.minutes, &schedule.hours, &schedule.days,
                                              &schedule.months, &schedule.weekdays};
  std::array<bool, 5> any{};
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    auto read_field = read(kinds[i], fields[i], *bits[i]);
    if (!read_field) return fail(read_field.error());
    any[i] = *read_field;
  }
  schedule.any_day = any[2];
  schedule.any_weekday = any[4];
  if (!can_fire(schedule)) return fail({Code::invalid, "a cron expression that can never fire"});
  return schedule;
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
