#include "decide/keda_fallback.h"

#include <map>

#include <fmt/format.h>

#include "base/units.h"
#include "conformance/family.h"
#include "conformance/keda_object.h"

namespace headroom::conformance {
namespace {

namespace json = boost::json;
using decide::Served;

constexpr const char* kOutcomes[] = {"value", "sourceError", "fallback", "fallbackError", "nil"};

/// "12" is the double 12, "1234m" the double 1234 × 0.001.
double target_of(std::string text) {
  if (!text.ends_with('m')) return std::stod(text);
  text.pop_back();
  return std::stod(text) * 0.001;
}

decide::ReplicasSeen replicas_of(const json::object& step) {
  const auto* fault = step.if_contains("fault");
  const bool unreadable = fault != nullptr && fault->as_string() == "read";
  decide::ReplicasSeen seen;
  if (unreadable) return seen;
  seen.current = Replicas{static_cast<std::int32_t>(step.at("replicas").as_int64())};
  if (fault != nullptr) return seen;  // the pods cannot be listed
  seen.ready = 0;
  for (const auto& pod : step.at("pods").as_array()) {
    const auto& parts = pod.as_array();
    if (parts.at(0).as_string() == "Running" && parts.at(1).as_string() == "True") ++*seen.ready;
  }
  return seen;
}

json::object health_of(const std::vector<decide::Health>& health) {
  json::object made;
  for (const auto& [metric, failures] : health) {
    made[metric] =
        json::object{{"failures", failures}, {"status", failures > 0 ? "Failing" : "Happy"}};
  }
  return made;
}

}  // namespace

Differences play_keda_fallback(const json::object& sample) {
  Differences differences;
  const auto policy = read_scaled_object(sample.at("scaledObject"));
  std::map<std::string, decide::Aimed> aims;
  for (const auto& each : sample.at("metrics").as_array()) {
    const auto& metric = each.as_object();
    aims[std::string(metric.at("name").as_string())] = {
        target_of(std::string(metric.at("target").as_string())),
        metric.at("type").as_string() == "Value"};
  }
  const auto& modifiers = policy.scaling_modifiers;
  std::vector<decide::Health> health;
  std::string condition = "Unknown";
  std::size_t number = 0;
  for (const auto& each : sample.at("steps").as_array()) {
    const auto& step = each.as_object();
    const auto path = fmt::format("steps[{}]", number++);
    const std::string metric(step.at("metric").as_string());
    const auto* value = step.at("value").if_int64();
    const auto aimed =
        modifiers ? decide::Aimed{std::stod(modifiers->target),
                                  modifiers->metric_type == policy::Trigger::MetricType::value}
                  : aims[metric];
    const auto served = decide::serve(
        policy.fallback, metric, value != nullptr ? std::optional(Quantity{*value}) : std::nullopt,
        aimed, replicas_of(step), health);
    if (policy.fallback) {
      condition = decide::falls_back(*policy.fallback, health) ? "True" : "False";
    }
    const auto& want = step.at("want").as_object();
    expect_equal(want.at("outcome"), kOutcomes[static_cast<std::size_t>(served.kind)],
                 path + ".outcome", differences);
    const bool has_value =
        served.kind == Served::Kind::value || served.kind == Served::Kind::fallback;
    if (const auto* milli = want.if_contains("milli"); milli != nullptr && has_value) {
      expect_equal(*milli, served.value.milli, path + ".milli", differences);
    }
    if (const auto* name = want.if_contains("metric")) {
      const bool composite = served.kind == Served::Kind::fallback && modifiers;
      expect_equal(*name, json::value(composite ? "composite-metric" : metric), path + ".metric",
                   differences);
    }
    expect_equal(want.at("health"), health_of(health), path + ".health", differences);
    expect_equal(want.at("fallback"), json::value(condition), path + ".fallback", differences);
  }
  return differences;
}

}  // namespace headroom::conformance
