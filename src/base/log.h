#pragma once

#include <string_view>

#include <fmt/format.h>

namespace headroom::log {

enum class Level { debug, info, warn, error };

enum class Format { text, logfmt, json };

/// Writes one line to stderr: time, level, message. Of a kind that floods it, some are left out
/// and counted (Repeats). Thread-safe.
void write(Level level, std::string_view message);
/// Lines below this level are dropped. Default: info.
void set_level(Level level);
Level level();
/// Default: text, with local times and, on a terminal, colours. The others have UTC.
void set_format(Format format);

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
