#include "policy/resource_triggers.h"

#include <gtest/gtest.h>

#include "policy/document.h"

namespace headroom::policy {
namespace {

using TriggerType = Trigger::MetricType;

TEST(ResourceTriggers, StandForMetrics) {
  struct Case {
    const char* why;
    Trigger trigger;
    std::optional<Metric> expected;
  };
  const MetricTarget half{.average_utilization = 50};
  const MetricTarget quarter{.type = MetricTarget::Type::average_value,
                             .average_value = Quantity{250}};
  const Case cases[] = {
      {"percent",
       {.type = "cpu", .metadata = {{"value", "50"}}, .metric_type = TriggerType::utilization},
       Metric{.name = "cpu", .target = half}},
      {"an amount",
       {.type = "memory", .metadata = {{"value", "250m"}}},
       Metric{.name = "memory", .target = quarter}},
      {"of one container",
       {.type = "cpu",
        .metadata = {{"value", "50"}, {"containerName", "app"}},
        .metric_type = TriggerType::utilization},
       Metric{.type = Metric::Type::container_resource,
              .name = "cpu",
              .container = "app",
              .target = half}},
      {"a source's", {.type = "cron", .metadata = {{"value", "50"}}}, {}},
      {"no value", {.type = "cpu", .metric_type = TriggerType::utilization}, {}},
      {"percent of nothing",
       {.type = "cpu", .metadata = {{"value", "0"}}, .metric_type = TriggerType::utilization},
       {}},
      {"more than there can be",
       {.type = "cpu",
        .metadata = {{"value", "3000000000"}},
        .metric_type = TriggerType::utilization},
       {}},
      {"no amount", {.type = "cpu", .metadata = {{"value", "much"}}}, {}},
      {"an amount of nothing", {.type = "cpu", .metadata = {{"value", "0"}}}, {}},
  };
  for (const auto& [why, trigger, expected] : cases) {
    SCOPED_TRACE(why);
    EXPECT_EQ(metric_of(trigger), expected);
  }
}

TEST(ResourceTriggers, AreReadAsMetricsAndDroppedForAnHpa) {
  const auto read_it = read(R"(apiVersion: headroom.dev/v1alpha1
kind: Autoscaler
metadata: { name: web }
spec:
  target: { scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: web } }
  minReplicas: 0
  maxReplicas: 5
  cooldownPeriod: 60s
  pollingInterval: 10s
  initialCooldownPeriod: 5s
  metrics:
    - { type: Resource, resource: { name: cpu, target: { type: Utilization, averageUtilization: 60 } } }
  triggers:
    - { type: cpu, metricType: Utilization, metadata: { value: "60" } }
    - { type: memory, metadata: { value: 1Gi } }
)");
  ASSERT_TRUE(read_it) << to_string(read_it.error());
  const Autoscaler& autoscaler = read_it->front();
  ASSERT_EQ(autoscaler.metrics.size(), 2U) << "cpu once, and memory";
  EXPECT_EQ(autoscaler.metrics[1].name, "memory");
  const auto plain = without_resource_triggers(autoscaler);
  EXPECT_EQ(plain.metrics, autoscaler.metrics);
  EXPECT_TRUE(plain.triggers.empty());
  EXPECT_EQ(plain.cooldown_period, Autoscaler{}.cooldown_period) << "of what is always active";
  EXPECT_EQ(plain.polling_interval, Autoscaler{}.polling_interval);
  EXPECT_EQ(plain.initial_cooldown_period, Autoscaler{}.initial_cooldown_period);
  EXPECT_EQ(plain.min_replicas, Replicas{1}) << "as KEDA writes it";
  EXPECT_EQ(without_resource_triggers(plain), plain);

  auto mixed = autoscaler;
  mixed.triggers.push_back({.type = "cron"});
  const auto rest = without_resource_triggers(mixed);
  EXPECT_EQ(rest.triggers.size(), 1U);
  EXPECT_EQ(rest.cooldown_period, 60s) << "cron goes to sleep";
}

}  // namespace
}  // namespace headroom::policy
