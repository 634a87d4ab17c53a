#include "policy/knative.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "base/text.h"
#include "formula/modifiers.h"
#include "policy/trigger_syntax.h"

namespace headroom::policy {
namespace {

using Nanos = std::chrono::nanoseconds;

constexpr double kLeastTarget = 0.01;
constexpr double kRpsUtilisation = 0.7;  // no key of the config map changes it
constexpr std::int32_t kMostConcurrency = 1000;
constexpr Nanos kShortestWindow = 6s;
constexpr Nanos kLongestWindow = 1h;
constexpr std::string_view kKpa = "kpa.autoscaling.knative.dev";
constexpr std::string_view kHpa = "hpa.autoscaling.knative.dev";

bool parse(std::string_view text, std::int32_t& value) {
  using Limits = std::numeric_limits<std::int32_t>;
  const auto number = go_integer(text);
  if (!number || *number < Limits::min() || *number > Limits::max()) return false;
  value = static_cast<std::int32_t>(*number);
  return true;
}

bool parse(std::string_view text, double& value) {
  const auto number = formula::read_go_float(text);
  value = number.value_or(INFINITY);
  return std::isfinite(value);
}

bool parse(std::string_view text, bool& value) {
  const auto flag = go_bool(text);
  value = flag.value_or(false);
  return flag.has_value();
}

bool parse(std::string_view text, Nanos& value) {
  const auto duration = go_signed_duration(text);
  value = Nanos(duration.value_or(0));
  return duration.has_value();
}

/// "min-scale" as "minScale"; the newest of them never had another name.
std::string camel_case(std::string_view name) {
  if (name == "activation-scale") return std::string(name);
  std::string made;
  for (std::size_t i = 0; i < name.size(); ++i) {
    made += name[i] == '-' ? static_cast<char>(name[++i] - 'a' + 'A') : name[i];
  }
  return made;
}

constexpr std::array<std::string_view, 15> kSettings = {"class",
                                                        "metric",
                                                        "target",
                                                        "target-utilization-percentage",
                                                        "target-burst-capacity",
                                                        "window",
                                                        "panic-window-percentage",
                                                        "panic-threshold-percentage",
                                                        "min-scale",
                                                        "max-scale",
                                                        "initial-scale",
                                                        "activation-scale",
                                                        "scale-down-delay",
                                                        "scale-to-zero-pod-retention-period",
                                                        "metric-aggregation-algorithm"};

/// Values by name.
class Values {
 public:
  Values(const Strings& strings, bool aliases) : strings_(strings), aliases_(aliases) {}

  /// What stands under the name or, where there is none, under its alias.
  const std::string* find(std::string_view name) const {
    const auto found = entry(name);
    return found == strings_.end() ? nullptr : &found->second;
  }
  /// Into `value`, which stays where there is none. Whether there was one.
  template <class T>
  bool read(std::string_view name, T& value) {
    const std::string* const text = find(name);
    if (text == nullptr) return false;
    T read{};
    if (!parse(*text, read)) {
      complain(name, expected(read));
      return false;
    }
    value = read;
    return true;
  }
  void require(bool holds, std::string_view name, std::string_view what) {
    if (!holds) complain(name, what);
  }
  /// What is wrong, each name once.
  const std::vector<KnativeProblem>& problems() const { return problems_; }

 private:
  static const char* expected(double) { return "a number"; }
  static const char* expected(std::int32_t) { return "a whole number of 32 bits"; }
  static const char* expected(bool) { return "true or false"; }
  static const char* expected(Nanos) { return "a duration such as 1m30s"; }

  Strings::const_iterator entry(std::string_view name) const {
    const auto found = strings_.find(name);
    return found == strings_.end() && aliases_ ? strings_.find(camel_case(name)) : found;
  }
  void complain(std::string_view name, std::string_view what) {
    const auto found = entry(name);
    const bool there = found != strings_.end();
    KnativeProblem problem{
        there ? found->first : std::string(name),
        fmt::format("found {}, expected {}",
                    there ? "\"" + printable(found->second) + "\"" : "nothing", what)};
    if (std::ranges::find(problems_, problem.name, &KnativeProblem::name) == problems_.end()) {
      problems_.push_back(std::move(problem));
    }
  }

  const Strings& strings_;
  bool aliases_;
  std::vector<KnativeProblem> problems_;
};

/// Up to the next millisecond: a period that is not 0 stays one.
Millis millis(Nanos duration) { return std::chrono::ceil<Millis>(duration); }
bool whole_seconds(Nanos duration) { return duration % Nanos(1s) == Nanos{0}; }

/// Burst capacity, windows, delays: the same in annotations and config, but for the names.
struct Names {
  std::string_view window;
  Nanos longest;  // of delays
};

void read_durations(Values& values, const Names& names, KpaSettings& settings) {
  Nanos window = settings.window;
  Nanos delay = settings.scale_down_delay;
  Nanos retention = settings.retention;
  if (values.read(names.window, window)) {
    values.require(window >= kShortestWindow && window <= kLongestWindow && whole_seconds(window),
                   names.window, "whole seconds from 6s to 1h");
  }
  if (values.read("scale-down-delay", delay)) {
    values.require(delay >= Nanos{0} && delay <= names.longest && whole_seconds(delay),
                   "scale-down-delay", "whole seconds, of an annotation at most 1h");
  }
  if (values.read("scale-to-zero-pod-retention-period", retention)) {
    values.require(retention >= Nanos{0} && retention <= names.longest,
                   "scale-to-zero-pod-retention-period",
                   "no negative duration, of an annotation at most 1h");
  }
  settings.window = millis(window);
  settings.scale_down_delay = millis(delay);
  settings.retention = millis(retention);
}

void read_burst_capacity(Values& values, KpaSettings& settings) {
  double& capacity = settings.target_burst_capacity;
  if (values.read("target-burst-capacity", capacity)) {
    values.require(capacity >= 0 || capacity == -1, "target-burst-capacity", "at least 0, or -1");
  }
}

void read_panic_window(Values& values, double& percentage) {
  if (values.read("panic-window-percentage", percentage)) {
    values.require(percentage >= 1 && percentage <= 100, "panic-window-percentage", "1 to 100");
  }
}

void read_cluster_scales(Values& values, KnativeCluster& cluster) {
  auto& settings = cluster.settings;
  values.read("min-scale", settings.min_scale.count);
  values.read("max-scale", settings.max_scale.count);
  values.read("max-scale-limit", cluster.max_scale_limit);
  values.read("initial-scale", settings.initial_scale.count);
  values.read("allow-zero-initial-scale", cluster.allow_zero_initial_scale);
  values.read("enable-scale-to-zero", settings.scale_to_zero);
  const std::int32_t min = settings.min_scale.count;
  const std::int32_t max = settings.max_scale.count;
  const std::int32_t limit = cluster.max_scale_limit;
  values.require(limit >= 0, "max-scale-limit", "at least 0");
  values.require(max >= (limit > 0 ? 1 : 0) && (limit <= 0 || max <= limit), "max-scale",
                 "at least 0, and 1 to max-scale-limit where that is set");
  values.require(min >= 0 && (max <= 0 || min <= max), "min-scale", "0 to max-scale");
  values.require(settings.initial_scale.count >= (cluster.allow_zero_initial_scale ? 0 : 1),
                 "initial-scale", "at least 1, or 0 with allow-zero-initial-scale");
}

void read_cluster_rates(Values& values, KpaSettings& settings) {
  values.read("max-scale-up-rate", settings.max_scale_up_rate);
  values.read("max-scale-down-rate", settings.max_scale_down_rate);
  values.read("activator-capacity", settings.activator_capacity);
  values.require(settings.max_scale_up_rate > 1, "max-scale-up-rate", "more than 1");
  values.require(settings.max_scale_down_rate > 1, "max-scale-down-rate", "more than 1");
  values.require(settings.activator_capacity >= 1, "activator-capacity", "at least 1");
}

void read_cluster_targets(Values& values, KnativeCluster& cluster) {
  double& utilisation = cluster.concurrency_utilisation;
  values.read("container-concurrency-target-percentage", utilisation);
  values.read("container-concurrency-target-default", cluster.concurrency_default);
  values.read("requests-per-second-target-default", cluster.rps_default);
  // Upstream's old way: up to 1 it is a fraction, above a percentage, so "1" is all of it.
  if (utilisation > 1) utilisation /= 100;
  values.require(utilisation > 0 && utilisation <= 1, "container-concurrency-target-percentage",
                 "more than 0, up to 100");
  values.require(utilisation * cluster.concurrency_default >= kLeastTarget,
                 "container-concurrency-target-default", "a target of at least 0.01");
  values.require(cluster.rps_default >= kLeastTarget, "requests-per-second-target-default",
                 "at least 0.01");
}

void check_class_and_metric(Values& values, const KnativeCluster& cluster, KpaSettings& settings) {
  const std::string* const named = values.find("class");
  const std::string* const metric = values.find("metric");
  const std::string* const algorithm = values.find("metric-aggregation-algorithm");
  const std::string_view by = named != nullptr ? *named : cluster.pod_autoscaler_class;
  values.require(named == nullptr || by == kKpa || by == kHpa || !by.ends_with(".knative.dev"),
                 "class", "kpa.autoscaling.knative.dev or hpa.autoscaling.knative.dev");
  if (metric != nullptr && by == kKpa) {
    values.require(*metric == "concurrency" || *metric == "rps", "metric", "concurrency or rps");
  } else if (metric != nullptr && by == kHpa) {
    values.require(!metric->empty(), "metric", "a name");
  }
  settings.rps = metric != nullptr && *metric == "rps";
  if (algorithm == nullptr) return;
  settings.weighted = *algorithm == "weightedExponential" || *algorithm == "weighted-exponential";
  // Upstream checks it only beside an explicit class; else what it does not know is linear.
  values.require(named == nullptr || by != kKpa || settings.weighted || algorithm->empty() ||
                     *algorithm == "linear",
                 "metric-aggregation-algorithm", "linear or weighted-exponential");
}

void read_scales(Values& values, const KnativeCluster& cluster, KpaSettings& settings) {
  std::int32_t min = 0;
  std::int32_t max = 0;
  std::int32_t initial = 0;
  if (values.read("min-scale", min)) settings.min_scale = {min};
  if (values.read("max-scale", max)) {
    settings.max_scale = {max};
    values.require(cluster.max_scale_limit == 0 || (max >= 1 && max <= cluster.max_scale_limit),
                   "max-scale", "1 to the cluster's max-scale-limit");
  }
  values.require(min >= 0, "min-scale", "at least 0");
  values.require(max >= 0 && (max == 0 || min <= max), "max-scale", "at least min-scale");
  if (values.read("activation-scale", settings.activation_scale)) {
    const std::int32_t activation = settings.activation_scale;
    values.require(activation >= 2 && activation >= min && (max == 0 || activation <= max),
                   "activation-scale", "at least 2, from min-scale to max-scale");
  }
  if (values.read("initial-scale", initial)) {
    values.require(initial >= (cluster.allow_zero_initial_scale ? 0 : 1), "initial-scale",
                   "at least 1, or 0 where the cluster allows it");
    settings.initial_scale = {initial};
  }
}

/// A2: an explicit target of 10 aims at 7. The numbers in upstream's order.
struct Aim {
  bool rps = false;
  double otherwise = 0;                  // where no target is given
  std::optional<double> target;          // as given
  double utilisation = kRpsUtilisation;  // a fraction
  std::int32_t container_concurrency = 0;
};

void aim(const Aim& at, KpaSettings& settings) {
  const bool limited = !at.rps && at.container_concurrency != 0;
  const double hard = at.container_concurrency;
  settings.total = limited ? hard : at.otherwise;
  if (at.target) settings.total = limited ? std::min(*at.target, hard) : *at.target;
  settings.target = std::max(kLeastTarget, settings.total * at.utilisation);
}

void read_target(Values& values, const KnativeCluster& cluster, const KnativeRevision& revision,
                 KpaSettings& settings) {
  Aim at{.otherwise = cluster.concurrency_default,
         .utilisation = cluster.concurrency_utilisation,
         .container_concurrency = revision.container_concurrency};
  if (settings.rps) at = {.rps = true, .otherwise = cluster.rps_default};
  double target = 0;
  if (values.read("target", target)) {
    values.require(target >= kLeastTarget, "target", "at least 0.01");
    at.target = target;
  }
  double percentage = 0;
  if (values.read("target-utilization-percentage", percentage)) {
    values.require(percentage >= 1 && percentage <= 100, "target-utilization-percentage",
                   "1 to 100");
    at.utilisation = percentage / 100;
  }
  aim(at, settings);
}

Error error_of(const KnativeProblem& problem) {
  return {Code::invalid, fmt::format("{}: {}", problem.name, problem.what), {}};
}

}  // namespace

Millis panic_window_of(Millis window, double percentage) {
  // By nanoseconds, cut off, as upstream's durations are; then to whole seconds.
  // What is asked for may be wrong, and said so elsewhere: it has to fit a duration all the same.
  constexpr double kMost = 9.2e18;
  const double nanos = static_cast<double>(Nanos(window).count()) * percentage / 100;
  const Nanos exact(static_cast<std::int64_t>(std::fmax(0, std::fmin(nanos, kMost))));
  return std::max<Millis>(1s, std::chrono::floor<std::chrono::seconds>(exact + Nanos(500ms)));
}

Result<KnativeCluster> read_knative_cluster(const Strings& config) {
  KnativeCluster cluster;
  auto& settings = cluster.settings;
  Values values(config, false);
  if (const auto* const named = values.find("pod-autoscaler-class")) {
    cluster.pod_autoscaler_class = *named;
  }
  read_cluster_targets(values, cluster);
  read_cluster_rates(values, settings);
  read_cluster_scales(values, cluster);
  read_burst_capacity(values, settings);
  read_panic_window(values, cluster.panic_window_percentage);
  values.read("panic-threshold-percentage", cluster.panic_threshold_percentage);
  read_durations(values, {"stable-window", Nanos::max()}, settings);
  Nanos grace = settings.grace;
  values.read("scale-to-zero-grace-period", grace);
  values.require(grace > Nanos{0}, "scale-to-zero-grace-period", "more than 0s");
  settings.grace = millis(grace);
  if (!values.problems().empty()) return fail(error_of(values.problems().front()));
  return cluster;
}

KpaSettings read_knative_revision(const KnativeCluster& cluster, const KnativeRevision& revision,
                                  std::vector<KnativeProblem>& problems) {
  KpaSettings settings = cluster.settings;
  Values values(revision.annotations, true);
  check_class_and_metric(values, cluster, settings);
  read_scales(values, cluster, settings);
  read_target(values, cluster, revision, settings);
  read_burst_capacity(values, settings);
  read_durations(values, {"window", kLongestWindow}, settings);
  double panic_window = cluster.panic_window_percentage;
  read_panic_window(values, panic_window);
  settings.panic_window = panic_window_of(settings.window, panic_window);
  double threshold = cluster.panic_threshold_percentage;
  if (values.read("panic-threshold-percentage", threshold)) {
    values.require(threshold >= 110 && threshold <= 1000, "panic-threshold-percentage",
                   "110 to 1000");
  }
  settings.panic_threshold = threshold / 100;
  problems = values.problems();
  if (revision.container_concurrency < 0 || revision.container_concurrency > kMostConcurrency) {
    problems.push_back(
        {"containerConcurrency", fmt::format("found {}, expected 0 to {}",
                                             revision.container_concurrency, kMostConcurrency)});
  }
  settings.reachable = revision.reachable;
  if (!revision.reachable) {
    settings.min_scale = {0};
    settings.retention = 0s;
  }
  return settings;
}

Result<KpaSettings> read_knative_revision(const KnativeCluster& cluster,
                                          const KnativeRevision& revision) {
  std::vector<KnativeProblem> problems;
  const auto settings = read_knative_revision(cluster, revision, problems);
  if (!problems.empty()) return fail(error_of(problems.front()));
  return settings;
}

std::string_view knative_setting(std::string_view annotation) {
  const auto found = std::ranges::find_if(kSettings, [annotation](std::string_view name) {
    return annotation == name || annotation == camel_case(name);
  });
  return found == kSettings.end() ? std::string_view() : *found;
}

std::string_view nearest_knative_setting(std::string_view annotation) {
  return nearest(annotation, kSettings);
}

Concurrency concurrency_of(const KnativeRevision& revision, const KpaSettings& settings) {
  Values values(revision.annotations, true);
  Concurrency concurrency;
  if (settings.rps) concurrency.metric = Concurrency::Metric::rps;
  double target = 0;
  if (values.read("target", target)) concurrency.target = target;
  values.read("target-utilization-percentage", concurrency.target_utilization_percentage);
  values.read("panic-window-percentage", concurrency.panic_window_percentage);
  values.read("panic-threshold-percentage", concurrency.panic_threshold_percentage);
  concurrency.container_concurrency = revision.container_concurrency;
  concurrency.window = settings.window;
  concurrency.initial_scale = settings.initial_scale.count;
  concurrency.activation_scale = settings.activation_scale;
  concurrency.scale_down_delay = settings.scale_down_delay;
  concurrency.scale_to_zero_pod_retention_period = settings.retention;
  if (settings.weighted) {
    concurrency.metric_aggregation_algorithm = Concurrency::Aggregation::weighted_exponential;
  }
  return concurrency;
}

KpaSettings settings_of(const Concurrency& concurrency) {
  KpaSettings settings;
  settings.rps = concurrency.metric == Concurrency::Metric::rps;
  settings.weighted =
      concurrency.metric_aggregation_algorithm == Concurrency::Aggregation::weighted_exponential;
  aim({.rps = settings.rps,
       .otherwise = settings.rps ? 200.0 : 100.0,
       .target = concurrency.target,
       .utilisation = concurrency.target_utilization_percentage / 100,
       .container_concurrency = concurrency.container_concurrency},
      settings);
  settings.window =
      std::clamp<Millis>(std::chrono::floor<std::chrono::seconds>(concurrency.window), 1s, 1h);
  settings.panic_window = panic_window_of(settings.window, concurrency.panic_window_percentage);
  settings.panic_threshold = concurrency.panic_threshold_percentage / 100;
  settings.max_scale_up_rate = concurrency.max_scale_up_rate;
  settings.max_scale_down_rate = concurrency.max_scale_down_rate;
  settings.activation_scale = concurrency.activation_scale;
  settings.scale_down_delay = concurrency.scale_down_delay;
  settings.target_burst_capacity = concurrency.target_burst_capacity;
  settings.initial_scale = {concurrency.initial_scale};
  return settings;
}

}  // namespace headroom::policy
