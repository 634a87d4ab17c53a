#include "formula/operators.h"

#include <compare>
#include <limits>

#include <fmt/format.h>

#include "formula/go_number.h"

namespace headroom::formula {
namespace {

std::string_view spelling(Op op) {
  switch (op) {
    case Op::add:
      return "+";
    case Op::subtract:
    case Op::negate:
      return "-";
    case Op::multiply:
      return "*";
    case Op::divide:
      return "/";
    case Op::modulo:
      return "%";
    case Op::power:
      return "**";
    default:
      return "?";
  }
}

bool refuse(Op op, const Datum& a, const Datum& b, std::string& why) {
  why = fmt::format("{} cannot be applied to {} and {}", spelling(op), kind_name(a), kind_name(b));
  return false;
}

Datum on_integers(Op op, std::int64_t a, std::int64_t b) {
  if (op == Op::add) return wrapping_add(a, b);
  if (op == Op::subtract) return wrapping_subtract(a, b);
  return wrapping_multiply(a, b);
}

double on_numbers(Op op, double a, double b) {
  if (op == Op::add) return a + b;
  if (op == Op::subtract) return a - b;
  return a * b;
}

Time moved(Time time, std::int64_t nanos) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  std::int64_t rest = time.nanos + nanos % kSecond;
  time.seconds += nanos / kSecond;
  if (rest < 0) {
    rest += kSecond;
    --time.seconds;
  } else if (rest >= kSecond) {
    rest -= kSecond;
    ++time.seconds;
  }
  time.nanos = static_cast<std::int32_t>(rest);
  return time;
}

/// Go's Sub: what does not fit is the longest there is.
Duration between(const Time& a, const Time& b) {
  const std::int64_t seconds = a.seconds - b.seconds;
  std::int64_t nanos = 0;
  if (__builtin_mul_overflow(seconds, std::int64_t{1'000'000'000}, &nanos) ||
      __builtin_add_overflow(nanos, std::int64_t{a.nanos} - b.nanos, &nanos)) {
    return {seconds > 0 ? std::numeric_limits<std::int64_t>::max()
                        : std::numeric_limits<std::int64_t>::min()};
  }
  return {nanos};
}

/// A duration with another or with a number.
bool on_duration(Op op, const Datum& a, const Datum& b, Datum& out) {
  const auto* left = std::get_if<Duration>(&a);
  const auto* right = std::get_if<Duration>(&b);
  if (left != nullptr && right != nullptr) {
    out = Duration{std::get<std::int64_t>(on_integers(op, left->nanos, right->nanos))};
    return true;
  }
  if (op != Op::multiply) return false;
  const Datum& other = left != nullptr ? b : a;
  const std::int64_t nanos = left != nullptr ? left->nanos : right->nanos;
  if (const auto* integer = std::get_if<std::int64_t>(&other)) {
    out = Duration{wrapping_multiply(nanos, *integer)};
    return true;
  }
  if (const auto* number = std::get_if<double>(&other)) {
    out = static_cast<double>(nanos) * *number;  // a number, as upstream has it
    return true;
  }
  return false;
}

bool on_time(Op op, const Datum& a, const Datum& b, Datum& out) {
  const auto* left = std::get_if<Time>(&a);
  const auto* right = std::get_if<Time>(&b);
  if (left != nullptr && right != nullptr) {
    if (op != Op::subtract) return false;
    out = between(*left, *right);
    return true;
  }
  const auto* duration = std::get_if<Duration>(left != nullptr ? &b : &a);
  if (duration == nullptr || op == Op::multiply || (op == Op::subtract && left == nullptr)) {
    return false;
  }
  const std::int64_t nanos =
      op == Op::subtract ? wrapping_subtract(0, duration->nanos) : duration->nanos;
  out = moved(left != nullptr ? *left : *right, nanos);
  return true;
}

/// + - *
bool combine(Op op, const Datum& a, const Datum& b, Datum& out, std::string& why) {
  const auto* left = std::get_if<std::int64_t>(&a);
  const auto* right = std::get_if<std::int64_t>(&b);
  if (left != nullptr && right != nullptr) {
    out = on_integers(op, *left, *right);
    return true;
  }
  double x = 0;
  double y = 0;
  if (as_number(a, x) && as_number(b, y)) {
    out = on_numbers(op, x, y);
    return true;
  }
  const bool time = std::holds_alternative<Time>(a) || std::holds_alternative<Time>(b);
  const bool duration = std::holds_alternative<Duration>(a) || std::holds_alternative<Duration>(b);
  if (time ? on_time(op, a, b, out) : duration && on_duration(op, a, b, out)) return true;
  return refuse(op, a, b, why);
}

bool modulo(const Datum& a, const Datum& b, Datum& out, std::string& why) {
  const auto* left = std::get_if<std::int64_t>(&a);
  const auto* right = std::get_if<std::int64_t>(&b);
  if (left == nullptr || right == nullptr) return refuse(Op::modulo, a, b, why);
  if (*right == 0) {
    why = "integer divided by zero";
    return false;
  }
  out = *right == -1 ? 0 : *left % *right;  // the least integer % -1 overflows in C++
  return true;
}

bool negate(const Datum& a, Datum& out, std::string& why) {
  if (const auto* integer = std::get_if<std::int64_t>(&a)) {
    out = wrapping_subtract(0, *integer);
    return true;
  }
  if (const auto* number = std::get_if<double>(&a)) {
    out = -*number;
    return true;
  }
  why = fmt::format("- cannot be applied to {}", kind_name(a));
  return false;
}

template <class T>
bool decide(Op op, const T& a, const T& b) {
  if (op == Op::less) return a < b;
  if (op == Op::more) return a > b;
  if (op == Op::at_most) return a <= b;
  return a >= b;
}

bool equal_lists(const List& a, const List& b, bool strict, Effort& effort) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!effort.spend(1)) return false;
    if (!(strict ? same(a.at(i), b.at(i), effort) : equal(a.at(i), b.at(i), effort))) return false;
  }
  return true;
}

bool equal_maps(const Map& a, const Map& b, Effort& effort) {
  if (a.entries().size() != b.entries().size()) return false;
  for (const auto& [key, value] : a.entries()) {
    bool found = false;
    for (const auto& [other, its] : b.entries()) {
      if (!effort.spend(1)) return false;
      if (same(key, other, effort)) {
        found = same(value, its, effort);
        break;
      }
    }
    if (!found) return false;
  }
  return true;
}

std::pair<std::int64_t, std::int32_t> instant(const Time& time) {
  return {time.seconds, time.nanos};
}

}  // namespace

bool calculate(Op op, const Datum& a, const Datum& b, Datum& out, std::string& why) {
  switch (op) {
    case Op::add:
    case Op::subtract:
    case Op::multiply:
      return combine(op, a, b, out, why);
    case Op::divide:
    case Op::power: {
      double x = 0;
      double y = 0;
      if (!as_number(a, x) || !as_number(b, y)) return refuse(op, a, b, why);
      out = op == Op::divide ? x / y : go_power(x, y);
      return true;
    }
    case Op::modulo:
      return modulo(a, b, out, why);
    case Op::negate:
      return negate(a, out, why);
    default:
      out = a;
      return true;
  }
}

bool compare(Op op, const Datum& a, const Datum& b, bool& out) {
  if (a.index() == b.index()) {
    if (const auto* integer = std::get_if<std::int64_t>(&a)) {
      out = decide(op, *integer, std::get<std::int64_t>(b));
      return true;
    }
    if (const auto* text = std::get_if<Text>(&a)) {
      out = decide(op, **text, *std::get<Text>(b));
      return true;
    }
    if (const auto* time = std::get_if<Time>(&a)) {
      out = decide(op, instant(*time), instant(std::get<Time>(b)));
      return true;
    }
    if (const auto* duration = std::get_if<Duration>(&a)) {
      out = decide(op, duration->nanos, std::get<Duration>(b).nanos);
      return true;
    }
  }
  double x = 0;
  double y = 0;
  if (!as_number(a, x) || !as_number(b, y)) return false;
  out = decide(op, x, y);
  return true;
}

bool equal(const Datum& a, const Datum& b, Effort& effort) {
  if (a.index() != b.index()) {
    double x = 0;
    double y = 0;
    return as_number(a, x) && as_number(b, y) && x == y;
  }
  if (const auto* list = std::get_if<ListRef>(&a)) {
    return equal_lists(**list, *std::get<ListRef>(b), false, effort);
  }
  return same(a, b, effort);
}

bool same(const Datum& a, const Datum& b, Effort& effort) {
  if (a.index() != b.index()) return false;
  if (const auto* list = std::get_if<ListRef>(&a)) {
    return equal_lists(**list, *std::get<ListRef>(b), true, effort);
  }
  if (const auto* map = std::get_if<MapRef>(&a)) {
    return equal_maps(**map, *std::get<MapRef>(b), effort);
  }
  if (const auto* text = std::get_if<Text>(&a)) return **text == *std::get<Text>(b);
  if (const auto* time = std::get_if<Time>(&a)) return instant(*time) == instant(std::get<Time>(b));
  if (const auto* number = std::get_if<double>(&a)) return *number == std::get<double>(b);
  if (const auto* integer = std::get_if<std::int64_t>(&a)) {
    return *integer == std::get<std::int64_t>(b);
  }
  if (const auto* flag = std::get_if<bool>(&a)) return *flag == std::get<bool>(b);
  if (const auto* duration = std::get_if<Duration>(&a)) {
    return duration->nanos == std::get<Duration>(b).nanos;
  }
  if (const auto* month = std::get_if<Month>(&a)) return month->number == std::get<Month>(b).number;
  if (const auto* day = std::get_if<Weekday>(&a)) {
    return day->number == std::get<Weekday>(b).number;
  }
  return true;  // nil, $env
}

bool as_integer(const Datum& datum, std::int64_t& out) {
  if (const auto* integer = std::get_if<std::int64_t>(&datum)) {
    out = *integer;
    return true;
  }
  const auto* number = std::get_if<double>(&datum);
  if (number == nullptr) return false;
  out = go_integer(*number);
  return true;
}

}  // namespace headroom::formula
