#include "decide/record.h"

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "decide/decide.h"

namespace {

using namespace headroom;
using policy::Metric;
using policy::MetricTarget;

policy::Autoscaler of_processes() {
  policy::Autoscaler policy;
  policy.min_replicas = {0};
  policy.max_replicas = {9};
  policy.gateway.emplace();
  policy.concurrency.emplace().scale_down_delay = 20s;
  policy.metrics.emplace_back();
  policy.behavior.emplace();
  return policy;
}

/// Each type of metric, each kind of target.
policy::Autoscaler of_hpa() {
  policy::Autoscaler policy;
  policy.min_replicas = {0};
  policy.max_replicas = {9};
  policy.target.scale_target_ref.emplace();
  policy.controller.scale_to_zero = true;
  const MetricTarget half{MetricTarget::Type::utilization, 50, {}, {}};
  const MetricTarget whole{MetricTarget::Type::value, {}, Quantity{3000}, {}};
  const MetricTarget each{MetricTarget::Type::average_value, {}, {}, Quantity{500}};
  policy.metrics = {
      {.type = Metric::Type::resource, .name = "cpu", .target = half},
      {.type = Metric::Type::container_resource,
       .name = "memory",
       .container = "app",
       .target = half},
      {.type = Metric::Type::pods, .name = "queue", .target = each},
      {.type = Metric::Type::object, .name = "queue", .target = whole},
      {.type = Metric::Type::external, .name = "queue", .target = each},
  };
  using Policy = policy::ScalingPolicy;
  policy.behavior.emplace().scale_up.emplace().policies = {{Policy::Type::pods, 2, 15s},
                                                           {Policy::Type::percent, 900, 60s}};
  return policy;
}

policy::Autoscaler of_scaled_object(bool formula) {
  policy::Autoscaler policy;
  policy.min_replicas = {0};
  policy.max_replicas = {9};
  policy.target.scale_target_ref.emplace();
  policy.polling_interval = 0s;
  policy.fallback = policy::Fallback{1, {3}, policy::Fallback::Behavior::static_};
  for (const char* name : {"a", "b"}) {
    policy.triggers.push_back(
        {.type = "prometheus",
         .name = name,
         .metadata = {{"serverAddress", "http://p"}, {"query", "up"}, {"threshold", "5"}}});
  }
  policy.triggers.push_back({.type = "cron",
                             .name = "c",
                             .metadata = {{"timezone", "Europe/Berlin"},
                                          {"start", "10,30 2 * * *"},
                                          {"end", "TZ=UTC 0 17 28-31 2-6 */2"},
                                          {"desiredReplicas", "3"}}});
  policy.triggers.push_back(
      {.type = "external", .name = "d", .metadata = {{"scalerAddress", "scaler:9090"}}});
  if (formula) {
    policy.scaling_modifiers = policy::ScalingModifiers{.formula = "a + b * 2", .target = "4"};
  }
  return policy;
}

/// What is decided stays inside the bounds, and can be written down and read.
void decide_by(const policy::Autoscaler& policy, const decide::Observation& seen,
               decide::Memory memory) {
  const auto decision = decide::decide(policy, seen, memory);
  check(decision.replicas >= policy.min_replicas && decision.replicas <= policy.max_replicas,
        "inside the bounds");
  const auto json = decide::to_json(decision);
  const auto again = decide::decision_from_json(json);
  check(again && decide::to_json(*again) == json, "what is decided can be written and read");
}

}  // namespace

/// Any text read as a record: refused, or read to what is written as it was read; and an
/// observation or a memory that was read can be decided with.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<policy::Autoscaler> kPolicies = {
      of_processes(), of_hpa(), of_scaled_object(false), of_scaled_object(true)};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  decide::Observation seen;
  seen.now = Instant{1h};
  seen.current = {2};
  seen.load = decide::Load{.concurrency = 5, .rate = 50, .waiting = 3, .running = 2};
  bool any = false;  // most texts are refused, and deciding takes its time
  if (const auto observation = decide::observation_from_json(text)) {
    const auto again = decide::observation_from_json(decide::to_json(*observation));
    check(again.has_value(), "an observation that was written can be read");
    check(decide::to_json(*again) == decide::to_json(*observation), "and is the same");
    seen = *observation;
    any = true;
  }
  if (const auto decision = decide::decision_from_json(text)) {
    const auto json = decide::to_json(*decision);  // compared so, as NaN is not itself
    const auto again = decide::decision_from_json(json);
    check(again && decide::to_json(*again) == json, "a decision comes back as it was written");
    check(decision->reason().size() <= size, "a reason is made of the steps' texts");
  }
  decide::Memory memory;
  if (const auto read = decide::memory_from_json(text)) {
    const auto again = decide::memory_from_json(decide::to_json(*read));
    check(again.has_value() && *again == *read, "a memory comes back as it was written");
    memory = *read;
    any = true;
  }
  if (!any) return 0;
  for (const auto& policy : kPolicies) decide_by(policy, seen, memory);
  return 0;
}
