#include "formula/go_number.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/check.h"

namespace headroom::formula {
namespace {

constexpr double kTwoTo63 = 9223372036854775808.0;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }
bool is_hex(char c) { return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f'); }

bool same_ignoring_case(std::string_view text, std::string_view lowered) {
  return std::ranges::equal(text, lowered, {}, lower);
}

/// Underscores stand between digits only (or after 0x); `text` has no sign.
bool underscores_fit(std::string_view text, bool hex) {
  const auto digit = [&](std::size_t i) {
    return i < text.size() && (hex ? is_hex(text[i]) : is_digit(text[i]));
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool first = hex && i == 2;
    if (text[i] == '_' && !(digit(i + 1) && (first || digit(i - 1)))) return false;
  }
  return true;
}

struct Mantissa {
  std::string digits;    // without underscores
  bool zero = true;      // no digit but 0
  std::int64_t top = 0;  // the power of the base above the first digit that is not 0
};

/// Digits with at most one point; advances `at`. False: no digit at all, or two points.
bool scan_mantissa(std::string_view text, bool hex, std::size_t& at, Mantissa& out) {
  bool point = false;
  bool any = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '_') continue;
    if (c == '.') {
      if (point) return false;
      point = true;
      out.digits += c;
      continue;
    }
    if (!(hex ? is_hex(c) : is_digit(c))) break;
    any = true;
    out.digits += c;
    if (out.zero && c == '0') {
      if (point) --out.top;
    } else {
      out.zero = false;
      if (!point) ++out.top;
    }
  }
  return any;
}

/// The exponent's digits after e or p, with a sign; at most a few millions count.
bool scan_exponent(std::string_view text, std::size_t& at, std::string& digits,
                   std::int64_t& value) {
  constexpr std::int64_t kEnough = 1'000'000;
  bool negative = false;
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) {
    negative = text[at++] == '-';
  }
  if (at >= text.size() || !is_digit(text[at])) return false;
  for (; at < text.size() && (is_digit(text[at]) || text[at] == '_'); ++at) {
    if (text[at] != '_') value = std::min(value * 10 + (text[at] - '0'), kEnough);
  }
  if (negative) value = -value;
  digits = std::to_string(value);
  return true;
}

std::optional<double> read_special(std::string_view text, double sign, bool has_sign) {
  if (same_ignoring_case(text, "inf") || same_ignoring_case(text, "infinity")) {
    return sign * std::numeric_limits<double>::infinity();
  }
  if (!has_sign && same_ignoring_case(text, "nan")) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  return std::nullopt;
}

}  // namespace

std::optional<double> read_go_float(std::string_view text) {
  double sign = 1;
  if (text.starts_with('-')) sign = -1;
  const bool has_sign = sign < 0 || text.starts_with('+');
  if (has_sign) text.remove_prefix(1);
  if (const auto special = read_special(text, sign, has_sign)) return special;
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  std::size_t at = hex ? 2 : 0;
  Mantissa mantissa;
  if (!scan_mantissa(text, hex, at, mantissa)) return std::nullopt;
  std::int64_t exponent = 0;
  if (at < text.size() && lower(text[at]) == (hex ? 'p' : 'e')) {
    std::string digits;
    if (!scan_exponent(text, ++at, digits, exponent)) return std::nullopt;
    mantissa.digits += (hex ? 'p' : 'e') + digits;
  } else if (hex) {
    return std::nullopt;  // Go wants the exponent there
  }
  if (at != text.size() || !underscores_fit(text, hex)) return std::nullopt;
  if (mantissa.zero) return sign * 0.0;
  double value = 0;
  const char* end = mantissa.digits.data() + mantissa.digits.size();
  const auto read = std::from_chars(mantissa.digits.data(), end, value,
                                    hex ? std::chars_format::hex : std::chars_format::general);
  if (read.ec == std::errc::result_out_of_range) {
    // from_chars does not say which end: too small is 0 in Go, too large is an error.
    if ((hex ? 4 : 1) * mantissa.top + exponent > 0) return std::nullopt;
    return sign * 0.0;
  }
  headroom::check(read.ptr == end, "what was scanned is a number");
  return sign * value;
}

std::optional<std::int64_t> read_go_integer(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  std::int64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

namespace {

struct Unit {
  std::string_view name;
  double nanos;
};
constexpr std::array kUnits = {
    Unit{"ns", 1},   Unit{"us", 1e3}, Unit{"µs", 1e3}, Unit{"μs", 1e3},
    Unit{"ms", 1e6}, Unit{"s", 1e9},  Unit{"m", 60e9}, Unit{"h", 3600e9},
};

/// One "1.5h" at the front of `text`, which it removes. Whole and fraction apart: a long
/// duration in nanoseconds has more digits than a double.
std::optional<std::int64_t> take_part(std::string_view& text) {
  std::size_t at = 0;
  std::uint64_t whole = 0;
  double fraction = 0;
  double scale = 1;
  bool any = false;
  for (; at < text.size() && is_digit(text[at]); ++at, any = true) {
    if (whole > (1ULL << 63) / 10) return std::nullopt;
    whole = whole * 10 + static_cast<std::uint64_t>(text[at] - '0');
  }
  if (at < text.size() && text[at] == '.') {
    for (++at; at < text.size() && is_digit(text[at]); ++at, any = true) {
      scale /= 10;
      fraction += scale * (text[at] - '0');
    }
  }
  if (!any) return std::nullopt;
  std::size_t end = at;
  while (end < text.size() && text[end] != '.' && !is_digit(text[end])) ++end;
  const auto* unit = std::ranges::find(kUnits, text.substr(at, end - at), &Unit::name);
  if (unit == kUnits.end()) return std::nullopt;
  text.remove_prefix(end);
  const auto nanos = static_cast<std::uint64_t>(unit->nanos);
  if (whole > (1ULL << 63) / nanos) return std::nullopt;
  // A little more than half a unit in the last place, so that 0.1 s is 100,000,000 ns.
  const std::uint64_t sum =
      whole * nanos + static_cast<std::uint64_t>(fraction * unit->nanos + 1e-6);
  if (sum >= 1ULL << 63) return std::nullopt;
  return static_cast<std::int64_t>(sum);
}

}  // namespace

std::optional<std::int64_t> read_duration(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return 0;
  if (text.empty()) return std::nullopt;
  std::int64_t total = 0;
  while (!text.empty()) {
    const auto part = take_part(text);
    if (!part || *part > std::numeric_limits<std::int64_t>::max() - total) return std::nullopt;
    total += *part;
  }
  return negative ? -total : total;
}

std::string go_spelling(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 64> buffer{};
  const auto scientific = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                        std::chars_format::scientific);
  const std::string_view text(buffer.data(),
                              static_cast<std::size_t>(scientific.ptr - buffer.data()));
  int exponent = 0;
  const char* digits = text.data() + text.find('e') + 1;
  if (*digits == '+') ++digits;
  std::from_chars(digits, text.data() + text.size(), exponent);
  if (exponent < -4 || exponent > 5) return std::string(text);
  std::array<char, 64> plain{};
  const auto fixed =
      std::to_chars(plain.data(), plain.data() + plain.size(), value, std::chars_format::fixed);
  return {plain.data(), fixed.ptr};
}

namespace {

bool is_odd(double value) {
  // From 2^53 on every double is even.
  return std::abs(value) < 9007199254740992.0 && std::fmod(std::abs(value), 2) == 1;
}

/// Where one side is zero or infinite.
std::optional<double> power_at_edges(double base, double exponent) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (base == 0) {
    if (exponent < 0) return is_odd(exponent) ? std::copysign(kInfinity, base) : kInfinity;
    return is_odd(exponent) ? base : 0;
  }
  if (std::isinf(exponent) || std::abs(exponent) >= kTwoTo63) {
    if (base == -1) return 1;
    return (std::abs(base) < 1) == (exponent > 0) ? 0 : kInfinity;
  }
  if (std::isinf(base)) {
    if (base < 0) return power_at_edges(1 / base, -exponent);
    return exponent < 0 ? 0 : kInfinity;
  }
  return std::nullopt;
}

}  // namespace

double go_power(double base, double exponent) {
  if (exponent == 0 || base == 1) return 1;
  if (exponent == 1) return base;
  if (std::isnan(base) || std::isnan(exponent)) return std::numeric_limits<double>::quiet_NaN();
  if (const auto edge = power_at_edges(base, exponent)) return *edge;
  if (exponent == 0.5) return std::sqrt(base);
  if (exponent == -0.5) return 1 / std::sqrt(base);
  double whole = 0;
  double fraction = std::modf(std::abs(exponent), &whole);
  if (fraction != 0 && base < 0) return std::numeric_limits<double>::quiet_NaN();
  double result = 1;
  int result_exponent = 0;
  if (fraction != 0) {
    if (fraction > 0.5) {
      fraction -= 1;
      whole += 1;
    }
    result = std::exp(fraction * std::log(base));
  }
  int square_exponent = 0;
  double square = std::frexp(base, &square_exponent);
  for (auto bits = static_cast<std::int64_t>(whole); bits != 0; bits >>= 1) {
    // Beyond this the result is 0 or infinite, and the exponent's shift would overflow.
    if (square_exponent < -4096 || square_exponent > 4096) {
      result_exponent += square_exponent;
      break;
    }
    if ((bits & 1) == 1) {
      result *= square;
      result_exponent += square_exponent;
    }
    square *= square;
    square_exponent *= 2;
    if (square < 0.5) {
      square += square;
      --square_exponent;
    }
  }
  if (exponent < 0) {
    result = 1 / result;
    result_exponent = -result_exponent;
  }
  return std::ldexp(result, result_exponent);
}

std::int64_t cut_to_integer(double value) {
  if (value >= -kTwoTo63 && value < kTwoTo63) return static_cast<std::int64_t>(value);
  return std::numeric_limits<std::int64_t>::min();
}

std::int64_t wrapping_add(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
std::int64_t wrapping_subtract(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}
std::int64_t wrapping_multiply(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}

}  // namespace headroom::formula
