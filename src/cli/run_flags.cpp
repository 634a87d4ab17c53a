#include "cli/run_flags.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <thread>

#include <fmt/format.h>

#include "base/text.h"
#include "policy/read.h"

namespace headroom::cli {
namespace {

constexpr std::size_t kLongestName = 63;  // of a DNS label

Error wrong(std::string_view flag, std::string_view what) {
  return {Code::invalid, fmt::format("{}: {}", flag, what), {}};
}

Result<void> read_duration(const char* flag, const std::optional<std::string>& text, Millis& to) {
  if (!text) return {};
  const auto duration = parse_duration(*text);
  if (!duration) return fail(wrong(flag, duration.error().what));
  to = *duration;
  return {};
}

policy::Probe get(const std::string& path, Millis period) {
  policy::Probe probe;
  probe.http_get = policy::HttpGet{};
  probe.http_get->path = path;
  probe.period = period;
  return probe;
}

policy::Output output_of(const std::string& text) {
  policy::Output output;
  if (text == "none") {
    output.to = policy::Output::To::none;
  } else if (text != "inherit") {
    output.to = policy::Output::To::files;
    output.directory = text;
  }
  return output;
}

policy::Metric utilization(const char* resource, std::int32_t percent) {
  policy::Metric metric;
  metric.name = resource;
  metric.target.type = policy::MetricTarget::Type::utilization;
  metric.target.average_utilization = percent;
  return metric;
}

Result<policy::Process> process_of(const RunFlags& flags, const std::vector<std::string>& command) {
  policy::Process process;
  process.command = command;
  for (const auto& pair : flags.env) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail(
          wrong("--env", fmt::format("found \"{}\", expected NAME=VALUE", printable(pair))));
    }
    process.env[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  if (flags.readiness_path) process.readiness_probe = get(*flags.readiness_path, 1s);
  if (flags.liveness_path) process.liveness_probe = get(*flags.liveness_path, 10s);
  auto& grace = process.termination_grace_period;
  if (auto read = read_duration("--grace", flags.grace, grace); !read) return fail(read.error());
  auto& start = process.start_timeout;
  if (auto read = read_duration("--start-timeout", flags.start_timeout, start); !read) {
    return fail(read.error());
  }
  if (flags.output) process.output = output_of(*flags.output);
  return process;
}

/// "100ms" or "100ms@p99.9".
Result<std::optional<policy::Objective>> objective_of(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  const auto at = std::min(text->find('@'), text->size());
  policy::Objective objective;
  const auto latency = text->substr(0, at);
  if (auto read = read_duration("--objective", latency, objective.latency); !read) {
    return fail(read.error());
  }
  if (at == text->size()) return objective;
  const char* const end = text->data() + text->size();
  const char* const number = text->data() + at + (text->compare(at, 2, "@p") == 0 ? 2 : 1);
  const auto read = std::from_chars(number, end, objective.percentile);
  if (read.ec != std::errc{} || read.ptr != end) {
    return fail(wrong("--objective", fmt::format("found \"{}\", expected a latency and, after @p, "
                                                 "a percentile: 100ms@p99",
                                                 printable(*text))));
  }
  return objective;
}

Result<std::optional<policy::Concurrency>> concurrency_of(const RunFlags& flags) {
  if (flags.concurrency && flags.rps) {
    return fail(wrong("--rps", "excludes --concurrency: a replica has one target"));
  }
  if (!flags.concurrency && !flags.rps && !flags.limit && !flags.window) return std::nullopt;
  policy::Concurrency concurrency;
  if (flags.rps) {
    concurrency.metric = policy::Concurrency::Metric::rps;
    concurrency.target = flags.rps;
  } else {
    concurrency.target = flags.concurrency;
  }
  concurrency.container_concurrency = flags.limit.value_or(0);
  if (auto read = read_duration("--window", flags.window, concurrency.window); !read) {
    return fail(read.error());
  }
  return concurrency;
}

/// The writer makes sure that a text is read back as it is, so $(HOME) is written $$(HOME). In a
/// flag it was meant to be looked up: one dollar sign of those is taken away again.
std::string with_variables(std::string_view document) {
  std::string out;
  while (!document.empty()) {
    const auto dollars = std::min(document.find_first_not_of('$'), document.size());
    const auto after = document.substr(dollars);
    const bool replicas_own = after.starts_with("(PORT)") || after.starts_with("(SOCKET)");
    const bool written_more = dollars > 1 && after.starts_with('(') && !replicas_own;
    out.append(written_more ? dollars - 1 : dollars, '$');
    const auto next = std::min(after.find('$'), after.size());
    out += after.substr(0, next);
    document = after.substr(next);
  }
  return out;
}

/// As many as there are cores: more copies of a busy process than that share what there is.
std::int32_t cores() {
  return std::max(1, static_cast<std::int32_t>(std::thread::hardware_concurrency()));
}

}  // namespace

std::string name_of(const std::string& command) {
  std::string name;
  for (const char c : std::filesystem::path(command).filename().string()) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    name += upper ? static_cast<char>(c - 'A' + 'a') : kept ? c : '-';
  }
  name.erase(0, name.find_first_not_of('-'));
  name.resize(std::min(name.size(), kLongestName));
  name.erase(name.find_last_not_of('-') + 1);
  return name.empty() ? "service" : name;
}

Result<policy::Autoscaler> autoscaler_of(const RunFlags& flags,
                                         const std::vector<std::string>& command) {
  if (command.empty()) {
    return fail({Code::invalid,
                 "found no command: say what to run after \"--\", or the file of a document",
                 {}});
  }
  policy::Autoscaler autoscaler;
  autoscaler.name = flags.name.value_or(name_of(command.front()));
  auto process = process_of(flags, command);
  if (!process) return fail(process.error());
  autoscaler.target.process = std::move(*process);

  autoscaler.gateway = policy::Gateway{};
  if (flags.listen) autoscaler.gateway->listen = *flags.listen;
  if (flags.min) autoscaler.min_replicas = {*flags.min};
  autoscaler.max_replicas = {flags.max.value_or(std::max(cores(), flags.min.value_or(0)))};
  auto& cooldown = autoscaler.cooldown_period;
  if (auto read = read_duration("--cooldown", flags.cooldown, cooldown); !read) {
    return fail(read.error());
  }
  auto objective = objective_of(flags.objective);
  if (!objective) return fail(objective.error());
  autoscaler.objective = *objective;
  auto concurrency = concurrency_of(flags);
  if (!concurrency) return fail(concurrency.error());
  autoscaler.concurrency = *concurrency;
  if (flags.cpu) autoscaler.metrics.push_back(utilization("cpu", *flags.cpu));
  if (flags.memory) autoscaler.metrics.push_back(utilization("memory", *flags.memory));
  return autoscaler;
}

Result<std::string> document_of(const RunFlags& flags, const std::vector<std::string>& command) {
  const auto autoscaler = autoscaler_of(flags, command);
  if (!autoscaler) return fail(autoscaler.error());
  return with_variables(policy::write_document(*autoscaler));
}

}  // namespace headroom::cli
