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

}  // namespace headroom::decide
