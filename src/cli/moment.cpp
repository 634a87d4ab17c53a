#include "cli/moment.h"

#include <ctime>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "base/text.h"
#include "base/time.h"

namespace headroom::cli {
namespace {

Error not_a_moment(std::string_view text) {
  return {Code::invalid,
          fmt::format("found \"{}\", expected a time such as 14:05, 14:05:09, "
                      "\"2024-05-01 14:05\", \"5m ago\" or -5m",
                      printable(text, 64)),
          {}};
}

/// Takes exactly `digits` digits from the front.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int number = 0;
  for (const char c : text.substr(0, digits)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  text.remove_prefix(digits);
  return number;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

struct TimeOfDay {
  int hour = 0, minute = 0;
  std::optional<int> second;
};

/// "14:05" or "14:05:09" (with one digit for the hour, too), up to the end.
std::optional<TimeOfDay> read_time(std::string_view text) {
  TimeOfDay time;
  const auto hour = take_number(text, text.find(':') == 1 ? 1 : 2);
  if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  time.hour = *hour;
  time.minute = *minute;
  if (text.empty()) return time;
  if (!take(text, ':')) return std::nullopt;
  time.second = take_number(text, 2);
  if (!time.second || *time.second > 60 || !text.empty()) return std::nullopt;
  return time;
}

/// The end of that minute or second; `day` names the date.
std::optional<std::int64_t> end_of(std::tm day, const TimeOfDay& time) {
  day.tm_hour = time.hour;
  day.tm_min = time.minute;
  day.tm_sec = time.second.value_or(59);
  day.tm_isdst = -1;
  const int month_day = day.tm_mday;
  const std::time_t at = std::mktime(&day);
  // mktime turns the 31st of February into a day in March.
  if (at == -1 || day.tm_mday != month_day) return std::nullopt;
  return static_cast<std::int64_t>(at) * 1000 + 999;
}

std::optional<std::int64_t> read_date(std::string_view text) {
  std::tm day{};
  const auto year = take_number(text, 4);
  if (!year || !take(text, '-')) return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || *month < 1 || *month > 12 || !take(text, '-')) return std::nullopt;
  const auto date = take_number(text, 2);
  if (!date || *date < 1 || *date > 31) return std::nullopt;
  day.tm_year = *year - 1900;
  day.tm_mon = *month - 1;
  day.tm_mday = *date;
  if (!take(text, ' ') && !take(text, 'T')) return std::nullopt;
  const auto time = read_time(text);
  if (!time) return std::nullopt;
  return end_of(day, *time);
}

std::optional<std::int64_t> read_today(std::string_view text, std::int64_t now) {
  const auto time = read_time(text);
  if (!time) return std::nullopt;
  const auto seconds = static_cast<std::time_t>(now / 1000);
  std::tm day{};
  if (::localtime_r(&seconds, &day) == nullptr) return std::nullopt;
  const auto today = end_of(day, *time);
  // The running minute is today's: only one that has not begun is yesterday's.
  const std::int64_t length = time->second ? 1000 : 60'000;
  if (!today || *today - length < now) return today;
  day.tm_hour = 12;
  day.tm_mday -= 1;
  day.tm_isdst = -1;
  if (std::mktime(&day) == -1) return std::nullopt;
  return end_of(day, *time);
}

std::optional<std::int64_t> read_ago(std::string_view text, std::int64_t now) {
  static constexpr std::string_view kAgo = " ago";
  if (take(text, '-')) {
    // as it is
  } else if (text.ends_with(kAgo)) {
    text.remove_suffix(kAgo.size());
  } else {
    return std::nullopt;
  }
  const auto duration = parse_duration(text);
  if (!duration || duration->count() > now) return std::nullopt;
  return now - duration->count();
}

}  // namespace

Result<std::int64_t> parse_moment(std::string_view text, std::int64_t now_unix_millis) {
  if (text == "now") return now_unix_millis;
  if (const auto ago = read_ago(text, now_unix_millis)) return *ago;
  if (const auto today = read_today(text, now_unix_millis)) return *today;
  if (const auto date = read_date(text)) return *date;
  return fail(not_a_moment(text));
}

}  // namespace headroom::cli
