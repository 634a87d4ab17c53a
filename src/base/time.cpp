#include "base/time.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"

namespace headroom {
namespace {

constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();

struct Unit {
  std::string_view name;
  std::int64_t millis = 0;
};
constexpr std::array kUnits = {Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000},
                               Unit{"s", 1'000}, Unit{"ms", 1}};

struct Decimal {
  std::int64_t whole = 0;
  std::int64_t billionths = 0;
  bool more = false;  // digits beyond the ninth
};

/// Takes digits with at most one point from the front; nothing where there is no digit or the
/// number is too large.
std::optional<Decimal> take_decimal(std::string_view& text) {
  Decimal number;
  std::size_t digits = 0;
  std::int64_t scale = 0;  // of the next digit; 0: before the point
  for (; !text.empty() && (is_digit(text[0]) || (text[0] == '.' && scale == 0));
       text.remove_prefix(1)) {
    if (text[0] == '.') {
      scale = 1'000'000'000;
      continue;
    }
    ++digits;
    const std::int64_t digit = text[0] - '0';
    if (scale == 0) {
      if (number.whole > (kLargest - digit) / 10) return std::nullopt;
      number.whole = number.whole * 10 + digit;
    } else if (scale > 1) {
      scale /= 10;
      number.billionths += digit * scale;
    } else {
      number.more = number.more || digit != 0;
    }
  }
  if (digits == 0) return std::nullopt;
  return number;
}

/// Rounded up to milliseconds: what was not zero must not become it, zero often means "off".
std::optional<std::int64_t> to_millis(const Decimal& number, std::int64_t unit) {
  if (number.whole > kLargest / unit) return std::nullopt;
  const std::int64_t billionth = 1'000'000'000;
  const std::int64_t part = number.billionths * unit;
  const std::int64_t rest = part / billionth + (part % billionth != 0 || number.more ? 1 : 0);
  const std::int64_t whole = number.whole * unit;
  if (whole > kLargest - rest) return std::nullopt;
  return whole + rest;
}

Error not_a_duration(std::string_view text) {
  return {Code::invalid,
          fmt::format("found \"{}\", expected a duration such as 300ms, 5s, 1m30s, 2h or 1d",
                      printable(text, 64))};
}

}  // namespace

Result<Millis> parse_duration(std::string_view text) {
  const auto all = text;
  if (text.empty()) return fail(not_a_duration(all));
  std::int64_t total = 0;
  while (!text.empty()) {
    const bool first = text.size() == all.size();
    const auto number = take_decimal(text);
    if (!number) return fail(not_a_duration(all));
    const auto end = std::ranges::find_if(text, [](char c) { return is_digit(c) || c == '.'; });
    const auto name = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    text.remove_prefix(name.size());
    const bool bare = first && name.empty() && text.empty();
    const auto unit = std::ranges::find(kUnits, bare ? "s" : name, &Unit::name);
    if (unit == kUnits.end()) return fail(not_a_duration(all));
    const auto part = to_millis(*number, unit->millis);
    if (!part || total > kLargest - *part) return fail(not_a_duration(all));
    total += *part;
  }
  return Millis{total};
}

std::string to_string(Millis duration) {
  const bool negative = duration.count() < 0;
  const auto bits = static_cast<std::uint64_t>(duration.count());
  std::uint64_t rest = negative ? ~bits + 1 : bits;
  if (rest == 0) return "0s";
  std::string text = negative ? "-" : "";
  if (rest < 1000) return fmt::format("{}{}ms", text, rest);
  for (const auto& unit : kUnits) {
    const auto millis = static_cast<std::uint64_t>(unit.millis);
    const bool seconds = millis == 1000;
    const auto count = rest / millis;
    rest %= millis;
    if (seconds && rest > 0) {
      auto fraction = fmt::format("{:03}", rest);
      fraction.erase(fraction.find_last_not_of('0') + 1);
      return text + fmt::format("{}.{}s", count, fraction);
    }
    if (count > 0) text += fmt::format("{}{}", count, unit.name);
  }
  return text;
}

std::string span_of(double seconds) {
  constexpr double kMost = 1e15;
  if (std::abs(seconds) < 0.1 && seconds != 0) return number(seconds * 1000) + " ms";
  if (!(seconds >= 120) || seconds > kMost) return number(seconds) + " s";
  const auto whole = static_cast<std::int64_t>(seconds);
  const auto two = [](std::int64_t large, const char* unit, std::int64_t small, const char* rest) {
    return fmt::format("{} {}", large, unit) +
           (small == 0 ? "" : fmt::format(" {} {}", small, rest));
  };
  if (whole < 3600) return two(whole / 60, "min", whole % 60, "s");
  return two(whole / 3600, "h", whole / 60 % 60, "min");
}

std::string span_of(Millis duration) {
  return span_of(std::chrono::duration<double>(duration).count());
}

std::string local_time(std::int64_t unix_millis) {
  // Towards the past, so that the last millisecond before 1970 is 23:59:59.
  const auto seconds =
      static_cast<std::time_t>(unix_millis / 1000 - (unix_millis % 1000 < 0 ? 1 : 0));
  std::tm civil{};
  if (::localtime_r(&seconds, &civil) == nullptr) return "-";
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", std::int64_t{civil.tm_year} + 1900,
                     civil.tm_mon + 1, civil.tm_mday, civil.tm_hour, civil.tm_min, civil.tm_sec);
}

}  // namespace headroom
