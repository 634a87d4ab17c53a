#include <algorithm>
#include <array>

#include "formula/builtins.h"
#include "formula/go_number.h"
#include "formula/moment.h"
#include "formula/operators.h"

/// The methods of durations and times.
namespace headroom::formula {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

std::int64_t nanos(const Datum& self) { return std::get<Duration>(self).nanos; }
const Time& time(const Datum& self) { return std::get<Time>(self); }

/// Whole and rest apart, as Go has it: the last digits depend on it.
Datum in_units(const Datum& self, std::int64_t unit) {
  return static_cast<double>(nanos(self) / unit) +
         static_cast<double>(nanos(self) % unit) / static_cast<double>(unit);
}

template <int Calendar::*Part>
Datum part(const Datum& self, const Datum&) {
  return static_cast<std::int64_t>(calendar(time(self)).*Part);
}

bool compared(Op op, const Datum& a, const Datum& b) {
  bool result = false;
  compare(op, a, b, result);
  return result;
}

Datum moved(Op op, const Datum& a, const Datum& b) {
  Datum result;
  std::string why;
  calculate(op, a, b, result, why);
  return result;
}

Datum truncated(const Datum& self, const Datum& to) {
  const std::int64_t unit = nanos(to);
  if (unit <= 0) return self;
  return Duration{nanos(self) - nanos(self) % unit};
}

constexpr auto kMethods =
    std::to_array<Method>(
        {
            {Kind::duration, "Hours", Kind::number, std::nullopt,
             [](const Datum& self, const Datum&) { return in_units(self, 3600 * kSecond); }},
            {Kind::duration, "Minutes", Kind::number, std::nullopt,
             [](const Datum& self, const Datum&) { return in_units(self, 60 * kSecond); }},
            {Kind::duration, "Seconds", Kind::number, std::nullopt,
             [](const Datum& self, const Datum&) { return in_units(self, kSecond); }},
            {Kind::duration, "Milliseconds", Kind::integer64, std::nullopt,
             [](const Datum& self, const Datum&) -> Datum { return nanos(self) / 1'000'000; }},
            {Kind::duration, "Microseconds", Kind::integer64, std::nullopt,
             [](const Datum& self, const Datum&) -> Datum { return nanos(self) / 1000; }},
            {Kind::duration, "Nanoseconds", Kind::integer64, std::nullopt,
             [](const Datum& self, const Datum&) -> Datum { return nanos(self); }},
            {Kind::duration, "String", Kind::text, std::nullopt,
             [](const Datum& self, const Datum&) {
               return make_text(go_spelling(Duration{nanos(self)}));
             }},
            {Kind::duration, "Truncate", Kind::duration, Kind::duration, truncated},
            {Kind::time, "Year", Kind::integer, std::nullopt, part<&Calendar::year>},
            {Kind::time, "Month", Kind::month, std::nullopt,
             [](const Datum& self, const Datum&) -> Datum {
               return Month{calendar(time(self)).month};
             }},
            {Kind::time, "Day", Kind::integer, std::nullopt, part<&Calendar::day>},
            {Kind::time, "Hour", Kind::integer, std::nullopt, part<&Calendar::hour>},
            {Kind::time, "Minute", Kind::integer, std::nullopt, part<&Calendar::minute>},
            {Kind::time, "Second", Kind::integer, std::nullopt, part<&Calendar::second>},
            {Kind::time, "Nanosecond", Kind::integer, std::nullopt,
             [](const Datum& self, const Datum&) -> Datum {
               return std::int64_t{time(self).nanos};
             }},
            {Kind::time, "YearDay", Kind::integer, std::nullopt, part<&Calendar::year_day>},
            {Kind::time, "Weekday", Kind::weekday, std::nullopt,
             [](const Datum& self, const Datum&) -> Datum {
               return Weekday{calendar(time(self)).weekday};
             }},
            {Kind::time, "Unix", Kind::integer64, std::nullopt,
             [](const Datum& self, const Datum&) -> Datum { return time(self).seconds; }},
            {Kind::time, "UnixMilli", Kind::integer64, std::nullopt,
             [](const Datum& self, const Datum&) -> Datum {
               return wrapping_add(wrapping_multiply(time(self).seconds, 1000),
                                   time(self).nanos / 1'000'000);
             }},
            {Kind::time, "UTC", Kind::time, std::nullopt,
             [](const Datum& self, const Datum&) -> Datum {
               return Time{time(self).seconds, time(self).nanos, 0};
             }},
            {Kind::time, "Add", Kind::time, Kind::duration,
             [](const Datum& self, const Datum& other) { return moved(Op::add, self, other); }},
            {Kind::time, "Sub", Kind::duration, Kind::time,
             [](const Datum& self, const Datum& other) {
               return moved(Op::subtract, self, other);
             }},
            {Kind::time, "Before", Kind::boolean, Kind::time,
             [](const Datum& self, const Datum& other) -> Datum {
               return compared(Op::less, self, other);
             }},
            {Kind::time, "After", Kind::boolean, Kind::time,
             [](const Datum& self, const Datum& other) -> Datum {
               return compared(Op::more, self, other);
             }},
        });

}  // namespace

const Method* find_method(Kind of, std::string_view name) {
  const auto* found = std::ranges::find_if(
      kMethods, [&](const Method& method) { return method.of == of && method.name == name; });
  return found == kMethods.end() ? nullptr : found;
}

Kind kind_with_methods(const Datum& datum) {
  if (std::holds_alternative<Duration>(datum)) return Kind::duration;
  if (std::holds_alternative<Time>(datum)) return Kind::time;
  return Kind::unknown;
}

}  // namespace headroom::formula
