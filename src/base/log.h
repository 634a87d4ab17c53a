#pragma once

#include <cstdint>
#include <string_view>

#include <fmt/format.h>

#include "base/time.h"

/// All that goes to stderr while a service runs: our own lines and what replicas print, through one
/// queue (Writer), so that a reader that stands still stops nobody and no two lines mix. What finds
/// the queue full is dropped and counted.

namespace headroom::log {

enum class Level { debug, info, warn, error };

enum class Format { text, logfmt, json };

/// Writes one line: time, level, message. Of a kind that floods it, some are left out
/// and counted (Repeats). Thread-safe.
void write(Level level, std::string_view message);
/// What a replica printed. A view: borrowed for the call.
struct ReplicaLine {
  std::string_view autoscaler;
  std::uint64_t replica = 0;
  std::string_view stream;  // stdout or stderr
  std::string_view text;    // any bytes but a newline
};
/// In text "autoscaler/replica | text", on a terminal with what would steer it made harmless; in
/// the other formats a line like ours with its fields. Whatever the level. Thread-safe.
void pass_on(const ReplicaLine& line);
/// Lines below this level are dropped. Default: info.
void set_level(Level level);
Level level();
/// Default: text, with local times and, on a terminal, colours. The others have UTC.
void set_format(Format format);
Format format();
/// From now on a thread of its own writes, and nobody waits for stderr. Not before a fork. Until
/// then a line waits a fifth of a second at most.
void start_thread();
/// Before the end, an _exit() too: says what was left out and waits until all is written, at most
/// so long.
void finish(Millis most);
inline constexpr Millis kLastWords{1000};

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
