#include "base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

namespace headroom::log {
namespace {

spdlog::logger& logger() {
  // Leaked on purpose: threads may log while statics are being destroyed.
  static spdlog::logger* const made = [] {
    auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
    auto* logger = new spdlog::logger("headroom", std::move(sink));
    logger->set_pattern("%H:%M:%S.%e %^%-5l%$ %v");
    return logger;
  }();
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

}  // namespace

void write(Level level, std::string_view message) {
  logger().log(level_of(level), spdlog::string_view_t(message.data(), message.size()));
}

void set_level(Level level) { logger().set_level(level_of(level)); }

}  // namespace headroom::log
