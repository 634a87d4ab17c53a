#include "policy/yaml_scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>

#include "formula/modifiers.h"
#include "policy/names.h"

namespace headroom::policy {
namespace {

/// 10, -1_000, 0x1F, 0b1, 0o17, 017; none where it is no whole number. What does not fit 64 bits
/// is infinite.
std::optional<double> whole_number(std::string_view text) {
  std::string digits(text);
  std::erase(digits, '_');
  text = digits;
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  struct Base {
    std::string_view mark;
    int base;
  };
  constexpr std::array kBases = {Base{"0x", 16}, Base{"0b", 2}, Base{"0o", 8}, Base{"0", 8}};
  int base = 10;
  for (const auto& known : kBases) {
    if (text.size() <= 1 || !same_in_any_case(text.substr(0, known.mark.size()), known.mark)) {
      continue;
    }
    base = known.base;
    text.remove_prefix(known.mark.size());
    break;
  }
  std::uint64_t number = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number, base);
  if (end != last || error == std::errc::invalid_argument) return std::nullopt;
  const double value = error == std::errc{} ? static_cast<double>(number) : INFINITY;
  return negative ? -value : value;
}

std::optional<double> real_number(std::string_view text) {
  if (text == ".inf" || text == "+.inf" || text == "-.inf" || text == ".nan") return INFINITY;
  const bool digits_only = text.find_first_not_of("0123456789.eE+-_") == text.npos;
  return digits_only ? formula::read_go_float(text) : std::nullopt;
}

std::optional<bool> bool_of(std::string_view text) {
  struct Word {
    std::string_view small, large, title;
    bool value;
  };
  constexpr std::array kWords = {
      Word{"true", "TRUE", "True", true},     Word{"yes", "YES", "Yes", true},
      Word{"on", "ON", "On", true},           Word{"y", "Y", "Y", true},
      Word{"false", "FALSE", "False", false}, Word{"no", "NO", "No", false},
      Word{"off", "OFF", "Off", false},       Word{"n", "N", "N", false}};
  const auto word = std::ranges::find_if(kWords, [text](const Word& one) {
    return text == one.small || text == one.large || text == one.title;
  });
  return word == kWords.end() ? std::nullopt : std::optional(word->value);
}

}  // namespace

Scalar scalar_of(const Node& node) {
  if (node.quoted || node.text.empty()) return Scalar::text;
  if (bool_of(node.text)) return Scalar::flag;
  if (whole_number(node.text)) return Scalar::whole;
  if (real_number(node.text)) return Scalar::real;
  return Scalar::text;
}

std::optional<double> whole_of(const Node& node) {
  constexpr double kMostJson = 9007199254740991.0;  // above, a double is no whole number to Go
  const auto kind = scalar_of(node);
  if (kind == Scalar::whole) {
    const auto number = whole_number(node.text);
    return std::isfinite(*number) ? number : std::nullopt;
  }
  if (kind != Scalar::real) return std::nullopt;
  const auto number = real_number(node.text);
  const bool is_whole = std::abs(*number) <= kMostJson && std::trunc(*number) == *number;
  return is_whole ? number : std::nullopt;
}

std::optional<bool> flag_of(const Node& node) {
  return node.quoted ? std::nullopt : bool_of(node.text);
}

}  // namespace headroom::policy
