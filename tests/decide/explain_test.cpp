#include "decide/explain.h"

#include <gtest/gtest.h>

#include "decide/make.h"
#include "decide/steps.h"
#include "decide/words.h"

namespace headroom::decide {
namespace {

using namespace make;  // NOLINT
using policy::Metric;

/// One metric of each type, in their order, and memory and an unnamed object.
policy::Autoscaler all_types() {
  policy::Autoscaler made;
  made.metrics = {
      {.name = "cpu"},
      {.type = Metric::Type::container_resource, .name = "cpu", .container = "app"},
      {.type = Metric::Type::pods, .name = "packets"},
      {.type = Metric::Type::object,
       .name = "requests",
       .described_object = policy::ObjectReference{"v1", "Ingress", "main"}},
      {.type = Metric::Type::external, .name = "queue"},
      {.name = "memory"},
      {.type = Metric::Type::object, .name = "requests"},
      {.type = Metric::Type::container_resource, .name = "memory", .container = "app"},
  };
  return made;
}

std::string text_of(const policy::Autoscaler& policy, const Observation& seen, Step step) {
  Decision decision;
  decision.steps = {std::move(step)};
  put_into_words(policy, seen, decision);
  return decision.steps[0].text;
}

TEST(Explain, WhatAMetricAsksFor) {
  constexpr double kMiB = 1024.0 * 1024 * 1000;
  struct Case {
    const char* why;
    std::int32_t source;
    std::string_view code;
    std::array<double, 4> inputs;
    std::int32_t after;
    const char* expected;
  };
  const Case cases[] = {
      {"percent", 0, step::kUtilization, {83, 60, 0, 1.38}, 7, "cpu 83% of 60% → 7 replicas"},
      {"one", 0, step::kUtilization, {3, 60, 0, 0.05}, 1, "cpu 3% of 60% → 1 replica"},
      {"inside the tolerance, above",
       0,
       step::kUtilization,
       {63, 60, 0, 1.05},
       4,
       "cpu 63% of 60% (within 20% of it) → 4 replicas"},
      {"inside the tolerance, below",
       0,
       step::kUtilization,
       {57, 60, 0, 0.95},
       4,
       "cpu 57% of 60% (within 10% of it) → 4 replicas"},
      {"filled in on the way down",
       0,
       step::kUtilization,
       {20, 60, 2, 0.33},
       3,
       "cpu 20% of 60% (2 without a reading count as full) → 3 replicas"},
      {"filled in on the way up",
       0,
       step::kUtilization,
       {90, 60, 1, 1.5},
       5,
       "cpu 90% of 60% (1 without a reading counts as idle) → 5 replicas"},
      {"of a container",
       1,
       step::kUtilization,
       {90, 60, 0, 1.5},
       5,
       "cpu of container app 90% of 60% → 5 replicas"},
      {"per replica",
       2,
       step::kAverageValue,
       {1500, 500, 0, 3},
       6,
       "packets 1.5 of 0.5 per replica → 6 replicas"},
      {"memory has a unit",
       5,
       step::kAverageValue,
       {300 * kMiB, 100 * kMiB, 0, 3},
       6,
       "memory 300 MiB of 100 MiB per replica → 6 replicas"},
      {"... also a container's",
       7,
       step::kAverageValue,
       {300 * kMiB, 100 * kMiB, 0, 3},
       6,
       "memory of container app 300 MiB of 100 MiB per replica → 6 replicas"},
      {"one number for all, with the object it is of",
       3,
       step::kValue,
       {12'000, 4000, 2, 3},
       6,
       "requests of Ingress main 12 of 4 → 6 replicas"},
      {"an object that is not named",
       6,
       step::kValue,
       {8000, 4000, 2, 2},
       4,
       "requests 8 of 4 → 4 replicas"},
      {"one number, shared",
       4,
       step::kAverageOfAll,
       {30'000, 7000, 2, 2.14},
       5,
       "queue 30 at 7 per replica → 5 replicas"},
      {"the winner", 4, step::kLargestWins, {}, 5, "queue asks for the most → 5 replicas"},
      {"absurd values are said, not computed with",
       5,
       step::kValue,
       {1e300, -1e300, 0, 0},
       2,
       "memory 8367 TiB of -9200000000000000 B → 2 replicas"},
  };
  auto policy = all_types();
  policy.behavior.emplace().scale_up.emplace().tolerance = 0.2;
  for (const auto& [why, source, code, inputs, after, expected] : cases) {
    SCOPED_TRACE(why);
    const Step step{.code = code, .after = {after}, .inputs = inputs, .source = source};
    EXPECT_EQ(text_of(policy, {}, step), expected);
  }
}

TEST(Explain, WhyAMetricAsksForNothing) {
  auto seen = observation(kStart, 2, 2);
  seen.replicas[0].deleting = true;  // what it says does not matter
  seen.replicas[0].cpu = none(Absent::Reason::negative);
  seen.replicas[1].cpu = tl::unexpected<Absent>(Absent{Absent::Reason::timeout, "no route"});
  seen.replicas[1].memory = none(Absent::Reason::stale);
  auto with_metrics = seen;
  with_metrics.metrics.resize(3);
  with_metrics.metrics[0].failed = Absent{Absent::Reason::unreachable, "connection refused"};
  with_metrics.metrics[1].of_replicas = {none(), none(Absent::Reason::not_finite)};
  with_metrics.metrics[2].of_replicas = {none()};
  auto just_ready = observation(kStart, 3, 3);
  just_ready.replicas[1].ready->status = Truth::no;
  just_ready.replicas[1].cpu = just_ready.replicas[2].cpu = Measured{{500}, kStart, 10s};
  just_ready.replicas[2].id = 4;
  just_ready.replicas[2].ready->since = kStart - 3200ms;
  auto read_before = just_ready;
  read_before.replicas[2].ready->since = kStart + 1s;
  struct Case {
    const char* why;
    std::int32_t source;
    std::string_view code;
    const Observation* seen;
    const char* expected;
  };
  const Case cases[] = {
      {"the source, with its answer", 0, step::kSourceFailed, &with_metrics,
       "cpu: unreachable (connection refused)"},
      {"a failure that the observation does not have", 0, step::kSourceFailed, &seen,
       "cpu: no data"},
      {"held by a metric", 0, step::kFailedHolds, &seen,
       "not down while cpu cannot be read → 0 replicas"},
      {"the first replica that counts says why", 0, step::kNoReading, &seen,
       "cpu: timeout (no route)"},
      {"memory's own reason", 5, step::kNoReading, &seen, "memory: stale"},
      {"of a metric from elsewhere", 1, step::kNoReading, &with_metrics,
       "cpu of container app: not finite"},
      {"nobody gave a reason", 2, step::kNoReading, &with_metrics, "packets: no data"},
      {"not ready", 0, step::kNotReady, &seen, "cpu: no replica is ready yet"},
      {"ready, but not for long", 0, step::kNotReady, &just_ready,
       "cpu: replica 4 was ready for 3.2 s of the 10 s that its reading is over"},
      {"read before it was ready", 0, step::kNotReady, &read_before,
       "cpu: replica 4 was ready for 0 s of the 10 s that its reading is over"},
      {"none runs", 2, step::kNoReplicas, &seen, "packets: no replica runs yet"},
      {"no request", 0, step::kNoRequest, &seen, "cpu: a container requests none of it"},
      {"no target", 4, step::kNoTarget, &seen, "queue: it has no target"},
  };
  const auto policy = all_types();
  for (const auto& [why, source, code, observation, expected] : cases) {
    SCOPED_TRACE(why);
    EXPECT_EQ(text_of(policy, *observation, {.code = code, .source = source}), expected);
  }
}

TEST(Explain, WhatCameOfIt) {
  struct Case {
    std::string_view code;
    double input;
    std::int32_t after;
    const char* expected;
  };
  const Case cases[] = {
      {step::kNothingReadable, 0, 3, "nothing could be read: held → 3 replicas"},
      {step::kFailedHolds, 0, 3, "not down while not all can be read → 3 replicas"},
      {step::kScaleUpStabilized, 60, 3, "held at 3 for another 1 s by the 60 s window"},
      {step::kScaleDownStabilized, 300, 3, "held at 3 for another 1 s by the 5 min window"},
      {step::kTooManyReplicas, 3, 3, "at most 3 (maxReplicas) → 3 replicas"},
      {step::kTooFewReplicas, 1, 1, "at least 1 (minReplicas) → 1 replica"},
      {step::kScaleUpLimit, 3, 3, "without a behavior at most doubled in 10 s → 3 replicas"},
      {step::kScaleDownLimit, 3, 3, "without a behavior at most doubled in 10 s → 3 replicas"},
      {step::kScalingDisabled, 0, 0, "at zero because somebody set it so; 1 or more scales again"},
      {step::kInvalidSelector, 0, 3, "the target does not say which replicas it has"},
  };
  for (const auto& [code, input, after, expected] : cases) {
    SCOPED_TRACE(code);
    EXPECT_EQ(text_of({}, {}, {.code = code, .after = {after}, .inputs = {input, 0.5}}), expected);
  }
}

TEST(Explain, WhatHoldsTheSpeed) {
  using Select = policy::ScalingRules::Select;
  policy::Autoscaler plain, of_object, disabled, rated;
  of_object.target.scale_target_ref.emplace();
  disabled.behavior.emplace().scale_up.emplace().select_policy = Select::disabled;
  rated.behavior.emplace().scale_down.emplace();
  struct Case {
    const char* why;
    policy::Autoscaler policy;
    std::string_view code;
    const char* expected;
  };
  const Case cases[] = {
      {"processes are looked at often", plain, step::kScaleUpLimit,
       "without a behavior at most doubled in 10 s → 8 replicas"},
      {"as the HPA, at each look", of_object, step::kScaleUpLimit,
       "without a behavior at most doubled → 8 replicas"},
      {"switched off", disabled, step::kScaleUpLimit, "behavior.scaleUp is Disabled → 8 replicas"},
      {"the other way has defaults", disabled, step::kScaleDownLimit,
       "behavior.scaleDown allows no further yet → 8 replicas"},
      {"its policies", rated, step::kScaleDownLimit,
       "behavior.scaleDown allows no further yet → 8 replicas"},
  };
  for (const auto& [why, policy, code, expected] : cases) {
    SCOPED_TRACE(why);
    EXPECT_EQ(text_of(policy, {}, {.code = code, .after = {8}}), expected);
  }
}

TEST(Explain, BetweenZeroAndOne) {
  auto paused = policy::Autoscaler{};
  paused.pause.paused = true;
  auto rps = by_concurrency(0, 9);
  rps.concurrency->metric = policy::Concurrency::Metric::rps;
  auto all_used = by_concurrency(0, 9);
  all_used.concurrency->target_utilization_percentage = 100;
  const auto shop = by_concurrency(0, 9);
  Observation seen;
  seen.load = load(1, kStart);
  struct Case {
    const char* why;
    policy::Autoscaler policy;
    std::string_view code;
    std::array<double, 4> inputs;
    std::int32_t before, after;
    const char* expected;
  };
  const Case cases[] = {
      {"", {}, step::kWoken, {}, 0, 1, "a trigger is active → 1 replica"},
      {"",
       {},
       step::kSlept,
       {300},
       1,
       0,
       "no trigger is active, and none was for 5 min → 0 replicas"},
      {"", {}, step::kRaised, {}, 1, 2, "below minReplicas → 2 replicas"},
      {"", {}, step::kCoolingDown, {12.5}, 1, 1, "no trigger is active; down in 12.5 s"},
      {"", {}, step::kTriggerActive, {0}, 1, 1, "a trigger is active"},
      {"", {}, step::kTriggerActive, {1}, 1, 1, "a trigger is active, another fails"},
      {"",
       {},
       step::kTriggerFails,
       {0},
       1,
       1,
       "a trigger fails and none is active: held → 1 replica"},
      {"",
       {},
       step::kTriggerFails,
       {1},
       1,
       1,
       "a trigger fails and none is active: the fallback's turn"},
      {"", {}, step::kTriggersInactive, {}, 1, 1, "no trigger is active"},
      {"its number is set", paused, step::kPaused, {0}, 1, 2, "paused → 2 replicas"},
      {"or it stays", paused, step::kPaused, {1}, 2, 2, "paused: nothing is changed"},
      {"one way alone",
       {},
       step::kPaused,
       {1},
       0,
       0,
       "a trigger is active, but scaling out is paused: held → 0 replicas"},
      {"and the other",
       {},
       step::kPaused,
       {0},
       2,
       2,
       "no trigger is active, but scaling in is paused: held → 2 replicas"},
      {"",
       shop,
       step::kInitialScale,
       {3},
       1,
       3,
       "begins with 3 until they were ready once → 3 replicas"},
      {"one request", shop, step::kActivated, {1}, 0, 1, "1 request waits at zero → 1 replica"},
      {"two", shop, step::kActivated, {2}, 0, 1, "2 requests wait at zero → 1 replica"},
      {"none: against the rates",
       shop,
       step::kActivated,
       {0},
       0,
       1,
       "the first replica at once → 1 replica"},
      {"", shop, step::kActive, {2}, 0, 1, "2 requests open → 1 replica"},
      {"", shop, step::kAsleep, {}, 0, 0, "at zero and nothing waits"},
      {"",
       shop,
       step::kCooldown,
       {12, 300},
       0,
       1,
       "last request 12 s ago, to zero after 5 min → 1 replica"},
      {"",
       shop,
       step::kScaledToZero,
       {301, 300},
       1,
       0,
       "no request for 5 min 1 s, to zero after 5 min → 0 replicas"},
      {"", shop, step::kKeptAwake, {}, 0, 1, "without a gateway nothing would wake it → 1 replica"},
      {"",
       shop,
       step::kConcurrency,
       {14.2, 60, 7},
       1,
       3,
       "concurrency 14.2 over 60 s of 7 per replica (70% of 10) → 3 replicas"},
      {"",
       rps,
       step::kRequestRate,
       {310, 60, 140},
       1,
       3,
       "requests per second 310 over 60 s of 140 per replica (70% of 200) → 3 replicas"},
      {"all of the target",
       all_used,
       step::kConcurrency,
       {14.2, 60, 10},
       1,
       2,
       "concurrency 14.2 over 60 s of 10 per replica → 2 replicas"},
      {"", shop, step::kLoadUnavailable, {}, 1, 1, "the gateway's load: no data"},
      {"", shop, step::kScaleUpRate, {10}, 30, 20, "at most 10 times what is ready → 20 replicas"},
      {"an odd number",
       shop,
       step::kScaleDownRate,
       {2, 3},
       0,
       1,
       "falls in 2 s to no less than 3 ready / 2, rounded down → 1 replica"},
      {"a rate that is not whole",
       shop,
       step::kScaleDownRate,
       {1.5, 11},
       1,
       7,
       "falls in 2 s to no less than 11 ready / 1.5, rounded down → 7 replicas"},
      {"", shop, step::kActivationScale, {3}, 1, 3, "at least 3 under any load → 3 replicas"},
      {"by the load",
       shop,
       step::kPanic,
       {20, 7, 3, 0},
       1,
       3,
       "panic: concurrency 20 over 6 s of 7 per replica (70% of 10) → 3 replicas"},
      {"by its peak, which a maximum keeps from being ready",
       shop,
       step::kPanic,
       {12, 7, 2, 0},
       1,
       3,
       "still over the panic threshold: the peak is held until 60 s after that → 3 replicas"},
      {"by its peak",
       shop,
       step::kPanic,
       {2, 7, 1, 17.75},
       1,
       3,
       "the panic's peak is held for another 43 s → 3 replicas"},
      {"with Knative's defaults",
       {},
       step::kPanic,
       {2, 70, 1, 18},
       1,
       3,
       "the panic's peak is held for another 42 s → 3 replicas"},
      {"as a document of a longer window said",
       shop,
       step::kPanic,
       {2, 7, 1, 70},
       1,
       3,
       "the panic's peak is held for another 0 s → 3 replicas"},
      {"at a start",
       shop,
       step::kStartHeld,
       {49.3},
       1,
       3,
       "the load was unknown at the start: what was asked for is held for another 50 s → 3 "
       "replicas"},
      {"", shop, step::kScaleDownDelay, {90}, 1, 3, "the most of the last 90 s → 3 replicas"},
      {"",
       shop,
       step::kTargetBurstCapacity,
       {25, 10},
       1,
       3,
       "room for 25 more at once of 10 per replica → 3 replicas"},
      {"",
       shop,
       step::kWaiting,
       {3, 14, 7},
       1,
       3,
       "3 waiting and 14 running now of 7 per replica (70% of 10) → 3 replicas"},
      {"by the limit, where the target is a rate",
       rps,
       step::kWaiting,
       {3, 14, 7},
       1,
       3,
       "3 waiting and 14 running now of 7 per replica (70% of 10) → 3 replicas"},
      {"",
       shop,
       step::kWaitingHeld,
       {2.5, 60},
       1,
       3,
       "for requests that waited 2.5 s ago, held for 60 s → 3 replicas"},
      {"the load",
       shop,
       step::kLargestWins,
       {},
       3,
       3,
       "concurrency asks for the most → 3 replicas"},
  };
  for (const auto& [why, policy, code, inputs, before, after, expected] : cases) {
    SCOPED_TRACE(std::string(code) + " " + why);
    EXPECT_EQ(text_of(policy, seen,
                      {.code = code, .before = {before}, .after = {after}, .inputs = inputs}),
              expected);
  }
  EXPECT_EQ(text_of(shop, {}, {.code = step::kAsleep}), "at zero and the load cannot be read");
  EXPECT_EQ(text_of({}, {}, {.code = "Unheard"}), "Unheard") << "a word that is not ours";
}

TEST(Explain, EachCodeHasWordsAndThoseThatAreThereStay) {
  const auto policy = all_types();
  auto seen = observation(kStart, 1, 1);
  seen.metrics.resize(policy.metrics.size());
  for (auto& metric : seen.metrics) metric.failed = Absent{};
  for (const auto& kind : kSteps) {
    SCOPED_TRACE(kind.code);
    for (const std::int32_t source : {-1, 0, 4, 1000}) {
      EXPECT_FALSE(text_of(policy, seen, {.code = kind.code, .source = source}).empty());
    }
    EXPECT_EQ(text_of(policy, seen, {.code = kind.code, .text = "as it was"}), "as it was");
  }
}

TEST(Explain, AConditionSaysWhatItsStepSays) {
  struct Case {
    const char* why;
    Condition condition;
    const char* expected;
  };
  const Case cases[] = {
      {"the step of the same word",
       {.type = "ScalingLimited", .reason = "TooManyReplicas"},
       "at most 4 (maxReplicas) → 4 replicas"},
      {"the first failure, for what could not be read",
       {.type = "ScalingActive", .reason = "FailedGetExternalMetric"},
       "queue: it has no target"},
      {"no step: what it means",
       {.type = "AbleToScale", .reason = "ReadyForNewScale"},
       "the last recommendation stands"},
      {"a word that is not ours", {.type = "AbleToScale", .reason = "Unheard"}, ""},
      {"a message that is there stays",
       {.type = "AbleToScale", .reason = "TooManyReplicas", .message = "as it was"},
       "as it was"},
  };
  const auto policy = all_types();
  for (const auto& [why, condition, expected] : cases) {
    SCOPED_TRACE(why);
    Decision decision;
    decision.steps = {
        {.code = step::kUtilization, .inputs = {50, 50, 0, 1}, .source = 0},
        {.code = step::kNoTarget, .source = 4},
        {.code = step::kTooManyReplicas, .after = {4}, .inputs = {4}},
    };
    decision.conditions = {condition};
    put_into_words(policy, {}, decision);
    EXPECT_EQ(decision.conditions[0].message, expected);
  }
  for (const auto& kind : kReasons) {
    Decision decision;
    decision.conditions = {{.type = kind.type, .reason = kind.reason}};
    put_into_words(policy, {}, decision);
    EXPECT_FALSE(decision.conditions[0].message.empty()) << kind.reason;
  }
}

TEST(Steps, SayWhetherTheyHoldTheNumber) {
  EXPECT_TRUE(holds({.code = step::kScaleDownStabilized}));
  EXPECT_TRUE(holds({.code = step::kTooManyReplicas}));
  EXPECT_FALSE(holds({.code = step::kConcurrency}));
  EXPECT_FALSE(holds({.code = step::kPanic, .after = {3}, .inputs = {20, 7, 3, 0}}));
  EXPECT_TRUE(holds({.code = step::kPanic, .after = {4}, .inputs = {12, 7, 2, 4}}))
      << "the panic's peak";
}

TEST(Words, TheStagesInTheirOrder) {
  using Stage = Step::Stage;
  EXPECT_STREQ(word(Stage::recommend), "recommend");
  EXPECT_STREQ(word(Stage::combine), "combine");
  EXPECT_STREQ(word(Stage::activate), "activate");
  EXPECT_STREQ(word(Stage::stabilise), "stabilise");
  EXPECT_STREQ(word(Stage::limit), "limit");
}

}  // namespace
}  // namespace headroom::decide
