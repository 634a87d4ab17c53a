#include "base/log.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <mutex>

#include <unistd.h>

#include "base/repeats.h"
#include "base/text.h"
#include "base/writer.h"
#include "base/zone.h"

namespace headroom::log {
namespace {

using std::chrono::steady_clock;

// What may wait for a reader. What replicas print leaves room for our own lines.
constexpr std::size_t kMost = 1 << 20, kMostOfReplicas = kMost - (128 << 10);

bool wants_colours() {
  const char* const none = std::getenv("NO_COLOR");
  return none == nullptr || *none == '\0';
}

/// What is called here takes `mutex` held.
struct Log {
  void put(std::string line, std::size_t most);
  void write(Level of, std::string_view message);
  void say_left_out();
  std::string line_of(Level of, std::string_view message) const;
  std::string line_of(const ReplicaLine& line) const;

  std::atomic<Level> level = Level::info;
  std::mutex mutex;
  Format format = Format::text;
  Repeats repeats;
  Writer writer{STDERR_FILENO};
  long dropped = 0;
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  const bool coloured = terminal && wants_colours();
};

Log& the_log() {
  static Log* const made = new Log;  // leaked: threads may log while statics are being destroyed
  return *made;
}

const char* word(Level level) {
  constexpr const char* kWords[] = {"debug", "info", "warn", "error"};
  return kWords[static_cast<std::size_t>(level)];
}

/// As wide as the longest, so that what follows stands in a column.
std::string column(Level level, bool coloured) {
  constexpr const char* kColours[] = {"36", "32", "1;33", "1;31"};
  auto text = fmt::format("{:<5}", word(level));
  if (!coloured) return text;
  return fmt::format("\x1b[{}m{}\x1b[0m", kColours[static_cast<std::size_t>(level)], text);
}

/// In quotes, as JSON and logfmt have them: what is no UTF-8 is U+FFFD.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const auto bytes = character_bytes(text);
    const auto character = text.substr(0, std::max<std::size_t>(bytes, 1));
    text.remove_prefix(character.size());
    if (bytes == 0) {
      out += "\xEF\xBF\xBD";
    } else if (character == "\n") {
      out += "\\n";
    } else if (is_control(character)) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(character.back()));
    } else {
      if (character == "\"" || character == "\\") out += '\\';
      out += character;
    }
  }
  return out + '"';
}

/// Tabs stay: they steer nothing.
std::string harmless(std::string_view text) {
  std::string out;
  for (auto tab = text.find('\t'); tab != std::string_view::npos; tab = text.find('\t')) {
    out += printable(text.substr(0, tab), 4 * tab) + '\t';  // nothing is cut
    text.remove_prefix(tab + 1);
  }
  return out + printable(text, 4 * text.size());
}

std::int64_t now_millis() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

std::string Log::line_of(Level of, std::string_view message) const {
  const auto now = now_millis();
  if (format == Format::text) {
    return fmt::format("{}.{:03} {} {}\n", local_time(now).substr(11), now % 1000,
                       column(of, coloured), message);
  }
  if (format == Format::logfmt) {
    return fmt::format("time={} level={} msg={}\n", utc_time(now), word(of), quoted(message));
  }
  return fmt::format("{{\"time\":\"{}\",\"level\":\"{}\",\"msg\":{}}}\n", utc_time(now), word(of),
                     quoted(message));
}

std::string Log::line_of(const ReplicaLine& line) const {
  const auto& [autoscaler, replica, stream, text] = line;
  if (format == Format::text) {
    return fmt::format("{}/{} | {}\n", autoscaler, replica,
                       terminal ? harmless(text) : std::string(text));
  }
  const auto time = utc_time(now_millis());
  if (format == Format::logfmt) {
    return fmt::format("time={} level=info autoscaler={} replica={} stream={} msg={}\n", time,
                       autoscaler, replica, stream, quoted(text));
  }
  return fmt::format(
      "{{\"time\":\"{}\",\"level\":\"info\",\"autoscaler\":{},\"replica\":{},\"stream\":\"{}\","
      "\"msg\":{}}}\n",
      time, quoted(autoscaler), replica, stream, quoted(text));
}

void Log::put(std::string line, std::size_t most) {
  if (dropped > 0) {
    line.insert(0, line_of(Level::warn,
                           fmt::format("{} lines dropped: stderr takes them too slowly", dropped)));
  }
  dropped = writer.add(line, most) ? 0 : dropped + 1;
}

void Log::write(Level of, std::string_view message) { put(line_of(of, message), kMost); }

void Log::say_left_out() {
  for (const auto& [last, count] : repeats.take_forgotten()) {
    write(Level::warn, fmt::format("{} ({} such lines were left out)", last, count));
  }
}

}  // namespace

void write(Level level, std::string_view message) {
  auto& log = the_log();
  if (level < log.level) return;
  const std::lock_guard lock(log.mutex);
  const auto left_out = log.repeats.pass(message, steady_clock::now());
  log.say_left_out();
  if (!left_out) return;
  if (*left_out == 0) return log.write(level, message);
  log.write(level, fmt::format("{} ({} such lines were left out)", message, *left_out));
}

void pass_on(const ReplicaLine& line) {
  auto& log = the_log();
  const std::lock_guard lock(log.mutex);
  log.put(log.line_of(line), kMostOfReplicas);
}

void set_level(Level level) { the_log().level = level; }

Level level() { return the_log().level; }

void set_format(Format format) {
  auto& log = the_log();
  const std::lock_guard lock(log.mutex);
  log.format = format;
}

Format format() {
  auto& log = the_log();
  const std::lock_guard lock(log.mutex);
  return log.format;
}

void start_thread() { the_log().writer.start(); }

void finish(Millis most) {
  auto& log = the_log();
  const auto until = steady_clock::now() + most;
  {
    const std::lock_guard lock(log.mutex);
    log.repeats.forget_all();
    log.say_left_out();
  }
  log.writer.flush(until);
  {
    const std::lock_guard lock(log.mutex);
    if (log.dropped > 0) log.put("", kMost);
  }
  log.writer.flush(until);
}

}  // namespace headroom::log
