#include "cli/screen.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"
#include "base/time.h"
#include "cli/admin.h"
#include "cli/print.h"

namespace headroom::cli {
namespace {

using boost::json::value;

int count_at(const value& of, std::string_view pointer) {
  return static_cast<int>(number_at(of, pointer).value_or(0));
}

template <class Say>
std::string known(const std::optional<double>& number, Say say) {
  return number ? say(*number) : "-";
}

/// "14.2 of 21": what there is, and what the ready replicas are meant for.
std::string load_of(const value& autoscaler) {
  const bool by_rate = text_at(autoscaler, "/target/of") == "rate";
  const auto load = number_at(autoscaler, by_rate ? "/load/rate" : "/load/concurrency");
  const auto target = number_at(autoscaler, "/target/value");
  if (!load) return "-";
  if (!target) return amount(*load);
  const double capacity = *target * number_at(autoscaler, "/replicas/ready").value_or(0);
  return fmt::format("{} of {}{}", amount(*load), amount(capacity), by_rate ? "/s" : "");
}

std::optional<double> sum(const value& autoscaler, std::string_view pointer) {
  std::optional<double> all;
  for (const auto& each : list_at(autoscaler, "/instances")) {
    if (const auto one = number_at(each, pointer)) all = all.value_or(0) + *one;
  }
  return all;
}

std::string state_of(const value& autoscaler) {
  if (const auto why = text_at(autoscaler, "/hold/why"); !why.empty()) {
    return why == "pause" || why == "paused" ? "paused" : "pinned";
  }
  if (count_at(autoscaler, "/replicas/backingOff") > 0) return "failing";
  if (count_at(autoscaler, "/replicas/wanted") == 0) return "at zero";
  if (count_at(autoscaler, "/replicas/ready") != count_at(autoscaler, "/replicas/wanted")) {
    return "scaling";
  }
  return "steady";
}

/// "98.2% in 100ms, of 99%", of the last minutes.
std::string objective_of(const value& autoscaler) {
  const auto latency = number_at(autoscaler, "/objective/latencyMs");
  if (!latency) return "-";
  const auto wanted = number_at(autoscaler, "/objective/percentile").value_or(0);
  const auto share = number_at(autoscaler, "/objective/recent/share");
  const auto within = to_string(Millis(static_cast<std::int64_t>(*latency)));
  if (!share) return fmt::format("- in {}, of {}%", within, wanted);
  // Cut, not rounded: 98.96% is not 99%.
  return fmt::format("{:.2f}% in {}, of {}%{}", std::floor(*share * 1e4) / 100, within, wanted,
                     *share * 100 < wanted ? ": missed" : "");
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

std::string headline(const boost::json::array& autoscalers, const std::string& now) {
  int wanted = 0;
  int ready = 0;
  for (const auto& each : autoscalers) {
    wanted += count_at(each, "/replicas/wanted");
    ready += count_at(each, "/replicas/ready");
  }
  return fmt::format("headroom  {}   {} autoscaler{}, {} of {} replicas ready", now,
                     autoscalers.size(), autoscalers.size() == 1 ? "" : "s", ready, wanted);
}

}  // namespace

std::string services_table(const boost::json::array& autoscalers) {
  std::vector<Row> rows;
  Row heads{"NAME", "READY", "RANGE", "LOAD", "WAIT", "RATE/S", "P99", "CPU", "MEM", "STATE"};
  const bool held_against = std::ranges::any_of(autoscalers, [](const value& each) {
    return number_at(each, "/objective/latencyMs").has_value();
  });
  if (held_against) heads.emplace_back("OBJECTIVE");
  for (const auto& each : autoscalers) {
    rows.push_back(
        {text_at(each, "/name"),
         fmt::format("{}/{}", count_at(each, "/replicas/ready"),
                     count_at(each, "/replicas/wanted")),
         fmt::format("{}..{}", count_at(each, "/minReplicas"), count_at(each, "/maxReplicas")),
         load_of(each), known(number_at(each, "/load/waiting"), amount),
         known(number_at(each, "/load/rate"), amount),
         known(number_at(each, "/latency/p99Ms"), [](double ms) { return amount(ms) + "ms"; }),
         known(sum(each, "/cpu"), [](double cores) { return fmt::format("{:.2f}", cores); }),
         known(sum(each, "/memory"), memory), state_of(each)});
    if (held_against) rows.back().push_back(objective_of(each));
  }
  return table(heads, rows);
}

std::string replicas_table(const value& autoscaler) {
  std::vector<Row> rows;
  for (const auto& each : list_at(autoscaler, "/instances")) {
    const auto pid = count_at(each, "/pid");
    rows.push_back(
        {fmt::format("{}", count_at(each, "/id")), text_at(each, "/state"),
         pid > 0 ? fmt::format("{}", pid) : "-", known(number_at(each, "/ageMs"), age),
         fmt::format("{}", count_at(each, "/restarts")),
         known(number_at(each, "/cpu"), [](double cores) { return fmt::format("{:.2f}", cores); }),
         known(number_at(each, "/memory"), memory),
         fmt::format("{}", count_at(each, "/outstanding"))});
  }
  return table({"REPLICA", "STATE", "PID", "AGE", "RESTARTS", "CPU", "MEM", "OPEN"}, rows);
}

std::string why(const value& autoscaler) {
  const auto name = text_at(autoscaler, "/name");
  const auto reason = text_at(autoscaler, "/decision/reason");
  return fmt::format("{}: {}", name, reason.empty() ? "nothing decided yet" : reason);
}

std::vector<std::string> draw(const boost::json::array& autoscalers,
                              const std::vector<journal::Event>& events, const std::string& now,
                              Screen screen) {
  std::vector<std::string> lines{headline(autoscalers, now), ""};
  const auto add = [&lines](const std::string& text) {
    for (auto& line : lines_of(text)) lines.push_back(std::move(line));
  };
  add(services_table(autoscalers));
  if (autoscalers.size() == 1) {
    add("\n" + why(autoscalers.front()) + "\n\n" + replicas_table(autoscalers.front()));
  }
  // What happened last gets a third at least.
  const auto most = screen.rows - std::min(screen.rows, std::max<std::size_t>(screen.rows / 3, 4));
  if (!events.empty() && lines.size() > most) {
    const auto hidden = lines.size() - most + 1;
    lines.resize(most - std::min<std::size_t>(most, 1));
    lines.push_back(fmt::format("… {} more lines: a taller window shows them", hidden));
  }
  if (!events.empty()) lines.emplace_back();
  for (const auto& event : events) {
    if (lines.size() >= screen.rows) break;
    const auto time = local_time(event.unix_ms);
    lines.push_back(fmt::format("{}  {}  {}", time.substr(time.find(' ') + 1), event.autoscaler,
                                printable(event.text, journal::kEventBytes)));
  }
  lines.resize(std::min(lines.size(), screen.rows));
  for (auto& line : lines) line = fitted(line, screen.columns);
  return lines;
}

}  // namespace headroom::cli
