#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace headroom::otlp {

constexpr std::size_t kMostAnswer = 64 << 10;  // bytes of a collector's answer that are read

/// What a collector did not take of what it answered 200 to.
struct Partial {
  std::int64_t rejected = 0;
  std::string message;  // printable, cut; empty: it said none
};
/// From the answer's body, JSON. None where it says nothing of that, or is no such JSON.
std::optional<Partial> read_partial(std::string_view body);

/// A Retry-After (RFC 9110, 10.2.3): seconds, or a date such as "Sun, 06 Nov 1994 08:49:37 GMT", of
/// which the time from `now` on. From 0, where that has passed, to five minutes. None: neither.
std::optional<Millis> read_retry_after(std::string_view value, std::chrono::sys_seconds now);

/// Whether the same may be sent again later (429, 502, 503, 504).
bool is_retryable(int status);

}  // namespace headroom::otlp
