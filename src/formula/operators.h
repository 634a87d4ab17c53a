#pragma once

#include <string>

#include "formula/datum.h"
#include "formula/tree.h"

/// expr's operators on values of any kind.
namespace headroom::formula {

/// + - * / % **. False: `why` says what is wrong.
bool calculate(Op op, const Datum& a, const Datum& b, Datum& out, std::string& why);

/// The unary -, as `calculate`.
bool negate(const Datum& a, Datum& out, std::string& why);

/// < > <= >=; numbers with numbers, strings with strings. False: cannot be compared.
bool compare(Op op, const Datum& a, const Datum& b, bool& out);

/// ==: 1 and 1.0 are equal; lists by their elements.
bool equal(const Datum& a, const Datum& b);

/// A number as a double; false for everything else.
inline bool as_number(const Datum& datum, double& out) {
  if (const auto* number = std::get_if<double>(&datum)) {
    out = *number;
    return true;
  }
  if (const auto* integer = std::get_if<std::int64_t>(&datum)) {
    out = static_cast<double>(*integer);
    return true;
  }
  return false;
}

/// A number as an integer, cut toward zero; false for everything else.
bool as_integer(const Datum& datum, std::int64_t& out);

}  // namespace headroom::formula
