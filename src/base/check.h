#pragma once

#include <string_view>

namespace headroom {

/// Stops the process where one of our own assumptions is wrong, in release too.
/// Never for input: input gets an Error.
[[noreturn]] void check_failed(std::string_view what, const char* file, int line);

// The builtins, since the clang that builds the fuzzers (14) has no std::source_location.
inline void check(bool holds, std::string_view what, const char* file = __builtin_FILE(),
                  int line = __builtin_LINE()) {
  if (!holds) [[unlikely]]
    check_failed(what, file, line);
}

}  // namespace headroom
