#pragma once

#include <source_location>
#include <string_view>

namespace headroom {

/// Stops the process where one of our own assumptions is wrong, in release too.
/// Never for input: input gets an Error.
[[noreturn]] void check_failed(std::string_view what, std::source_location at);

inline void check(bool holds, std::string_view what,
                  std::source_location at = std::source_location::current()) {
  if (!holds) [[unlikely]]
    check_failed(what, at);
}

}  // namespace headroom
