#include "policy/schedule.h"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "policy/names.h"
#include "policy/trigger_syntax.h"

namespace headroom::policy {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"jan", "feb", "mar", "apr", "may", "jun",
                                                      "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kDays = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct Bounds {
  std::string_view name;
  int min = 0, max = 0;
};
constexpr std::array kFields = {Bounds{"minute", 0, 59}, Bounds{"hour", 0, 23},
                                Bounds{"day of month", 1, 31}, Bounds{"month", 1, 12},
                                Bounds{"day of week", 0, 6}};

struct Field {
  std::uint64_t bits = 0;
  bool star = false;
};

/// A number, or a name of a month or a day; -1 for what is neither.
int read_value(std::string_view text, const Bounds& bounds) {
  const auto same = [text](std::string_view name) { return same_in_any_case(text, name); };
  if (bounds.name == "month") {
    const auto month = std::ranges::find_if(kMonths, same);
    if (month != kMonths.end()) return static_cast<int>(month - kMonths.begin()) + 1;
  }
  if (bounds.name == "day of week") {
    const auto day = std::ranges::find_if(kDays, same);
    if (day != kDays.end()) return static_cast<int>(day - kDays.begin());
  }
  constexpr std::int64_t kMost = 1'000'000;  // larger ones make no difference
  const auto number = go_integer(text);
  return number && *number >= 0 ? static_cast<int>(std::min(*number, kMost)) : -1;
}

/// Untrimmed pieces: a blank cannot be inside a field.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> all;
  while (true) {
    const auto end = text.find(separator);
    all.push_back(text.substr(0, end));
    if (end == text.npos) return all;
    text.remove_prefix(end + 1);
  }
}

/// "*/5", "1-5", "8-18/2", "3": adds its bits. False: not that.
bool add_range(std::string_view text, const Bounds& bounds, Field& field) {
  const auto range_and_step = split(text, '/');
  const auto low_and_high = split(range_and_step[0], '-');
  if (range_and_step.size() > 2) return false;
  int first = 0, last = 0, step = 1;
  bool star = low_and_high[0] == "*" || low_and_high[0] == "?";
  if (star) {
    first = bounds.min;
    last = bounds.max;
  } else {
    if (low_and_high.size() > 2) return false;
    first = read_value(low_and_high[0], bounds);
    last = read_value(low_and_high.back(), bounds);
    if (first < 0 || last < 0) return false;
  }
  if (range_and_step.size() == 2) {
    step = read_value(range_and_step[1], {});
    if (low_and_high.size() == 1) last = bounds.max;  // "3/5": from 3
  }
  if (first < bounds.min || last > bounds.max || first > last || step <= 0) return false;
  for (int value = first; value <= last; value += step) field.bits |= std::uint64_t{1} << value;
  field.star = field.star || star;
  return true;
}

/// Whether there is a minute, and a month that has such a day. Any date that comes again and again
/// falls on each day of the week.
bool can_fire(const Schedule& schedule) {
  if (schedule.minutes == 0 || schedule.hours == 0 || schedule.months == 0) return false;
  const bool either = !schedule.any_day && !schedule.any_weekday;  // of the two is enough
  if (either && schedule.weekdays != 0) return true;
  if (!either && schedule.weekdays == 0) return false;
  constexpr std::array kLengths = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  for (std::size_t month = 0; month < kLengths.size(); ++month) {
    if ((schedule.months >> (month + 1) & 1) == 0) continue;
    const auto inside = (std::uint64_t{1} << (kLengths[month] + 1)) - 1;
    if ((schedule.days & inside) != 0) return true;
  }
  return false;
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (text = trimmed(text); !text.empty(); text = trimmed(text)) {
    const auto end = std::min(text.find_first_of(" \t\n\v\f\r"), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return words;
}

}  // namespace

Result<Schedule> read_schedule(std::string_view text) {
  const auto found = [text](std::string_view what) {
    return fail(
        {Code::invalid, fmt::format("found \"{}\", expected {}", printable(text, 60), what), {}});
  };
  Schedule schedule;
  auto rest = text;
  if (rest.starts_with("TZ=") || rest.starts_with("CRON_TZ=")) {
    const auto blank = rest.find(' ');
    if (blank == rest.npos) return found("a schedule after the time zone");
    const auto zone = rest.find('=') + 1;
    schedule.zone = rest.substr(zone, blank - zone);
    rest = rest.substr(blank);
  }
  const auto words = words_of(rest);
  if (words.size() != kFields.size()) {
    return found("five fields: minute, hour, day of month, month, day of week");
  }
  std::array<Field, kFields.size()> fields;
  for (std::size_t i = 0; i < words.size(); ++i) {
    for (const auto piece : split(words[i], ',')) {
      if (piece.empty() || add_range(piece, kFields[i], fields[i])) continue;
      return found(fmt::format("for {} \"{}\" numbers from {} to {}, such as */5, 1-5 or 3",
                               kFields[i].name, printable(piece, 30), kFields[i].min,
                               kFields[i].max));
    }
  }
  schedule.minutes = fields[0].bits;
  schedule.hours = fields[1].bits;
  schedule.days = fields[2].bits;
  schedule.months = fields[3].bits;
  schedule.weekdays = fields[4].bits;
  schedule.any_day = fields[2].star;
  schedule.any_weekday = fields[4].star;
  if (!can_fire(schedule)) return found("a day that there is");
  return schedule;
}

}  // namespace headroom::policy
