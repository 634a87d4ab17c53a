#include "decide/words.h"

#include <array>
#include <cmath>

#include <fmt/format.h>

namespace headroom::decide {

std::string number(double value) {
  const double magnitude = std::abs(value);
  const int digits = magnitude >= 100 ? 0 : magnitude >= 10 ? 1 : magnitude >= 1 ? 2 : 3;
  std::string text = fmt::format("{:.{}f}", value, digits);
  if (text.find('.') == std::string::npos) return text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

std::string seconds(Millis duration) {
  return number(std::chrono::duration<double>(duration).count()) + " s";
}

std::string span_of(double seconds) {
  constexpr double kMost = 1e15;
  if (!(seconds >= 120) || seconds > kMost) return number(seconds) + " s";
  const auto whole = static_cast<std::int64_t>(seconds);
  const auto two = [](std::int64_t large, const char* unit, std::int64_t small, const char* rest) {
    return fmt::format("{} {}", large, unit) +
           (small == 0 ? "" : fmt::format(" {} {}", small, rest));
  };
  if (whole < 3600) return two(whole / 60, "min", whole % 60, "s");
  return two(whole / 3600, "h", whole / 60 % 60, "min");
}

std::string replicas(Replicas count) {
  return fmt::format("{} replica{}", count.count, count.count == 1 ? "" : "s");
}

std::string arrow(Replicas to) { return "→ " + replicas(to); }

std::string bytes(Quantity quantity) {
  static constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(quantity.milli) / 1000;
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return number(value) + " " + kUnits[unit];
}

std::string said(const Absent& absent) {
  static constexpr std::array kNames = {"unreachable", "timeout",  "no data",
                                        "not finite",  "negative", "stale"};
  const char* reason = kNames[static_cast<std::size_t>(absent.reason)];
  const auto answer = absent.answer.text();
  return answer.empty() ? reason : fmt::format("{} ({})", reason, answer);
}

const char* word(Step::Stage stage) {
  static constexpr std::array kStages = {"recommend", "combine", "activate", "stabilise", "limit"};
  return kStages[static_cast<std::size_t>(stage)];
}

}  // namespace headroom::decide
