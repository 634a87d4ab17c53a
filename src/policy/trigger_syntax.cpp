#include "policy/trigger_syntax.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "formula/modifiers.h"

namespace headroom::policy {
namespace {

constexpr std::string_view kBlanks = " \t\n\v\f\r";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

template <class Number, class... Format>
std::optional<Number> whole(std::string_view text, Format... format) {
  Number number{};
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number, format...);
  if (error != std::errc{} || end != last) return std::nullopt;
  return number;
}

/// from_chars says "out of range" for what is too small, too, which Go reads as 0.
std::optional<double> to_double(std::string_view text, std::chars_format format) {
  double number = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number, format);
  if (end != last) return std::nullopt;
  if (error == std::errc{}) return number;
  const auto exponent = text.find_first_of(format == std::chars_format::hex ? "pP" : "eE");
  const auto digits = text.substr(0, exponent);
  const bool large_exponent =
      exponent != text.npos && exponent + 1 < text.size() && text[exponent + 1] != '-';
  const auto point = digits.find('.');
  const auto first = digits.find_first_not_of("0.");
  const bool below_one = first == digits.npos || (point != digits.npos && first > point);
  if (first == digits.npos || (below_one && !large_exponent) ||
      (exponent != text.npos && !large_exponent)) {
    return 0.0;
  }
  return std::nullopt;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(kBlanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::vector<std::string_view> pieces(std::string_view text, char separator) {
  std::vector<std::string_view> all;
  while (true) {
    const auto end = text.find(separator);
    all.push_back(trimmed(text.substr(0, end)));
    if (end == text.npos) return all;
    text.remove_prefix(end + 1);
  }
}

std::optional<bool> go_bool(std::string_view text) {
  constexpr std::array<std::string_view, 6> kTrue = {"1", "t", "T", "TRUE", "true", "True"};
  constexpr std::array<std::string_view, 6> kFalse = {"0", "f", "F", "FALSE", "false", "False"};
  if (std::ranges::find(kTrue, text) != kTrue.end()) return true;
  if (std::ranges::find(kFalse, text) != kFalse.end()) return false;
  return std::nullopt;
}

std::optional<std::int64_t> go_integer(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.empty() || !is_digit(text[0])) return std::nullopt;
  }
  return whole<std::int64_t>(text);
}

std::optional<double> json_number(std::string_view text) {
  auto rest = text;
  const auto take_digits = [&rest] {
    const auto count =
        static_cast<std::size_t>(std::ranges::find_if_not(rest, is_digit) - rest.begin());
    rest.remove_prefix(count);
    return count;
  };
  if (rest.starts_with('-')) rest.remove_prefix(1);
  if (rest.starts_with('0')) {
    rest.remove_prefix(1);
  } else if (take_digits() == 0) {
    return std::nullopt;
  }
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    if (take_digits() == 0) return std::nullopt;
  }
  if (rest.starts_with('e') || rest.starts_with('E')) {
    rest.remove_prefix(1);
    if (rest.starts_with('+') || rest.starts_with('-')) rest.remove_prefix(1);
    if (take_digits() == 0) return std::nullopt;
  }
  if (!rest.empty()) return std::nullopt;
  const bool negative = text.starts_with('-');
  const auto number = to_double(text.substr(negative ? 1 : 0), std::chars_format::general);
  if (!number) return std::nullopt;
  return negative ? -*number : *number;
}

std::optional<std::int64_t> json_integer(std::string_view text) {
  if (!json_number(text)) return std::nullopt;
  return whole<std::int64_t>(text);
}

std::optional<std::int64_t> go_duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    double nanoseconds;
  };
  constexpr std::array kUnits = {Unit{"ns", 1},        Unit{"us", 1e3},  Unit{"\u00b5s", 1e3},
                                 Unit{"\u03bcs", 1e3}, Unit{"ms", 1e6},  Unit{"s", 1e9},
                                 Unit{"m", 60e9},      Unit{"h", 3600e9}};
  constexpr double kMost = 9.2e18;
  const auto milliseconds = go_integer(text);
  if (milliseconds) {
    if (*milliseconds < 0 || *milliseconds > static_cast<std::int64_t>(kMost / 1e6)) {
      return std::nullopt;
    }
    return *milliseconds * 1'000'000;
  }
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  double all = 0;
  while (!text.empty()) {
    const auto inside = [](char c) { return is_digit(c) || c == '.'; };
    const auto count =
        static_cast<std::size_t>(std::ranges::find_if_not(text, inside) - text.begin());
    const auto number = formula::read_go_float(text.substr(0, count));
    if (!number) return std::nullopt;
    text.remove_prefix(count);
    const auto end = std::min(text.find_first_of("0123456789."), text.size());
    const auto unit = std::ranges::find(kUnits, text.substr(0, end), &Unit::name);
    if (unit == kUnits.end()) return std::nullopt;
    text.remove_prefix(end);
    all += *number * unit->nanoseconds;
    if (all > kMost) return std::nullopt;
  }
  return static_cast<std::int64_t>(all);
}

}  // namespace headroom::policy
