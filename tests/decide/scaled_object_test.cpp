#include "decide/scaled_object.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "decide/decide.h"
#include "decide/explain.h"
#include "decide/record.h"
#include "decide/steps.h"

namespace headroom::decide {
namespace {

using ::testing::HasSubstr;

/// A worker of a list in Redis: 5 entries a replica, 0 to 10 replicas.
policy::Autoscaler worker() {
  policy::Autoscaler made;
  made.name = "worker";
  made.target.scale_target_ref = policy::ObjectReference{"apps/v1", "Deployment", "worker"};
  made.min_replicas = {0};
  made.max_replicas = {10};
  made.cooldown_period = 60s;
  made.triggers.push_back(
      {.type = "redis",
       .metadata = {{"address", "redis:6379"}, {"listName", "jobs"}, {"listLength", "5"}}});
  return made;
}

Reading entries(double count) {
  return Measured{{static_cast<std::int64_t>(count * 1000)}, Instant{}, 0s};
}
Reading unreachable() { return tl::unexpected<Absent>({Absent::Reason::unreachable, "refused"}); }

/// Looks every 15 s at what the triggers say.
class World {
 public:
  explicit World(policy::Autoscaler by) : policy(std::move(by)) {}

  Decision look(std::vector<Reading> triggers, bool refused = false) {
    Observation seen;
    seen.now = now;
    seen.current = seen.status = replicas;
    for (std::int32_t i = 0; i < replicas.count; ++i) {
      seen.replicas.push_back({.id = static_cast<std::uint64_t>(i),
                               .started = Instant{},
                               .ready = Readiness{Truth::yes, Instant{}}});
    }
    seen.triggers = std::move(triggers);
    Decision decision;
    decide_into(policy, seen, memory, decision);
    settle(policy, seen, refused, memory, decision);
    replicas = decision.replicas;
    now += 15s;
    return decision;
  }

  policy::Autoscaler policy;
  Replicas replicas;
  Memory memory;
  Instant now{1h};
};

TEST(ByTriggers, FromZeroUpAndBackWithTheQueue) {
  World world(worker());
  struct Row {
    const char* why;
    double queue;
    std::int32_t expected;
  };
  const Row rows[] = {
      {"empty: asleep", 0, 0},
      {"between two polls nobody looks whether to wake", 12, 0},
      {"woken to one, the rest is the HPA's", 12, 1},
      {"12 of 5 each", 12, 3},
      {"no faster than twice, or 4", 500, 6},
      {"never more than the maximum", 500, 10},
      {"the HPA's window holds on the way down", 0, 10},
      {"cooling down", 0, 10},
      {"cooling down", 0, 10},
      {"cooling down", 0, 10},
      {"and from 10 to zero in one step, as KEDA does", 0, 0},
  };
  for (const auto& [why, queue, expected] : rows) {
    SCOPED_TRACE(why);
    EXPECT_EQ(world.look({entries(queue)}).replicas, Replicas{expected});
  }
}

TEST(ByTriggers, AFailingSourceHoldsUntilTheFallback) {
  World world(worker());
  world.policy.min_replicas = {1};
  world.policy.fallback = policy::Fallback{2, {6}, policy::Fallback::Behavior::static_};
  world.replicas = {3};
  world.look({entries(15)});
  EXPECT_EQ(world.look({unreachable()}).replicas, Replicas{3}) << "once";
  EXPECT_EQ(world.look({unreachable()}).replicas, Replicas{3}) << "twice is not more than 2";
  const auto fallen = world.look({unreachable()});
  EXPECT_EQ(fallen.replicas, Replicas{6});
  EXPECT_THAT(to_json(fallen), HasSubstr("FallbackExists"));
  EXPECT_THAT(to_json(world.look({entries(15)})), HasSubstr("NoFallbackFound"));
}

TEST(ByTriggers, WithoutAFallbackNothingFalls) {
  World world(worker());
  world.replicas = {3};
  world.look({entries(15)});
  for (int i = 0; i < 40; ++i) EXPECT_EQ(world.look({unreachable()}).replicas, Replicas{3}) << i;
  const auto held = world.look({unreachable()});
  EXPECT_TRUE(held.error);
  EXPECT_THAT(to_json(held), HasSubstr("s0-redis-jobs: unreachable (refused)"));
}

TEST(ByTriggers, AFormulaTakesTheTriggersPlace) {
  World world(worker());
  world.policy.triggers.push_back(world.policy.triggers.front());
  world.policy.triggers[0].name = "a";
  world.policy.triggers[1].name = "b";
  world.policy.scaling_modifiers =
      policy::ScalingModifiers{.formula = "max([a, b]) * 2", .target = "10"};
  world.replicas = {1};
  EXPECT_EQ(world.look({entries(3), entries(10)}).replicas, Replicas{2}) << "20 of 10 each";
  EXPECT_EQ(world.look({entries(0), unreachable()}).replicas, Replicas{2}) << "held";
}

TEST(ByTriggers, IdleReplicasStayIdle) {
  World world(worker());
  world.policy.min_replicas = {3};
  world.policy.idle_replicas = Replicas{1};
  world.policy.polling_interval = 15s;
  world.replicas = {3};
  EXPECT_EQ(world.look({entries(0)}).replicas, Replicas{3}) << "seen for the first time";
  EXPECT_EQ(world.look({entries(0)}).replicas, Replicas{1}) << "never active: no cooldown";
  EXPECT_EQ(world.look({entries(0)}).replicas, Replicas{1}) << "in KEDA the HPA lifts it again";
  EXPECT_EQ(world.look({entries(1)}).replicas, Replicas{3}) << "to the minimum";
}

TEST(ByTriggers, PausesHold) {
  World world(worker());
  world.policy.pause = {.paused = true, .replicas = Replicas{2}};
  world.policy.polling_interval = 15s;
  EXPECT_EQ(world.look({entries(100)}).replicas, Replicas{2}) << "set once";
  world.replicas = {5};
  EXPECT_EQ(world.look({entries(100)}).replicas, Replicas{5}) << "somebody scales by hand";
  world.policy.pause = {.scale_out = true};
  EXPECT_EQ(world.look({entries(100)}).replicas, Replicas{5}) << "not out";
  world.policy.pause = {};
  EXPECT_EQ(world.look({entries(100)}).replicas, Replicas{10});
}

/// What a decision's step of that code says.
std::string said_by(const policy::Autoscaler& policy, const Observation& seen, Decision decision,
                    std::string_view code) {
  put_into_words(policy, seen, decision);
  for (const Step& step : decision.steps) {
    if (step.code == code) return step.text;
  }
  return "no such step";
}

/// One look, with nothing before it.
struct First {
  explicit First(const policy::Autoscaler& by, std::int32_t replicas, std::vector<Reading> triggers,
                 std::int32_t ready = -1)
      : policy(by) {
    seen.now = Instant{1h};
    seen.current = seen.status = {replicas};
    for (std::int32_t i = 0; i < replicas; ++i) {
      const bool is_ready = ready < 0 || i < ready;
      seen.replicas.push_back({.id = static_cast<std::uint64_t>(i),
                               .phase = is_ready || i % 2 == 0 ? ReplicaSeen::Phase::running
                                                               : ReplicaSeen::Phase::pending,
                               .started = Instant{},
                               .ready = Readiness{is_ready ? Truth::yes : Truth::no, Instant{}}});
    }
    seen.triggers = std::move(triggers);
  }
  Decision look() {
    decide_into(Prepared(policy), seen, memory, decision);
    settle(policy, seen, false, memory, decision);
    return decision;
  }
  std::string text(std::string_view code) const { return said_by(policy, seen, decision, code); }

  policy::Autoscaler policy;
  Observation seen;
  Memory memory;
  Decision decision;
};

/// Lists a and b, of which a formula makes one metric.
policy::Autoscaler by_formula(std::string formula) {
  auto made = worker();
  made.triggers.push_back(made.triggers.front());
  made.triggers[0].name = "a";
  made.triggers[1].name = "b";
  made.scaling_modifiers = policy::ScalingModifiers{.formula = std::move(formula), .target = "10"};
  return made;
}

TEST(ByTriggers, WhatKeepsAFormulaFromAnswering) {
  struct Case {
    const char* why;
    std::string formula;
    std::vector<Reading> triggers;
    const char* expected;
  };
  const Case cases[] = {
      {"it does not compile",
       "a +",
       {entries(3), entries(4)},
       "composite-metric: no data (formula: 1:4: found \")\", expected a value)"},
      {"it divides by nothing",
       "a / (b - b)",
       {entries(3), entries(4)},
       "composite-metric: no data (the formula gives inf, expected a number below 9.2e15)"},
      {"a source fails", "a + b", {entries(3), unreachable()}, "composite-metric: no data"},
      {"nobody asked the second", "a + b", {entries(3)}, "composite-metric: no data"},
  };
  for (const auto& [why, formula, triggers, expected] : cases) {
    SCOPED_TRACE(why);
    First first(by_formula(formula), 3, triggers);
    const auto decision = first.look();
    EXPECT_EQ(decision.replicas, Replicas{3});
    EXPECT_TRUE(decision.error);
    EXPECT_EQ(first.text(step::kSourceFailed), expected);
  }
}

TEST(ByTriggers, AFormulaAgainstATargetForAll) {
  auto policy = by_formula("a + b");
  policy.scaling_modifiers->metric_type = policy::Trigger::MetricType::value;
  First first(policy, 3, {entries(13), entries(7)}, 1);
  first.look();  // in proportion to the one that is ready
  EXPECT_EQ(first.text(step::kValue), "composite-metric 20 of 10 → 2 replicas");
}

TEST(ByTriggers, AFallbackBesideAFormula) {
  using Behavior = policy::Fallback::Behavior;
  struct Case {
    const char* why;
    const char* formula;
    Behavior behavior;
    bool by_value;
    std::int32_t expected;
    const char* code;
  };
  const Case cases[] = {
      {"takes its place", "a + b", Behavior::static_, false, 6, "AverageOfAll"},
      {"in proportion to what is ready", "a + b", Behavior::static_, true, 6, "Value"},
      {"or is nil in it", "a + (b ?? 47)", Behavior::scaling_modifiers, false, 5, "AverageOfAll"},
      {"what is nil then is the fallback", "b ?? b", Behavior::scaling_modifiers, false, 6,
       "AverageOfAll"},
      {"but no number can be made with it", "a + b", Behavior::scaling_modifiers, false, 3,
       "SourceFailed"},
  };
  for (const auto& [why, formula, behavior, by_value, expected, code] : cases) {
    SCOPED_TRACE(why);
    auto policy = by_formula(formula);
    policy.fallback = policy::Fallback{0, {6}, behavior};
    if (by_value) policy.scaling_modifiers->metric_type = policy::Trigger::MetricType::value;
    First first(policy, 3, {entries(3), unreachable()});
    EXPECT_EQ(first.look().replicas, Replicas{expected});
    EXPECT_NE(first.text(code), "no such step");
  }
}

TEST(ByTriggers, AFallbackOfATargetForAllNeedsAReadyReplica) {
  auto policy = worker();
  policy.triggers[0].metric_type = policy::Trigger::MetricType::value;
  policy.fallback = policy::Fallback{0, {6}, policy::Fallback::Behavior::static_};
  EXPECT_EQ(First(policy, 3, {unreachable()}, 2).look().replicas, Replicas{6});
  First none(policy, 3, {unreachable()}, 0);
  EXPECT_EQ(none.look().replicas, Replicas{3});
  EXPECT_EQ(none.text(step::kSourceFailed), "s0-redis-jobs: unreachable (refused)");
}

TEST(ByTriggers, ATriggerThatNobodyCanAskFails) {
  auto policy = worker();
  policy.triggers[0].type = "mysql";
  First first(policy, 3, {entries(40)});
  EXPECT_EQ(first.look().replicas, Replicas{3});
  EXPECT_EQ(first.text(step::kSourceFailed),
            "s0-mysql: no data (type: found \"mysql\", expected a source that Headroom knows)");
  EXPECT_EQ(first.text(step::kTriggerFails),
            "a trigger fails and none is active: held → 3 replicas");
}

TEST(ByTriggers, MetricsBesideTriggers) {
  using policy::Metric;
  auto policy = worker();
  policy.metrics = {
      {.name = "cpu", .target = {.average_utilization = 50}},
      {.type = Metric::Type::container_resource,
       .name = "cpu",
       .container = "app",
       .target = {.average_utilization = 50}},
      {.type = Metric::Type::pods,
       .name = "packets",
       .target = {.type = policy::MetricTarget::Type::average_value,
                  .average_value = Quantity{1000}}},
  };
  First first(policy, 2, {entries(10)});
  first.seen.metrics.resize(3);
  first.seen.metrics[0].failed = Absent{Absent::Reason::stale, ""};
  first.seen.metrics[1].of_replicas = {tl::unexpected(Absent{Absent::Reason::timeout, ""}),
                                       unreachable()};
  first.seen.metrics[2].of_replicas = {entries(3), entries(3)};
  EXPECT_EQ(first.look().replicas, Replicas{4}) << "no faster than twice, or 4";
  EXPECT_EQ(first.text(step::kSourceFailed), "cpu: stale");
  EXPECT_EQ(first.text(step::kNoReading), "cpu of container app: timeout");
  EXPECT_EQ(first.text(step::kAverageValue), "packets 3 of 1 per replica → 6 replicas");
  EXPECT_EQ(first.text(step::kAverageOfAll), "s0-redis-jobs 10 at 5 per replica → 2 replicas");
  EXPECT_EQ(first.text(step::kLargestWins), "packets asks for the most → 6 replicas");
}

TEST(ByTriggers, OutsideItsBoundsNoMetricIsRead) {
  First first(worker(), 12, {entries(40)});
  const auto decision = first.look();
  EXPECT_EQ(decision.replicas, Replicas{10});
  for (const auto& condition : decision.conditions) {
    EXPECT_NE(condition.type, "HPAActive") << "nobody has asked whether it scales";
  }
}

TEST(ByTriggers, WhatActivationSays) {
  struct Case {
    const char* why;
    std::int32_t min, replicas;
    std::optional<Replicas> idle;
    policy::Pause pause;
    std::vector<Reading> triggers;
    std::int32_t expected;
    const char* text;
  };
  const Case cases[] = {
      {"below the minimum",
       3,
       1,
       {},
       {},
       {entries(0), entries(0)},
       3,
       "below minReplicas → 3 replicas"},
      {"nothing to do", 3, 3, {}, {}, {entries(0), entries(0)}, 3, "no trigger is active"},
      {"one of two fails",
       1,
       1,
       {},
       {},
       {entries(5), unreachable()},
       1,
       "a trigger is active, another fails"},
      {"out is paused",
       0,
       0,
       {},
       {.scale_out = true},
       {entries(5), entries(0)},
       0,
       "a trigger is active, but scaling out is paused: held → 0 replicas"},
      {"in is paused",
       0,
       2,
       {},
       {.scale_in = true},
       {entries(0), entries(0)},
       2,
       "no trigger is active, but scaling in is paused: held → 2 replicas"},
      {"paused where it is",
       0,
       2,
       {},
       {.paused = true, .replicas = Replicas{2}},
       {entries(0), entries(0)},
       2,
       "paused: nothing is changed"},
      {"paused, wherever that is",
       0,
       2,
       {},
       {.paused = true},
       {entries(50), entries(0)},
       2,
       "paused: nothing is changed"},
  };
  for (const auto& [why, min, replicas, idle, pause, triggers, expected, text] : cases) {
    SCOPED_TRACE(why);
    auto policy = worker();
    policy.triggers.push_back(policy.triggers.front());
    policy.min_replicas = {min};
    policy.pause = pause;
    policy.behavior.emplace();
    if (pause.scale_in) policy.behavior->scale_down.emplace().stabilization_window = 0s;
    First first(policy, replicas, triggers);
    const auto decision = first.look();
    EXPECT_EQ(decision.replicas, Replicas{expected});
    ASSERT_FALSE(decision.steps.empty());
    EXPECT_EQ(first.text(decision.steps[0].code), text);
  }
}

TEST(ByTriggers, APauseIsLookedAtOnceAPollingInterval) {
  auto policy = worker();
  policy.pause.paused = true;
  First first(policy, 2, {entries(50)});
  first.look();
  first.seen.now += 1s;
  const auto between = first.look();
  EXPECT_TRUE(between.steps.empty()) << "neither KEDA's turn nor the HPA's";
  EXPECT_EQ(between.replicas, Replicas{2});
  EXPECT_EQ(between.reason(), "");
}

TEST(ByTriggers, AFallbackHasItsTurnWhereNoneIsActive) {
  auto policy = worker();
  policy.fallback = policy::Fallback{3, {6}, policy::Fallback::Behavior::static_};
  First first(policy, 3, {unreachable()});
  EXPECT_EQ(first.look().replicas, Replicas{3});
  EXPECT_EQ(first.text(step::kTriggerFails),
            "a trigger fails and none is active: the fallback's turn");
}

TEST(ByTriggers, ARefusedWakeIsTriedAgain) {
  World world(worker());
  world.policy.polling_interval = 15s;
  const auto refused = world.look({entries(5)}, true);
  EXPECT_EQ(refused.replicas, Replicas{0});
  EXPECT_TRUE(refused.error);
  EXPECT_FALSE(world.memory.keda.last_active) << "nothing was woken";
  EXPECT_EQ(world.look({entries(5)}).replicas, Replicas{1});
}

TEST(ByTriggers, MemoryGoesThroughTheJournal) {
  auto policy = worker();
  policy.fallback = policy::Fallback{3, {6}, policy::Fallback::Behavior::static_};
  World world(policy), saved(policy);
  for (int i = 0; i < 40; ++i) {
    const auto reading = i % 7 == 3 ? unreachable() : entries(i % 11);
    EXPECT_EQ(to_json(world.look({reading})), to_json(saved.look({reading}))) << i;
    const auto back = memory_from_json(to_json(saved.memory));
    ASSERT_TRUE(back) << back.error().what;
    EXPECT_EQ(*back, saved.memory);
    saved.memory = *back;
  }
}

}  // namespace
}  // namespace headroom::decide
