#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace headroom::cli {

/// A moment as people write it, in milliseconds since 1970: "14:05", "14:05:09[.5]" (today, or
/// yesterday where that is still to come), "2024-05-01 14:05[:09[.5]]" (also with a T; local time
/// but where it ends with Z or an offset such as +02:00), "5m ago", "-5m", "now". What names a
/// minute or a second means its end, so that what happened in it is before it.
/// Errors: invalid, saying what was found and what is expected.
Result<std::int64_t> parse_moment(std::string_view text, std::int64_t now_unix_millis);

struct Period {
  std::optional<std::int64_t> since, until;  // milliseconds since 1970
};
/// --since and --until, each a moment or "", from the begin of the one to the end of the other.
/// A time of day as --until that would be before --since is the next one: it may be to come.
/// Errors: invalid (no moment, or --until is before --since), naming the flag.
Result<Period> parse_period(std::string_view since, std::string_view until,
                            std::int64_t now_unix_millis);

}  // namespace headroom::cli
