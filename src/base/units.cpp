#include "base/units.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"

namespace headroom {
namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();

/// What a suffix multiplies by: 10^decimal * 2^binary.
struct Suffix {
  std::string_view name;
  int decimal = 0;
  int binary = 0;
};
constexpr std::array kSuffixes = {
    Suffix{"m", -3, 0},  Suffix{"", 0, 0},    Suffix{"k", 3, 0},   Suffix{"M", 6, 0},
    Suffix{"G", 9, 0},   Suffix{"T", 12, 0},  Suffix{"P", 15, 0},  Suffix{"E", 18, 0},
    Suffix{"Ki", 0, 10}, Suffix{"Mi", 0, 20}, Suffix{"Gi", 0, 30}, Suffix{"Ti", 0, 40},
    Suffix{"Pi", 0, 50}, Suffix{"Ei", 0, 60}, Suffix{"u", -6, 0},  Suffix{"n", -9, 0},
};

std::string_view take_digits(std::string_view& text) {
  const auto end = std::ranges::find_if_not(text, is_digit);
  const auto count = static_cast<std::size_t>(end - text.begin());
  const auto digits = text.substr(0, count);
  text.remove_prefix(count);
  return digits;
}

/// "e3", "E-2": the exponent, saturated far outside of what a number can use.
std::optional<int> read_exponent(std::string_view text) {
  if (text.size() < 2 || (text[0] != 'e' && text[0] != 'E')) return std::nullopt;
  text.remove_prefix(1);
  const bool negative = text[0] == '-';
  if (text[0] == '-' || text[0] == '+') text.remove_prefix(1);
  if (text.empty() || !std::ranges::all_of(text, is_digit)) return std::nullopt;
  constexpr int kFar = 100'000'000;
  int value = 0;
  for (const char c : text) value = std::min(kFar, value * 10 + (c - '0'));
  return negative ? -value : value;
}

std::optional<Suffix> read_suffix(std::string_view text) {
  const auto known = std::ranges::find(kSuffixes, text, &Suffix::name);
  if (known != kSuffixes.end()) return *known;
  if (const auto exponent = read_exponent(text)) return Suffix{text, *exponent, 0};
  return std::nullopt;
}

/// Multiplies a number written in decimal digits by 2^binary (at most 60: one digit times that
/// and the carry stay below 2^64).
void shift(std::string& digits, int binary) {
  const std::uint64_t factor = std::uint64_t{1} << binary;
  std::uint64_t carry = 0;
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit) {
    carry += static_cast<std::uint64_t>(*digit - '0') * factor;
    *digit = static_cast<char>('0' + carry % 10);
    carry /= 10;
  }
  if (carry > 0) digits.insert(0, std::to_string(carry));
}

/// The number whose first `whole` digits stand before the point, rounded up, at most kMost.
std::uint64_t round_up(std::string_view digits, std::int64_t whole) {
  std::uint64_t value = 0;
  for (std::int64_t i = 0; i < whole; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const std::uint64_t digit =
        at < digits.size() ? static_cast<std::uint64_t>(digits[at] - '0') : 0;
    if (value > (kMost - digit) / 10) return kMost;
    value = value * 10 + digit;
    if (value == 0 && at >= digits.size()) return 0;
  }
  const auto rest = digits.substr(
      std::min(digits.size(), static_cast<std::size_t>(std::max<std::int64_t>(whole, 0))));
  const bool more = rest.find_first_not_of('0') != rest.npos;
  return more && value < kMost ? value + 1 : value;
}

Error not_a_quantity(std::string_view text) {
  return {Code::invalid,
          fmt::format("found \"{}\", expected a quantity such as 250m, 2, 1.5 or 512Mi",
                      printable(text, 64))};
}

/// `magnitude` milli-units in units of `suffix`, or nothing where that needs more than three
/// digits after the point (or any, for the binary ones).
std::optional<std::string> spell(std::uint64_t magnitude, const Suffix& suffix) {
  if (suffix.binary > 0) {
    const std::uint64_t whole = magnitude / 1000;
    if (magnitude % 1000 != 0 || whole % (std::uint64_t{1} << suffix.binary) != 0)
      return std::nullopt;
    return fmt::format("{}{}", whole >> suffix.binary, suffix.name);
  }
  std::uint64_t unit = 1;
  for (int i = -3; i < suffix.decimal; ++i) {
    if (unit > kMost / 10) return std::nullopt;
    unit *= 10;
  }
  const std::uint64_t rest = magnitude % unit;
  if (rest == 0) return fmt::format("{}{}", magnitude / unit, suffix.name);
  if (unit < 1000 || rest % (unit / 1000) != 0) return std::nullopt;
  auto fraction = fmt::format("{:03}", rest / (unit / 1000));
  fraction.erase(fraction.find_last_not_of('0') + 1);
  return fmt::format("{}.{}{}", magnitude / unit, fraction, suffix.name);
}

}  // namespace

Result<Quantity> parse_quantity(std::string_view text) {
  const auto all = text;
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const auto whole = take_digits(text);
  std::string_view fraction;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    fraction = take_digits(text);
  }
  const auto suffix = read_suffix(text);
  if ((whole.empty() && fraction.empty()) || !suffix) return fail(not_a_quantity(all));

  std::string digits{whole};
  digits += fraction;
  const auto before = digits.size();
  if (suffix->binary > 0) shift(digits, suffix->binary);
  const auto grown = static_cast<std::int64_t>(digits.size() - before);
  const auto point = static_cast<std::int64_t>(whole.size()) + grown + suffix->decimal + 3;
  const auto magnitude = static_cast<std::int64_t>(round_up(digits, point));
  return Quantity{negative ? -magnitude : magnitude};
}

std::string to_string(Quantity quantity) {
  const bool negative = quantity.milli < 0;
  const auto bits = static_cast<std::uint64_t>(quantity.milli);
  const std::uint64_t magnitude = negative ? ~bits + 1 : bits;
  if (magnitude == 0) return "0";
  std::string shortest;
  for (const auto& suffix : kSuffixes) {
    if (suffix.decimal < -3) continue;
    const auto text = spell(magnitude, suffix);
    if (text && (shortest.empty() || text->size() < shortest.size())) shortest = *text;
  }
  return negative ? "-" + shortest : shortest;
}

}  // namespace headroom
