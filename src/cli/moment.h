#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace headroom::cli {

/// A moment as people write it, in milliseconds since 1970: "14:05", "14:05:09" (today, or
/// yesterday where that is still to come), "2024-05-01 14:05[:09]" (also with a T; local time),
/// "5m ago", "-5m", "now". What names a minute or a second means its end, so that what happened
/// in it is before it.
/// Errors: invalid, saying what was found and what is expected.
Result<std::int64_t> parse_moment(std::string_view text, std::int64_t now_unix_millis);

}  // namespace headroom::cli
