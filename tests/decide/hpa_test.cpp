#include "decide/hpa.h"

#include <gtest/gtest.h>

#include "decide/make.h"
#include "decide/steps.h"

/// Zero and the bounds, look by look. What metrics ask for has tables of its own.
namespace headroom::decide {
namespace {

using namespace make;  // NOLINT
using policy::Metric;

/// By a queue of which each replica takes one, with the gate that lets an HPA go to zero.
policy::Autoscaler by_queue(Metric::Type type = Metric::Type::external, bool average = true) {
  policy::Autoscaler made;
  made.min_replicas = {0};
  made.max_replicas = {10};
  made.target.scale_target_ref = policy::ObjectReference{"apps/v1", "Deployment", "shop"};
  made.metrics = {{.type = type, .name = "queue"}};
  if (average) {
    made.metrics[0].target.type = policy::MetricTarget::Type::average_value;
    made.metrics[0].target.average_value = Quantity{1000};
  } else {
    made.metrics[0].target.type = policy::MetricTarget::Type::value;
    made.metrics[0].target.value = Quantity{1000};
  }
  made.controller.downscale_stabilization = 0s;
  made.controller.scale_to_zero = true;
  return made;
}

/// The first look of all is damped by what runs.
Memory looked_before(Replicas current) {
  Memory memory;
  memory.recommendations = {{kStart - 15s, current}};
  return memory;
}

/// What a look finds, what the policy has become by then, and what is to come of it.
struct Look {
  const char* why;
  std::int32_t queue;  // -1: its source fails
  std::int32_t min;
  std::int32_t expected;
  std::string_view code;  // of the last step
  std::optional<std::int32_t> others = {};
  bool refused = false;
};

void live(policy::Autoscaler policy, std::int32_t first, const std::vector<Look>& looks) {
  Replicas current{first};
  Memory memory = looked_before(current);
  Instant now = kStart;
  for (const Look& look : looks) {
    SCOPED_TRACE(look.why);
    if (look.others) current = {*look.others};
    policy.min_replicas = {look.min};
    auto seen = observation(now, current.count, current.count);
    seen.status = current;
    seen.metrics.resize(1);
    if (look.queue < 0) seen.metrics[0].failed = Absent{};
    seen.metrics[0].values = {{std::int64_t{1000} * look.queue}};
    Decision decision;
    decide_into(policy, seen, memory, decision);
    settle(policy, seen, look.refused, memory, decision);
    EXPECT_EQ(decision.replicas, Replicas{look.expected});
    EXPECT_EQ(decision.steps.back().code, look.code);
    current = decision.replicas;
    now += 15s;
  }
}

TEST(Hpa, ToZeroAndBack) {
  const auto policy = by_queue();
  live(policy, 2,
       {{"an empty queue", 0, 0, 0, step::kAverageOfAll},
        {"stays there", 0, 0, 0, step::kAverageOfAll},
        {"what cannot be read holds", -1, 0, 0, step::kNothingReadable},
        {"something waits", 3, 0, 3, step::kAverageOfAll},
        {"zero again", 0, 0, 0, step::kAverageOfAll},
        {"no faster up than 4 at once", 9, 0, 4, step::kScaleUpLimit}});
  live(policy, 2,
       {{"an empty queue", 0, 0, 0, step::kAverageOfAll},
        {"a minimum that was edited brings it back", 0, 3, 3, step::kTooFewReplicas}});
  live(policy, 2,
       {{"an empty queue", 0, 0, 0, step::kAverageOfAll},
        {"a minimum above what the rate allows", 9, 6, 6, step::kTooFewReplicas}});
  live(policy, 2,
       {{"a refused zero is none", 0, 0, 2, step::kAverageOfAll, {}, true},
        {"the next look tries again", 0, 0, 0, step::kAverageOfAll}});
  live(by_queue(Metric::Type::object, false), 2,
       {{"an object's value", 0, 0, 0, step::kValue},
        {"at zero there are no replicas to be in proportion to", 3, 0, 3, step::kValue}});
}

TEST(Hpa, SomebodyElsesZeroIsLeftAlone) {
  const auto policy = by_queue();
  const std::vector<Look> elses = {
      {"something waits", 3, 0, 0, step::kScalingDisabled},
      {"a minimum changes nothing", 3, 2, 0, step::kScalingDisabled},
      {"who set it to one has it scaled again", 3, 0, 3, step::kAverageOfAll, 1}};
  live(policy, 0, elses);
  auto ungated = policy;
  ungated.controller.scale_to_zero = false;
  live(ungated, 0, elses);
  live(policy, 2,
       {{"the HPA's own zero", 0, 0, 0, step::kAverageOfAll},
        {"and up", 2, 0, 2, step::kAverageOfAll},
        {"now somebody else's", 3, 0, 0, step::kScalingDisabled, 0}});
}

TEST(Hpa, WithoutAMetricThatCanBeSeenAtZeroItsOwnZeroIsLeftAloneToo) {
  auto policy = by_queue();
  Memory memory = looked_before({1});
  auto seen = observation(kStart, 1, 1);
  seen.metrics.resize(1);
  seen.metrics[0].values = {{0}};
  EXPECT_EQ(decide(policy, seen, memory).replicas, Replicas{0});
  policy.metrics = {{.name = "cpu", .target = {.average_utilization = 50}}};  // edited
  auto later = observation(kStart + 15s, 0, 0);
  EXPECT_EQ(decide(policy, later, memory).steps.back().code, step::kScalingDisabled);
}

TEST(Hpa, OutsideItsBoundsNoMetricIsRead) {
  live(by_queue(), 20, {{"above", -1, 0, 10, step::kTooManyReplicas}});
  live(by_queue(), 1, {{"below", -1, 3, 3, step::kTooFewReplicas}});
}

TEST(Hpa, WithoutMetricsNothingCanBeRead) {
  auto policy = by_queue();
  policy.metrics.clear();
  Memory memory;
  const auto decision = decide(policy, observation(kStart, 3, 3), memory);
  EXPECT_EQ(decision.replicas, Replicas{3});
  EXPECT_EQ(decision.steps.back().code, step::kNothingReadable);
  EXPECT_EQ(memory.conditions[1].reason, "FailedGetResourceMetric");
}

}  // namespace
}  // namespace headroom::decide
