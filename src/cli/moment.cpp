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
                      "\"2024-05-01 14:05\", 2024-05-01T14:05:09Z, \"5m ago\" or -5m",
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
  std::optional<int> second, milli;
};

/// A moment, or the minute or second that is named: its first millisecond and its last.
struct Named {
  std::int64_t begin = 0, end = 0;
};

/// ".755", with any number of digits: those beyond milliseconds say nothing here.
std::optional<int> take_milli(std::string_view& text) {
  int milli = 0;
  std::size_t digits = 0;
  for (; digits < text.size() && is_digit(text[digits]); ++digits) {
    if (digits < 3) milli = milli * 10 + (text[digits] - '0');
  }
  text.remove_prefix(digits);
  if (digits == 0) return std::nullopt;
  for (; digits < 3; ++digits) milli *= 10;
  return milli;
}

/// "14:05", "14:05:09" or "14:05:09.5" (with one digit for the hour, too).
std::optional<TimeOfDay> take_time(std::string_view& text) {
  TimeOfDay time;
  const auto hour = take_number(text, text.find(':') == 1 ? 1 : 2);
  if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  time.hour = *hour;
  time.minute = *minute;
  if (!take(text, ':')) return time;
  time.second = take_number(text, 2);
  if (!time.second || *time.second > 60) return std::nullopt;
  if (!take(text, '.')) return time;
  time.milli = take_milli(text);
  if (!time.milli) return std::nullopt;
  return time;
}

/// "Z", "+02:00" or "-0230", in minutes ahead of UTC.
std::optional<int> take_offset(std::string_view& text) {
  if (take(text, 'Z')) return 0;
  const bool behind = text.starts_with('-');
  if (!take(text, behind ? '-' : '+')) return std::nullopt;
  const auto hours = take_number(text, 2);
  if (!hours || *hours > 23) return std::nullopt;
  take(text, ':');
  const auto minutes = take_number(text, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  return (behind ? -1 : 1) * (*hours * 60 + *minutes);
}

/// `day` names the date; `offset` is in minutes, none: local time.
std::optional<Named> on(std::tm day, const TimeOfDay& time, std::optional<int> offset = {}) {
  day.tm_hour = time.hour;
  day.tm_min = time.minute;
  day.tm_sec = time.second.value_or(0);
  day.tm_isdst = -1;
  const int month_day = day.tm_mday;
  std::time_t at = offset ? ::timegm(&day) : std::mktime(&day);
  // The 31st of February was turned into a day in March.
  if (at == -1 || day.tm_mday != month_day) return std::nullopt;
  if (offset) at -= std::time_t{*offset} * 60;
  const auto begin = static_cast<std::int64_t>(at) * 1000 + time.milli.value_or(0);
  return Named{begin, begin + (time.milli ? 0 : time.second ? 999 : 59'999)};
}

std::optional<Named> read_date(std::string_view text) {
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
  const auto time = take_time(text);
  if (!time) return std::nullopt;
  const auto offset = take_offset(text);
  if (!text.empty()) return std::nullopt;
  return on(day, *time, offset);
}

/// The last such time of day that has begun at `now`.
std::optional<Named> read_time(std::string_view text, std::int64_t now) {
  const auto time = take_time(text);
  if (!time || !text.empty()) return std::nullopt;
  const auto seconds = static_cast<std::time_t>(now / 1000);
  std::tm day{};
  if (::localtime_r(&seconds, &day) == nullptr) return std::nullopt;
  const auto today = on(day, *time);
  if (!today || today->begin <= now) return today;
  day.tm_hour = 12;
  day.tm_mday -= 1;
  day.tm_isdst = -1;
  if (std::mktime(&day) == -1) return std::nullopt;
  return on(day, *time);
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

Result<Named> read(std::string_view text, std::int64_t now) {
  if (text == "now") return Named{now, now};
  if (const auto ago = read_ago(text, now)) return Named{*ago, *ago};
  if (const auto time = read_time(text, now)) return *time;
  if (const auto date = read_date(text)) return *date;
  return fail(not_a_moment(text));
}

Result<Named> read_flag(const char* flag, std::string_view text, std::int64_t now) {
  auto named = read(text, now);
  if (!named) return fail({Code::invalid, flag + (": " + named.error().what), {}});
  return named;
}

}  // namespace

Result<std::int64_t> parse_moment(std::string_view text, std::int64_t now_unix_millis) {
  const auto named = read(text, now_unix_millis);
  if (!named) return fail(named.error());
  return named->end;
}

Result<Period> parse_period(std::string_view since, std::string_view until,
                            std::int64_t now_unix_millis) {
  constexpr std::int64_t kDay = 24 * 3'600'000;
  Period period;
  if (!since.empty()) {
    const auto named = read_flag("--since", since, now_unix_millis);
    if (!named) return fail(named.error());
    period.since = named->begin;
  }
  if (until.empty()) return period;
  const auto named = read_flag("--until", until, now_unix_millis);
  if (!named) return fail(named.error());
  period.until = named->end;
  if (!period.since || *period.since <= *period.until) return period;
  // The night from 22:00 to 06:00 ends on the day after it began.
  const auto next = read_time(until, *period.since + kDay);
  if (!next) return fail({Code::invalid, "--until: it is before --since", {}});
  period.until = next->end;
  return period;
}

}  // namespace headroom::cli
