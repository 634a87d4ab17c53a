#include "base/log.h"

#include <chrono>
#include <mutex>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "base/repeats.h"
#include "base/zone.h"

namespace headroom::log {
namespace {

struct Log {
  Log() : logger("headroom", std::make_shared<spdlog::sinks::stderr_color_sink_mt>()) {
    logger.set_pattern("%H:%M:%S.%e %^%-5l%$ %v");
  }
  spdlog::logger logger;
  std::mutex mutex;
  Format format = Format::text;
  Repeats repeats;
};

Log& the_log() {
  static Log* const made = new Log;  // leaked: threads may log while statics are being destroyed
  return *made;
}

spdlog::level::level_enum level_of(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warn:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

const char* word(Level level) {
  constexpr const char* kWords[] = {"debug", "info", "warn", "error"};
  return kWords[static_cast<std::size_t>(level)];
}

/// In quotes, as JSON and logfmt have them.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", c);
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string utc_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return utc_time(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

std::string line_of(Format format, Level level, const std::string& message) {
  if (format == Format::text) return message;
  if (format == Format::logfmt) {
    return fmt::format("time={} level={} msg={}", utc_now(), word(level), quoted(message));
  }
  return fmt::format(R"({{"time":"{}","level":"{}","msg":{}}})", utc_now(), word(level),
                     quoted(message));
}

}  // namespace

void write(Level level, std::string_view message) {
  auto& log = the_log();
  if (!log.logger.should_log(level_of(level))) return;
  std::string text(message);
  Format format{};
  {
    const std::lock_guard lock(log.mutex);
    const auto left_out = log.repeats.pass(message, std::chrono::steady_clock::now());
    if (!left_out) return;
    if (*left_out > 0) text += fmt::format(" ({} such lines were left out)", *left_out);
    format = log.format;
  }
  const auto line = line_of(format, level, text);
  log.logger.log(level_of(level), spdlog::string_view_t(line.data(), line.size()));
}

void set_level(Level level) { the_log().logger.set_level(level_of(level)); }

Level level() {
  const auto now = the_log().logger.level();
  for (const auto each : {Level::debug, Level::info, Level::warn}) {
    if (level_of(each) == now) return each;
  }
  return Level::error;
}

void set_format(Format format) {
  auto& log = the_log();
  const std::lock_guard lock(log.mutex);
  log.format = format;
  if (format != Format::text) log.logger.set_pattern("%v");
}

}  // namespace headroom::log
