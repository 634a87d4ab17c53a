#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace headroom {

/// From a unix time on a zone's clocks are so many seconds ahead of UTC.
struct ZoneOffset {
  std::int64_t from = 0;
  std::int32_t seconds = 0;
  bool operator==(const ZoneOffset&) const = default;
};

/// Unix seconds.
struct Span {
  std::int64_t from = 0;
  std::int64_t until = 0;
};

/// The offsets of an IANA time zone over a span, by the machine's database (TZDIR, else
/// /usr/share/zoneinfo): the one that holds at `span.from`, and each change after it, at most
/// 1,000. A name means what it does to Go: "" and "UTC" are UTC, "Local" is the machine's own.
/// Any thread may call it; a zone is read from disk once.
/// Errors: invalid: there is no such zone.
Result<std::vector<ZoneOffset>> zone_offsets(const std::string& name, Span span);

/// Wall-clock milliseconds since 1970 as UTC, "2024-05-01T14:05:09.123Z"; "" beyond what civil
/// time can say.
std::string utc_time(std::int64_t unix_millis);

}  // namespace headroom
