#include "policy/knative.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "conformance/family.h"
#include "decide/kpa.h"
#include "decide/kpa_apply.h"
#include "decide/window.h"

namespace headroom::conformance {
namespace {

using boost::json::object;
using boost::json::value;
using decide::Activity;
using policy::KpaSettings;

constexpr double kSumsError = 1.5e-6;    // of averages: upstream keeps a running sum
constexpr double kWeightedError = 1e-9;  // relative

const value* find(const object& in, std::string_view name) {
  return in.if_contains({name.data(), name.size()});
}
double number(const object& in, std::string_view name, double otherwise = 0) {
  const value* const found = find(in, name);
  return found == nullptr ? otherwise : found->to_number<double>();
}
std::int32_t whole(const object& in, std::string_view name) {
  return static_cast<std::int32_t>(number(in, name));
}
bool flag(const object& in, std::string_view name) {
  const value* const found = find(in, name);
  return found != nullptr && found->as_bool();
}
std::string text(const object& in, std::string_view name) {
  const value* const found = find(in, name);
  return found == nullptr ? std::string() : std::string(found->as_string());
}
Millis duration(double seconds) { return Millis(std::llround(seconds * 1000)); }
/// Slots of 2 s and buckets of 1 s begin with the case.
Instant at(double seconds) { return Instant{duration(seconds)}; }

policy::Strings strings(const object& spec, std::string_view name) {
  policy::Strings made;
  if (const value* const found = find(spec, name)) {
    for (const auto& [key, text] : found->as_object()) made[key] = std::string(text.as_string());
  }
  return made;
}

void expect_number(const object& want, std::string_view name, double ours, const std::string& path,
                   Differences& differences) {
  if (number(want, name) == ours) return;
  differences.push_back(
      fmt::format("{}.{}: upstream {}, ours {}", path, name, number(want, name), ours));
}
void expect_text(const object& want, std::string_view name, std::string_view ours,
                 const std::string& path, Differences& differences) {
  if (text(want, name) == ours) return;
  differences.push_back(
      fmt::format("{}.{}: upstream {}, ours {}", path, name, text(want, name), ours));
}

void expect_average(double upstream, double ours, bool weighted, const std::string& path,
                    Differences& differences) {
  const double allowed = weighted ? kWeightedError * std::abs(upstream) : kSumsError;
  if (std::abs(upstream - ours) <= allowed) return;
  differences.push_back(fmt::format("{}: upstream {}, ours {}", path, upstream, ours));
}

/// An answer, or that there is none.
void expect_answer(const object& want, const std::optional<decide::KpaAnswer>& answer,
                   const std::string& path, Differences& differences) {
  if (flag(want, "valid") != answer.has_value()) {
    differences.push_back(path + (answer ? ".valid: upstream false" : ".valid: upstream true"));
  }
  expect_number(want, "desired", answer ? answer->desired.count : 0, path, differences);
  expect_number(want, "excessBurst", answer ? answer->excess_burst : 0, path, differences);
}

KpaSettings scale_settings(const object& spec) {
  KpaSettings settings;
  settings.target = number(spec, "target");
  settings.total = number(spec, "total");
  settings.target_burst_capacity = number(spec, "targetBurstCapacity");
  settings.panic_threshold = number(spec, "panicThreshold");
  settings.window = duration(number(spec, "window"));
  settings.max_scale_up_rate = number(spec, "maxScaleUpRate");
  settings.max_scale_down_rate = number(spec, "maxScaleDownRate");
  settings.scale_down_delay = duration(number(spec, "scaleDownDelay"));
  settings.activation_scale = whole(spec, "activationScale");
  settings.reachable = flag(spec, "reachable");
  return settings;
}

void play_scale(const object& spec, const boost::json::array& steps, Differences& differences) {
  KpaSettings settings = scale_settings(spec);
  decide::KpaMemory memory;
  decide::kpa_start(whole(spec, "initialReady"), at(0), memory);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const object& step = steps[i].as_object();
    if (find(step, "reachable") != nullptr) settings.reachable = flag(step, "reachable");
    settings.target = number(step, "target", settings.target);
    std::optional<decide::KpaAnswer> answer;
    if (!flag(step, "noData") && !flag(step, "metricError") && !flag(step, "readyError")) {
      const std::int32_t ready = flag(step, "readyNotFound") ? 0 : whole(step, "ready");
      answer = decide::kpa_decide(settings,
                                  {number(step, "stable"), number(step, "panic"), ready, ready},
                                  at(number(step, "t")), memory);
    }
    expect_answer(step.at("want").as_object(), answer, fmt::format("steps[{}]", i), differences);
  }
}

void play_window(const object& spec, const boost::json::array& steps, Differences& differences) {
  const bool weighted = text(spec, "algorithm") == "weightedExponential";
  decide::Window window;
  decide::resize(window, whole(spec, "window"), 0);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const object& step = steps[i].as_object();
    const std::string path = fmt::format("steps[{}]", i);
    const std::int64_t now = decide::second_of(at(number(step, "t")));
    if (find(step, "resize") != nullptr) decide::resize(window, whole(step, "resize"), now);
    if (const value* const samples = find(step, "record")) {
      for (const auto& sample : samples->as_array()) {
        decide::add(window, decide::second_of(at(number(sample.as_object(), "at"))),
                    number(sample.as_object(), "value"));
      }
    }
    const object& want = step.at("want").as_object();
    expect_average(number(want, "average"), decide::average(window, weighted, now), weighted,
                   path + ".average", differences);
    if (flag(want, "empty") != decide::empty(window, now)) {
      differences.push_back(path + ".empty: differs");
    }
  }
}

/// What the case's configuration and annotations give; `refused` names the one that is wrong.
std::optional<KpaSettings> read_settings(const object& spec, std::string& refused) {
  const auto cluster = policy::read_knative_cluster(strings(spec, "config"));
  if (!cluster) {
    refused = "configRefused";
    return std::nullopt;
  }
  const auto settings = policy::read_knative_revision(
      *cluster, {.annotations = strings(spec, "annotations"),
                 .container_concurrency = whole(spec, "containerConcurrency"),
                 .reachable = text(spec, "reachability") != "Unreachable"});
  if (!settings) {
    refused = "annotationsRefused";
    return std::nullopt;
  }
  return *settings;
}

void play_settings(const object& spec, const boost::json::array& steps, Differences& differences) {
  const object& want = steps.at(0).as_object().at("want").as_object();
  std::string refused;
  const auto settings = read_settings(spec, refused);
  for (const std::string name : {"configRefused", "annotationsRefused"}) {
    if (flag(want, name) != (refused == name)) {
      differences.push_back(fmt::format("{}: upstream {}", name, flag(want, name)));
    }
  }
  if (!settings || !differences.empty()) return;
  const auto equal = [&](const char* name, double ours) {
    expect_number(want, name, ours, "want", differences);
  };
  const auto seconds = [](Millis duration) { return static_cast<double>(duration.count()) / 1000; };
  expect_text(want, "metric", settings->rps ? "rps" : "concurrency", "want", differences);
  expect_text(want, "algorithm", settings->weighted ? "weightedExponential" : "linear", "want",
              differences);
  equal("target", settings->target);
  equal("total", settings->total);
  equal("window", seconds(settings->window));
  equal("panicWindow", seconds(settings->panic_window));
  equal("panicThreshold", settings->panic_threshold);
  equal("scaleDownDelay", seconds(settings->scale_down_delay));
  equal("targetBurstCapacity", settings->target_burst_capacity);
  equal("minScale", settings->min_scale.count);
  equal("maxScale", settings->max_scale.count);
  equal("initialScale", settings->initial_scale.count);
  equal("activationScale", settings->activation_scale);
  if (flag(want, "reachable") != settings->reachable) differences.push_back("reachable: differs");
}

/// Both windows of the metric in use.
struct Measured {
  const KpaSettings& settings;
  decide::Window stable = {}, panic = {};

  explicit Measured(const KpaSettings& by) : settings(by) {
    decide::resize(stable, settings.window / 1s, 0);
    decide::resize(panic, settings.panic_window / 1s, 0);
  }
  void record(const object& step, std::string_view source, std::int64_t second) {
    const value* const found = find(step, source);
    if (found == nullptr) return;
    const object& report = found->as_object();
    const double value = settings.rps
                             ? number(report, "requests") - number(report, "proxiedRequests")
                             : number(report, "concurrency") - number(report, "proxiedConcurrency");
    decide::add(stable, second, value);
    decide::add(panic, second, value);
  }
};

void play_pipeline(const object& spec, const boost::json::array& steps, Differences& differences) {
  std::string refused;
  const auto settings = read_settings(spec, refused);
  if (!settings) {
    differences.push_back(refused);
    return;
  }
  Measured measured(*settings);
  decide::KpaMemory memory;
  decide::kpa_start(whole(spec, "initialReady"), at(0), memory);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const object& step = steps[i].as_object();
    const std::string path = fmt::format("steps[{}]", i);
    const Instant now = at(number(step, "t"));
    const std::int64_t second = decide::second_of(now);
    // With a negative burst capacity upstream scrapes nothing.
    if (settings->target_burst_capacity >= 0) measured.record(step, "scrape", second);
    measured.record(step, "activator", second);
    const value* const want = find(step, "want");
    if (want == nullptr) continue;
    const bool none = decide::empty(measured.stable, second);
    std::optional<decide::KpaAnswer> answer;
    const double stable = decide::average(measured.stable, settings->weighted, second);
    const double panic = decide::average(measured.panic, settings->weighted, second);
    // ... and there no data is a zero.
    if (!none || settings->target_burst_capacity < 0) {
      const std::int32_t ready = whole(step, "ready");
      answer = decide::kpa_decide(*settings, {stable, panic, ready, ready}, now, memory);
    }
    expect_answer(want->as_object(), answer, path, differences);
    if (const value* const averages = find(step, "averages")) {
      const auto& both = averages->as_array();
      expect_average(both.at(0).to_number<double>(), stable, settings->weighted, path + ".stable",
                     differences);
      expect_average(both.at(1).to_number<double>(), panic, settings->weighted, path + ".panic",
                     differences);
    }
  }
}

constexpr std::array<std::string_view, 3> kActivities = {"Inactive", "Activating", "Active"};

void play_apply(const object& spec, const boost::json::array& steps, Differences& differences) {
  std::string refused;
  const auto settings = read_settings(spec, refused);
  if (!settings) {
    differences.push_back(refused);
    return;
  }
  const object& step = steps.at(0).as_object();
  const object& want = step.at("want").as_object();
  const Instant now{24h};
  decide::Applied applied;
  applied.replicas = {whole(step, "replicas")};
  applied.activity = static_cast<Activity>(std::ranges::find(kActivities, text(step, "state")) -
                                           kActivities.begin());
  applied.activity_since = now - duration(number(step, "stateFor"));
  applied.initialised = flag(step, "initialised");
  applied.proxied = text(step, "mode") == "Proxy";
  applied.proxied_since = now - duration(number(step, "proxyFor"));
  decide::ToApply what{.desired = {},
                       .excess_burst = whole(step, "excessBurst"),
                       .ready = whole(step, "ready"),
                       .activator_answers = flag(step, "activatorAnswers"),
                       .progress_deadline = duration(number(spec, "progressDeadline"))};
  if (whole(step, "desired") >= 0) what.desired = Replicas{whole(step, "desired")};
  decide::apply(*settings, what, now, applied);
  expect_number(want, "replicas", applied.replicas.count, "want", differences);
  expect_number(want, "activators", decide::activators(*settings, what.ready), "want", differences);
  expect_text(want, "state", kActivities.at(static_cast<std::size_t>(applied.activity)), "want",
              differences);
  expect_text(want, "mode", applied.proxied ? "Proxy" : "Serve", "want", differences);
  if (flag(want, "initialised") != applied.initialised) {
    differences.push_back("want.initialised: differs");
  }
}

}  // namespace

Differences play_knative(const object& sample) {
  using Kind = void (*)(const object&, const boost::json::array&, Differences&);
  constexpr std::array<std::pair<std::string_view, Kind>, 5> kKinds = {{{"scale", play_scale},
                                                                        {"window", play_window},
                                                                        {"settings", play_settings},
                                                                        {"pipeline", play_pipeline},
                                                                        {"apply", play_apply}}};
  Differences differences;
  const std::string kind = text(sample, "kind");
  const auto found = std::ranges::find(kKinds, kind, &std::pair<std::string_view, Kind>::first);
  if (found == kKinds.end()) return {"a kind that is not known: " + kind};
  found->second(sample.at("spec").as_object(), sample.at("steps").as_array(), differences);
  return differences;
}

}  // namespace headroom::conformance
