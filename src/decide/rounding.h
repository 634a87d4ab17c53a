#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "base/units.h"

namespace headroom::decide {

/// A double as a count, held inside 0 and what 32 bits take; not a number is 0.
inline Replicas to_replicas(double value) {
  if (!(value > 0)) return {0};
  constexpr double kMost = std::numeric_limits<std::int32_t>::max();
  return {value >= kMost ? std::numeric_limits<std::int32_t>::max()
                         : static_cast<std::int32_t>(value)};
}
inline Replicas ceil_replicas(double value) { return to_replicas(std::ceil(value)); }

/// Sums, products and quotients of milli-units stop at what 64 bits take.
inline std::int64_t add(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return a > 0 ? std::numeric_limits<std::int64_t>::max()
               : std::numeric_limits<std::int64_t>::min();
}
inline std::int64_t multiply(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  if (!__builtin_mul_overflow(a, b, &product)) return product;
  return (a > 0) == (b > 0) ? std::numeric_limits<std::int64_t>::max()
                            : std::numeric_limits<std::int64_t>::min();
}
/// Cut toward zero; `b` is not 0.
inline std::int64_t divide(std::int64_t a, std::int64_t b) {
  return b == -1 ? multiply(a, -1) : a / b;
}

}  // namespace headroom::decide
