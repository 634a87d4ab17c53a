#pragma once

#include <cstdint>

#include "base/time.h"

namespace headroom::server {

/// The most replicas that an operator may ask for, whatever maxReplicas is.
constexpr std::int64_t kMostReplicas = 1'000'000;
/// The longest that an operator's word may be for.
constexpr Millis kLongestHold = 366 * 24h;

}  // namespace headroom::server
