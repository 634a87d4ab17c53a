#include <algorithm>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "base/units.h"
#include "conformance/family.h"
#include "decide/decide.h"
#include "policy/autoscaler.h"

namespace headroom::conformance {
namespace {

namespace json = boost::json;
using decide::Truth;
using policy::Metric;

std::string text_of(const json::object& from, std::string_view name) {
  const auto* value = from.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : "";
}

Instant at(const json::value& seconds) { return Instant(Millis(seconds.as_int64() * 1000)); }

Quantity quantity(const json::value& value) {
  const auto text = value.is_string() ? std::string(value.as_string()) : json::serialize(value);
  return parse_quantity(text).value_or(Quantity{});
}

policy::MetricTarget target_of(const json::object& target) {
  policy::MetricTarget made;
  const auto type = text_of(target, "type");
  made.type = type == "Value"          ? policy::MetricTarget::Type::value
              : type == "AverageValue" ? policy::MetricTarget::Type::average_value
                                       : policy::MetricTarget::Type::utilization;
  if (const auto* v = target.if_contains("averageUtilization")) {
    made.average_utilization = static_cast<std::int32_t>(v->as_int64());
  }
  if (const auto* v = target.if_contains("averageValue")) made.average_value = quantity(*v);
  if (const auto* v = target.if_contains("value")) made.value = quantity(*v);
  return made;
}

Metric metric_of(const json::object& metric) {
  Metric made;
  const auto type = text_of(metric, "type");
  const char* level = type == "Resource"            ? "resource"
                      : type == "ContainerResource" ? "containerResource"
                      : type == "Pods"              ? "pods"
                      : type == "Object"            ? "object"
                                                    : "external";
  made.type = type == "Resource"            ? Metric::Type::resource
              : type == "ContainerResource" ? Metric::Type::container_resource
              : type == "Pods"              ? Metric::Type::pods
              : type == "Object"            ? Metric::Type::object
                                            : Metric::Type::external;
  const auto& source = metric.at(level).as_object();
  made.name = source.contains("metric") ? text_of(source.at("metric").as_object(), "name")
                                        : text_of(source, "name");
  made.container = text_of(source, "container");
  made.target = target_of(source.at("target").as_object());
  return made;
}

std::optional<policy::ScalingRules> rules_of(const json::object& behavior, std::string_view name) {
  const auto* found = behavior.if_contains(name);
  if (found == nullptr) return std::nullopt;
  const auto& rules = found->as_object();
  policy::ScalingRules made;
  if (const auto* v = rules.if_contains("stabilizationWindowSeconds")) {
    made.stabilization_window = Millis(v->as_int64() * 1000);
  }
  const auto select = text_of(rules, "selectPolicy");
  made.select_policy = select == "Min"        ? policy::ScalingRules::Select::min
                       : select == "Disabled" ? policy::ScalingRules::Select::disabled
                                              : policy::ScalingRules::Select::max;
  if (const auto* v = rules.if_contains("tolerance")) {
    made.tolerance = static_cast<double>(quantity(*v).milli) / 1000;
  }
  if (const auto* v = rules.if_contains("policies")) {
    for (const auto& each : v->as_array()) {
      const auto& policy = each.as_object();
      made.policies.push_back({text_of(policy, "type") == "Pods"
                                   ? policy::ScalingPolicy::Type::pods
                                   : policy::ScalingPolicy::Type::percent,
                               static_cast<std::int32_t>(policy.at("value").as_int64()),
                               Millis(policy.at("periodSeconds").as_int64() * 1000)});
    }
  }
  return made;
}

policy::Autoscaler read_hpa(const json::object& hpa) {
  policy::Autoscaler made;
  const auto& spec = hpa.at("spec").as_object();
  made.target.scale_target_ref = policy::ObjectReference{"apps/v1", "Deployment", "x"};
  made.max_replicas = {static_cast<std::int32_t>(spec.at("maxReplicas").as_int64())};
  if (const auto* v = spec.if_contains("minReplicas")) {
    made.min_replicas = {static_cast<std::int32_t>(v->as_int64())};
  }
  if (const auto* v = spec.if_contains("metrics")) {
    for (const auto& each : v->as_array()) made.metrics.push_back(metric_of(each.as_object()));
  }
  if (made.metrics.empty()) {
    made.metrics.push_back({.name = "cpu", .target = {.average_utilization = 80}});
  }
  if (const auto* v = spec.if_contains("behavior")) {
    auto& behavior = made.behavior.emplace();
    behavior.scale_up = rules_of(v->as_object(), "scaleUp");
    behavior.scale_down = rules_of(v->as_object(), "scaleDown");
  }
  return made;
}

policy::Autoscaler policy_of(const json::object& sample) {
  auto policy = read_hpa(sample.at("hpa").as_object());
  const auto& flags = sample.at("controller").as_object();
  const auto seconds = [&](const char* name) { return Millis(flags.at(name).as_int64() * 1000); };
  auto& controller = policy.controller;
  controller.tolerance = flags.at("tolerance").to_number<double>();
  controller.downscale_stabilization = seconds("downscaleStabilization");
  controller.cpu_initialization_period = seconds("cpuInitializationPeriod");
  controller.initial_readiness_delay = seconds("initialReadinessDelay");
  controller.scale_to_zero = flags.at("scaleToZero").as_bool();
  return policy;
}

decide::ResourceRequests requests_of(const json::value* requests) {
  decide::ResourceRequests made;
  if (requests == nullptr) return made;
  for (const auto& [name, value] : requests->as_object()) {
    made.emplace_back(std::string(name), quantity(value));
  }
  return made;
}

decide::Template template_of(const json::object& from) {
  decide::Template made;
  const auto containers = [&](const char* name, std::vector<decide::ContainerSeen>& to) {
    const auto* list = from.if_contains(name);
    if (list == nullptr) return;
    for (const auto& each : list->as_array()) {
      const auto& container = each.as_object();
      to.push_back({text_of(container, "name"), requests_of(container.if_contains("requests"))});
    }
  };
  containers("containers", made.containers);
  containers("sidecars", made.sidecars);
  made.pod_requests = requests_of(from.if_contains("podRequests"));
  made.overhead = requests_of(from.if_contains("overhead"));
  return made;
}

decide::ReplicaSeen replica_of(const json::object& pod) {
  using Phase = decide::ReplicaSeen::Phase;
  decide::ReplicaSeen made;
  const auto phase = text_of(pod, "phase");
  made.phase = phase == "Pending"     ? Phase::pending
               : phase == "Failed"    ? Phase::failed
               : phase == "Succeeded" ? Phase::succeeded
                                      : Phase::running;
  made.deleting = pod.contains("deleting") && pod.at("deleting").as_bool();
  if (!pod.at("startTime").is_null()) made.started = at(pod.at("startTime"));
  if (const auto* ready = pod.at("ready").if_object()) {
    const auto status = text_of(*ready, "status");
    made.ready = decide::Readiness{status == "True"    ? Truth::yes
                                   : status == "False" ? Truth::no
                                                       : Truth::unknown,
                                   at(ready->at("since"))};
  }
  return made;
}

decide::MetricSeen metric_seen(const json::object& metric, const std::vector<std::string>& names) {
  decide::MetricSeen made;
  if (metric.contains("error")) made.failed = decide::Absent{};
  if (const auto* value = metric.if_contains("value")) made.values = {{value->as_int64()}};
  if (const auto* values = metric.if_contains("values")) {
    for (const auto& value : values->as_array()) made.values.push_back({value.as_int64()});
  }
  const auto* pods = metric.if_contains("pods");
  if (pods == nullptr) return made;
  made.of_replicas.assign(names.size(), tl::unexpected<decide::Absent>(decide::Absent{}));
  for (const auto& [name, reading] : pods->as_object()) {
    const auto& parts = reading.as_array();
    const auto found = std::ranges::find(names, std::string_view(name));
    const Quantity value{parts.at(0).as_int64()};
    if (found == names.end()) {
      made.strays.push_back(value);
    } else {
      made.of_replicas[static_cast<std::size_t>(found - names.begin())] =
          decide::Measured{value, at(parts.at(1)), Millis(parts.at(2).as_int64() * 1000)};
    }
  }
  return made;
}

decide::Observation observation_of(const json::object& sample, const json::object& step) {
  decide::Observation made;
  made.now = at(step.at("t"));
  made.current = {static_cast<std::int32_t>(step.at("specReplicas").as_int64())};
  made.status = {static_cast<std::int32_t>(step.at("statusReplicas").as_int64())};
  made.selects = !step.contains("noSelector");
  made.templates.push_back(template_of(sample.at("template").as_object()));
  std::vector<std::string> names;
  for (const auto& each : step.at("pods").as_array()) {
    const auto& pod = each.as_object();
    made.replicas.push_back(replica_of(pod));
    names.push_back(text_of(pod, "name"));
    if (const auto* own = pod.if_contains("template")) {
      made.replicas.back().made_of = static_cast<std::int32_t>(made.templates.size());
      made.templates.push_back(template_of(own->as_object()));
    }
  }
  if (const auto* metrics = step.if_contains("metrics")) {
    for (const auto& metric : metrics->as_array()) {
      made.metrics.push_back(metric_seen(metric.as_object(), names));
    }
  }
  return made;
}

json::array conditions_of(const decide::Decision& decision) {
  static constexpr const char* kStatus[] = {"False", "True", "Unknown"};
  auto conditions = decision.conditions;
  std::ranges::sort(conditions, {}, &decide::Condition::type);
  json::array made;
  for (const auto& condition : conditions) {
    made.push_back(json::object{{"type", condition.type},
                                {"status", kStatus[static_cast<std::size_t>(condition.status)]},
                                {"reason", condition.reason}});
  }
  return made;
}

/// What is current of one metric, as milli-units and percent.
json::object current_of(const decide::MetricNow& now) {
  json::object made;
  if (now.average_utilization) made["averageUtilization"] = *now.average_utilization;
  if (now.average_value) made["averageValue"] = now.average_value->milli;
  if (now.value) made["value"] = now.value->milli;
  return made;
}

/// The same of upstream's status.currentMetrics.
json::object current_of(const json::object& status) {
  json::object made;
  for (const auto& [name, level] : status) {
    if (!level.is_object()) continue;
    for (const auto& [key, value] : level.as_object().at("current").as_object()) {
      made[key] = key == "averageUtilization" ? value : json::value(quantity(value).milli);
    }
  }
  return made;
}

void compare(const json::object& want, const decide::Decision& decision, const std::string& path,
             Differences& differences) {
  expect_equal(want.at("replicas"), decision.replicas.count, path + ".replicas", differences);
  expect_equal(want.at("rescaled"), decision.write, path + ".rescaled", differences);
  expect_equal(want.at("error"), decision.error, path + ".error", differences);
  expect_equal(want.at("conditions"), conditions_of(decision), path + ".conditions", differences);
  const auto* metrics = want.if_contains("currentMetrics");
  if (metrics == nullptr) return;
  json::array upstream, ours;
  for (const auto& each : metrics->as_array()) upstream.push_back(current_of(each.as_object()));
  for (const auto& each : decision.metrics) ours.push_back(current_of(each));
  expect_equal(upstream, ours, path + ".currentMetrics", differences);
}

}  // namespace

Differences play_hpa(const json::object& sample) {
  Differences differences;
  auto policy = policy_of(sample);
  decide::Memory memory;
  decide::Decision decision;
  std::size_t number = 0;
  for (const auto& each : sample.at("steps").as_array()) {
    const auto& step = each.as_object();
    if (const auto* min = step.if_contains("minReplicas")) {
      policy.min_replicas = {static_cast<std::int32_t>(min->as_int64())};
    }
    if (const auto* max = step.if_contains("maxReplicas")) {
      policy.max_replicas = {static_cast<std::int32_t>(max->as_int64())};
    }
    const auto observation = observation_of(sample, step);
    decide::decide_into(policy, observation, memory, decision);
    const bool refused = step.contains("failUpdate");
    decide::settle(policy, observation, refused, memory, decision);
    if (refused) decision.write = false;
    compare(step.at("want").as_object(), decision, fmt::format("steps[{}]", number++), differences);
  }
  return differences;
}

}  // namespace headroom::conformance
