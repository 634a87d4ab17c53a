#include "cli/screen.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"
#include "base/time.h"
#include "cli/admin.h"
#include "cli/print.h"
#include "decide/words.h"

namespace headroom::cli {
namespace {

using boost::json::value;

constexpr std::size_t kShortName = 16;
constexpr std::size_t kLongestReason = 2048;

int count_at(const value& of, std::string_view pointer) {
  return static_cast<int>(number_at(of, pointer).value_or(0));
}

template <class Say>
std::string known(const std::optional<double>& number, Say say) {
  return number ? say(*number) : "-";
}

struct Load {
  std::optional<double> now, capacity;  // capacity: what the ready replicas are meant for
  bool by_rate;
};

Load load_of(const value& autoscaler) {
  const bool by_rate = text_at(autoscaler, "/target/of") == "rate";
  Load load{number_at(autoscaler, by_rate ? "/load/rate" : "/load/concurrency"),
            number_at(autoscaler, "/target/value"), by_rate};
  if (load.capacity) *load.capacity *= count_at(autoscaler, "/replicas/ready");
  return load;
}

/// "14.2 of 21".
std::string load_text(const value& autoscaler) {
  const auto [now, capacity, by_rate] = load_of(autoscaler);
  if (!now) return "-";
  if (!capacity) return amount(*now);
  return fmt::format("{} of {}{}", amount(*now), amount(*capacity), by_rate ? "/s" : "");
}

std::optional<double> sum(const value& autoscaler, std::string_view pointer) {
  std::optional<double> all;
  for (const auto& each : list_at(autoscaler, "/instances")) {
    if (const auto one = number_at(each, pointer)) all = all.value_or(0) + *one;
  }
  return all;
}

/// "98.2% in 100ms, of 99%: missed", of the last minutes; `brief`: "98.2% missed".
std::string objective_of(const value& autoscaler, bool brief) {
  const auto latency = number_at(autoscaler, "/objective/latencyMs");
  if (!latency) return "-";
  const auto wanted = number_at(autoscaler, "/objective/percentile").value_or(0);
  const auto missed = true_at(autoscaler, "/objective/missed");
  const auto share = number_at(autoscaler, "/objective/recent/share");
  const auto within = to_string(Millis(static_cast<std::int64_t>(*latency)));
  // Cut, not rounded: 98.96% is not 99%.
  const auto kept = share ? fmt::format("{:.2f}%", std::floor(*share * 1e4) / 100) : "-";
  if (brief) return kept + (missed ? " missed" : "");
  return fmt::format("{} in {}, of {}%{}", kept, within, wanted, missed ? ": missed" : "");
}

/// ", failing (3 requests failed in the last minute)", or nothing.
std::string what_is_wrong(const value& autoscaler) {
  const auto mood = text_at(autoscaler, "/state/mood");
  if (mood != "bad" && mood != "warning") return "";
  return fmt::format(", {} ({})", text_at(autoscaler, "/state/name"),
                     text_at(autoscaler, "/state/why"));
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
  return fmt::format("headroom  {}   {}, {} of {} replicas ready", now,
                     decide::counted(std::ssize(autoscalers), "autoscaler"), ready, wanted);
}

Row service_row(const value& each) {
  return {
      text_at(each, "/name"),
      fmt::format("{}/{}", count_at(each, "/replicas/ready"), count_at(each, "/replicas/wanted")),
      fmt::format("{}..{}", count_at(each, "/minReplicas"), count_at(each, "/maxReplicas")),
      load_text(each),
      known(number_at(each, "/load/waiting"), amount),
      known(number_at(each, "/load/rate"), amount),
      known(number_at(each, "/latency/p99Ms"), latency),
      known(sum(each, "/cpu"), [](double cores) { return fmt::format("{:.2f}", cores); }),
      known(sum(each, "/memory"), memory),
      text_at(each, "/state/name")};
}

std::vector<Row> service_rows(const boost::json::array& autoscalers, bool brief) {
  std::vector<Row> rows{
      {"NAME", "READY", "RANGE", "LOAD", "WAIT", "RATE/S", "P99", "CPU", "MEM", "STATE"}};
  for (const auto& each : autoscalers) rows.push_back(service_row(each));
  const bool held_against = std::ranges::any_of(autoscalers, [](const value& each) {
    return number_at(each, "/objective/latencyMs").has_value();
  });
  if (!held_against) return rows;
  rows.front().emplace_back("OBJECTIVE");
  for (std::size_t i = 0; i < autoscalers.size(); ++i) {
    rows[i + 1].push_back(objective_of(autoscalers[i], brief));
  }
  return rows;
}

void leave_out(std::vector<Row>& rows, std::string_view head) {
  const auto at = std::ranges::find(rows.front(), head) - rows.front().begin();
  for (auto& row : rows) row.erase(row.begin() + at);
}

/// How wide they are beside their first column.
std::size_t width_of_rest(const std::vector<Row>& rows) {
  const auto widths = widths_of(rows);
  return std::accumulate(widths.begin() + 1, widths.end(), 2 * (widths.size() - 1));
}

/// What happened, under each other: the first lines of each.
std::vector<std::string> happened(const std::vector<journal::Event>& events, Screen screen) {
  constexpr std::size_t kLinesOfOne = 4;
  std::size_t names = 0;
  for (const auto& event : events) names = std::max(names, width(event.autoscaler));
  names = std::min(names, kShortName);
  std::vector<std::string> lines;
  for (const auto& event : events) {
    const auto head = fmt::format("{}  {}  ", time_of_day(event.unix_ms),
                                  padded(fitted(printable(event.autoscaler), names), names));
    auto told =
        wrapped(head + printable(event.text, journal::kEventBytes), screen.columns, width(head));
    if (told.size() > kLinesOfOne) {
      told.resize(kLinesOfOne);
      told.back() = fitted(told.back() + " …", screen.columns);
    }
    for (auto& line : told) lines.push_back(std::move(line));
    if (lines.size() >= screen.rows) break;
  }
  lines.resize(std::min(lines.size(), screen.rows));
  return lines;
}

}  // namespace

std::vector<Row> services(const boost::json::array& autoscalers) {
  return service_rows(autoscalers, false);
}

std::string services_table(const boost::json::array& autoscalers) {
  return table(services(autoscalers));
}

std::string services_table(const boost::json::array& autoscalers, std::size_t columns) {
  auto rows = services(autoscalers);
  const auto names = std::min(widths_of(rows).front(), kShortName);
  const auto fits = [&] { return names + width_of_rest(rows) <= columns; };
  if (!fits()) rows = service_rows(autoscalers, true);
  for (const auto* head : {"MEM", "CPU", "RANGE", "P99", "RATE/S", "WAIT", "LOAD"}) {
    if (!fits()) leave_out(rows, head);
  }
  const auto left = columns - std::min(columns, width_of_rest(rows));
  for (auto& row : rows) row.front() = fitted(row.front(), std::max<std::size_t>(left, 1));
  return table(rows);
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

std::string refused_document(const value& state) {
  const auto why = printable(text_at(state, "/documentRefused"), kLongestReason);
  return why.empty() ? "" : "the document is refused, what ran before goes on: " + why;
}

std::string why(const value& autoscaler) {
  const auto name = text_at(autoscaler, "/name");
  const auto reason = printable(text_at(autoscaler, "/decision/reason"), kLongestReason);
  return fmt::format("{}{}: {}", name, what_is_wrong(autoscaler),
                     reason.empty() ? "nothing decided yet" : reason);
}

std::vector<std::string> draw(const boost::json::array& autoscalers,
                              const std::vector<journal::Event>& events, const std::string& now,
                              Screen screen) {
  std::vector<std::string> lines{headline(autoscalers, now), ""};
  const auto add = [&lines](const std::string& text) {
    for (auto& line : lines_of(text)) lines.push_back(std::move(line));
  };
  add(services_table(autoscalers, screen.columns));
  if (autoscalers.size() == 1) {
    const auto reason = wrapped(why(autoscalers.front()), screen.columns, 2);
    add(fmt::format("\n{}\n\n{}", fmt::join(reason, "\n"), replicas_table(autoscalers.front())));
  }
  // What happened last gets a third at least.
  const auto most = screen.rows - std::min(screen.rows, std::max<std::size_t>(screen.rows / 3, 4));
  if (!events.empty() && lines.size() > most) {
    const auto hidden = lines.size() - most + 1;
    lines.resize(most - std::min<std::size_t>(most, 1));
    lines.push_back(fmt::format("… {} more lines: a taller window shows them", hidden));
  }
  if (!events.empty()) lines.emplace_back();
  const auto left = screen.rows - std::min(screen.rows, lines.size());
  for (auto& line : happened(events, {screen.columns, left})) lines.push_back(std::move(line));
  lines.resize(std::min(lines.size(), screen.rows));
  for (auto& line : lines) line = fitted(line, screen.columns);
  return lines;
}

}  // namespace headroom::cli
