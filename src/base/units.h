#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace headroom {

/// A count of replicas. Never negative in a valid policy, observation or decision.
struct Replicas {
  std::int32_t count = 0;
  auto operator<=>(const Replicas&) const = default;
};

/// Thousandths of the metric's unit: Kubernetes' "250m" is {250}.
struct Quantity {
  std::int64_t milli = 0;
  auto operator<=>(const Quantity&) const = default;
};

/// Reads a Kubernetes quantity: sign, decimal, and one of n u m "" k M G T P E,
/// Ki Mi Gi Ti Pi Ei, or a decimal exponent e3/E3. Rounds away from zero to
/// milli-units; magnitudes are capped at 2^63-1 rather than wrapped.
/// Errors: Code::invalid, saying what was found.
/// Source: spec of resource.Quantity in k8s.io/apimachinery.
Result<Quantity> parse_quantity(std::string_view text);

/// The shortest spelling with the same value: {250} is "250m", {2000} is "2".
std::string to_string(Quantity quantity);

}  // namespace headroom
