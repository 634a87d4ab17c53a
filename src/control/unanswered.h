#pragma once

#include <string>

#include "base/time.h"
#include "gateway/gateway.h"

namespace headroom::control {

/// The end of a drain. Where it did not come after the service's own gateway.drain, all of Headroom
/// ended, after the longest one.
struct DrainEnd {
  Millis after;
  Millis own;
};

/// What an event says of requests that it found unanswered: "3 requests were cut: still open after
/// 2 s (gateway.drain)". Empty where there are none.
std::string said_of(const gateway::Unanswered& requests, const DrainEnd& end);

}  // namespace headroom::control
