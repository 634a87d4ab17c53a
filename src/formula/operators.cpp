#include "formula/operators.h"

#include <array>

#include <fmt/format.h>

#include "formula/go_number.h"

namespace headroom::formula {
namespace {

std::string_view spelling(Op op) {
  constexpr std::array<std::string_view, 6> kSpelling = {"+", "-", "*", "/", "%", "**"};
  return kSpelling[static_cast<std::size_t>(op) - static_cast<std::size_t>(Op::add)];
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

template <class T>
bool decide(Op op, const T& a, const T& b) {
  if (op == Op::less) return a < b;
  if (op == Op::more) return a > b;
  if (op == Op::at_most) return a <= b;
  return a >= b;
}

bool equal_lists(const List& a, const List& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!equal(a.at(i), b.at(i))) return false;
  }
  return true;
}

}  // namespace

bool calculate(Op op, const Datum& a, const Datum& b, Datum& out, std::string& why) {
  if (op == Op::modulo) return modulo(a, b, out, why);
  if (op != Op::divide && op != Op::power) return combine(op, a, b, out, why);
  double x = 0;
  double y = 0;
  if (!as_number(a, x) || !as_number(b, y)) return refuse(op, a, b, why);
  out = op == Op::divide ? x / y : go_power(x, y);
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
  }
  double x = 0;
  double y = 0;
  if (!as_number(a, x) || !as_number(b, y)) return false;
  out = decide(op, x, y);
  return true;
}

bool equal(const Datum& a, const Datum& b) {
  double x = 0;
  double y = 0;
  if (a.index() != b.index()) return as_number(a, x) && as_number(b, y) && x == y;
  if (const auto* number = std::get_if<double>(&a)) return *number == std::get<double>(b);
  if (const auto* integer = std::get_if<std::int64_t>(&a)) {
    return *integer == std::get<std::int64_t>(b);
  }
  if (const auto* text = std::get_if<Text>(&a)) return **text == *std::get<Text>(b);
  if (const auto* list = std::get_if<ListRef>(&a)) {
    return equal_lists(**list, *std::get<ListRef>(b));
  }
  if (const auto* flag = std::get_if<bool>(&a)) return *flag == std::get<bool>(b);
  if (const auto* duration = std::get_if<Duration>(&a)) {
    return duration->nanos == std::get<Duration>(b).nanos;
  }
  if (const auto* time = std::get_if<Time>(&a)) return time->seconds == std::get<Time>(b).seconds;
  return true;  // nil
}

bool as_integer(const Datum& datum, std::int64_t& out) {
  if (const auto* integer = std::get_if<std::int64_t>(&datum)) {
    out = *integer;
    return true;
  }
  const auto* number = std::get_if<double>(&datum);
  if (number == nullptr) return false;
  out = cut_to_integer(*number);
  return true;
}

}  // namespace headroom::formula
