#include "policy/trigger_syntax.h"

#include <algorithm>
#include <array>

#include "formula/go_number.h"
#include "policy/names.h"

namespace headroom::policy {
namespace {

constexpr std::string_view kBlanks = " \t\n\v\f\r";

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
  return formula::read_go_integer(text);
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
  return formula::read_go_float(text);
}

std::optional<std::int64_t> json_integer(std::string_view text) {
  if (!json_number(text)) return std::nullopt;
  return go_integer(text);
}

std::optional<std::int64_t> go_signed_duration(std::string_view text) {
  return formula::read_duration(text);
}

std::optional<std::int64_t> go_duration(std::string_view text) {
  constexpr std::int64_t kMilli = 1'000'000;
  if (const auto milliseconds = go_integer(text)) {
    const bool fits = *milliseconds >= 0 && *milliseconds <= INT64_MAX / kMilli;
    return fits ? std::optional(*milliseconds * kMilli) : std::nullopt;
  }
  const auto duration = go_signed_duration(text);
  return duration && *duration >= 0 ? duration : std::nullopt;
}

}  // namespace headroom::policy
