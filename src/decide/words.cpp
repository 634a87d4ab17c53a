#include "decide/words.h"

#include <array>

#include <fmt/format.h>

namespace headroom::decide {

std::string counted(std::int64_t count, std::string_view one) {
  return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

std::string replicas(Replicas count) { return counted(count.count, "replica"); }

std::string arrow(Replicas to) { return "→ " + replicas(to); }

std::string change_of(const Decision& decision) {
  return fmt::format("{} {}", decision.current.count, arrow(decision.replicas));
}

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
