#pragma once

#include <string_view>

#include <fmt/format.h>

namespace headroom::log {

enum class Level { debug, info, warn, error };

/// Writes one line to stderr: time, level, message. Thread-safe; never throws.
void write(Level level, std::string_view message);
/// Lines below this level are dropped. Default: info.
void set_level(Level level);

template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::debug, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::info, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::warn, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::error, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace headroom::log
