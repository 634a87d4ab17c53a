#include "formula/moment.h"

#include <algorithm>
#include <array>
#include <chrono>

namespace headroom::formula {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::sys_days;
using std::chrono::year_month_day;

/// Whole and rest apart, as Go has it: the last digits depend on it.
template <std::int64_t Seconds>
Datum in_units(const Datum& self) {
  constexpr std::int64_t kUnit = Seconds * 1'000'000'000;
  const std::int64_t nanos = std::get<Duration>(self).nanos;
  return static_cast<double>(nanos / kUnit) +
         static_cast<double>(nanos % kUnit) / static_cast<double>(kUnit);
}

std::chrono::sys_seconds instant(const Datum& self) {
  return std::chrono::sys_seconds(std::chrono::seconds(std::get<Time>(self).seconds));
}
year_month_day date_of(const Datum& self) { return floor<days>(instant(self)); }

/// Of the day: hours of 3600 seconds, of which there are 24.
template <int Unit, int Most>
Datum of_day(const Datum& self) {
  const auto second = (instant(self) - floor<days>(instant(self))).count();
  return static_cast<std::int64_t>(second / Unit % Most);
}

constexpr auto kMethods = std::to_array<Method>({
    {Kind::duration, "Hours", Kind::number, in_units<3600>},
    {Kind::duration, "Minutes", Kind::number, in_units<60>},
    {Kind::duration, "Seconds", Kind::number, in_units<1>},
    {Kind::time, "Year", Kind::integer,
     [](const Datum& self) -> Datum {
       return std::int64_t{static_cast<int>(date_of(self).year())};
     }},
    {Kind::time, "YearDay", Kind::integer,
     [](const Datum& self) -> Datum {
       const sys_days new_year(date_of(self).year() / std::chrono::January / 1);
       return std::int64_t{(floor<days>(instant(self)) - new_year).count() + 1};
     }},
    {Kind::time, "Day", Kind::integer,
     [](const Datum& self) -> Datum {
       return std::int64_t{static_cast<unsigned>(date_of(self).day())};
     }},
    {Kind::time, "Hour", Kind::integer, of_day<3600, 24>},
    {Kind::time, "Minute", Kind::integer, of_day<60, 60>},
    {Kind::time, "Second", Kind::integer, of_day<1, 60>},
});

}  // namespace

const Method* find_method(Kind of, std::string_view name) {
  const auto* found = std::ranges::find_if(
      kMethods, [&](const Method& method) { return method.of == of && method.name == name; });
  return found == kMethods.end() ? nullptr : found;
}

bool is_of(const Datum& datum, Kind kind) {
  return kind == Kind::time ? std::holds_alternative<Time>(datum)
                            : std::holds_alternative<Duration>(datum);
}

std::optional<Time> read_date(std::string_view text) {
  constexpr std::string_view kLayout = "2006-01-02";
  const auto fits = [](char c, char layout) {
    return layout == '-' ? c == '-' : c >= '0' && c <= '9';
  };
  if (!std::ranges::equal(text, kLayout, fits)) return std::nullopt;
  const auto number = [&](std::size_t from, std::size_t to) {
    unsigned value = 0;
    for (const char c : text.substr(from, to - from)) {
      value = value * 10 + static_cast<unsigned>(c - '0');
    }
    return value;
  };
  const year_month_day date(std::chrono::year(static_cast<int>(number(0, 4))),
                            std::chrono::month(number(5, 7)), std::chrono::day(number(8, 10)));
  if (!date.ok()) return std::nullopt;
  return Time{std::chrono::sys_seconds(sys_days(date)).time_since_epoch().count()};
}

}  // namespace headroom::formula
