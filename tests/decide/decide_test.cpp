#include "decide/decide.h"

#include <gmock/gmock.h>

#include "decide/live.h"
#include "decide/record.h"
#include "decide/steps.h"

namespace headroom::decide {
namespace {

using namespace make;  // NOLINT
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;

std::vector<std::string> codes(const Decision& decision) {
  std::vector<std::string> found;
  for (const auto& step : decision.steps) found.emplace_back(step.code);
  return found;
}

std::vector<std::string> texts(const Decision& decision) {
  std::vector<std::string> found;
  for (const auto& step : decision.steps) found.push_back(step.text);
  return found;
}

auto condition(const char* type, bool holds, const char* reason) {
  const Truth status = holds ? Truth::yes : Truth::no;
  return AllOf(Field(&Condition::type, type), Field(&Condition::status, status),
               Field(&Condition::reason, reason));
}

TEST(Decide, AStepToSixReplicasWorthIsAnsweredWithinTwoSeconds) {
  for (const bool limited : {true, false}) {
    SCOPED_TRACE(limited ? "what does not fit waits" : "one replica takes all of it");
    Live live(by_concurrency(1, 8, 10s), 1);
    if (!limited) {
      live.policy.concurrency->container_concurrency = 0;
      live.policy.concurrency->target = 10;
    }
    live.offered = 5;
    EXPECT_EQ(live.look_for(30s).replicas, Replicas{1});
    live.offered = 41;  // seven of which are aimed at per replica
    const Instant step = live.now;
    while (live.current < Replicas{6} && live.now < step + 10s) live.look();
    EXPECT_EQ(live.current, Replicas{6});
    EXPECT_LE(live.now - step, 2s);
    for (int i = 0; i < 240; ++i) {
      EXPECT_EQ(live.look().replicas, Replicas{6}) << "a steady load moves nothing";
    }
  }
}

TEST(Decide, WaitingRequestsAreAnsweredAtTheFirstLook) {
  Live live(by_concurrency(1, 20), 1);
  live.look_for(5s);
  live.burst = 60;
  const auto decision = live.look();
  EXPECT_EQ(decision.replicas, Replicas{9});
  EXPECT_EQ(decision.reason(),
            "50 waiting and 10 running now of 7 per replica (70% of 10) → 9 replicas");
  live.burst = 0;
  EXPECT_EQ(live.look_for(30s).replicas, Replicas{9}) << "held for a window";
  EXPECT_THAT(codes(live.look()), Contains(step::kWaitingHeld));
  EXPECT_EQ(live.look_for(60s).replicas, Replicas{1});
}

TEST(Decide, FromZeroOneRequestStartsOneAtOnce) {
  Live live(by_concurrency(0, 8));
  EXPECT_EQ(live.look_for(60s).replicas, Replicas{0});
  EXPECT_EQ(live.look().look_again, 15s) << "at zero with nothing happening";
  live.burst = 1;
  const auto decision = live.look();
  EXPECT_EQ(decision.replicas, Replicas{1});
  EXPECT_THAT(decision.reason(), HasSubstr("1 waiting"));
  EXPECT_LE(decision.look_again, 1s);
}

TEST(Decide, FromZeroABurstStartsWhatItNeeds) {
  Live live(by_concurrency(0, 8));
  live.look_for(60s);
  live.burst = 30;
  EXPECT_EQ(live.look().replicas, Replicas{5});
}

TEST(Decide, FromZeroByCpuAloneStartsOne) {
  Live live(by_cpu(0, 8, 70));
  live.look_for(10s);
  live.burst = 30;
  const auto decision = live.look();
  EXPECT_EQ(decision.replicas, Replicas{1});
  EXPECT_EQ(decision.reason(), "30 requests wait at zero → 1 replica");
}

TEST(Decide, WhenTheLoadGoesTheReplicasGoGraduallyAndToZeroAfterTheCooldown) {
  Live live(by_concurrency(0, 8, 10s));
  live.policy.cooldown_period = 40s;
  live.offered = 41;
  EXPECT_EQ(live.look_for(30s).replicas, Replicas{6});
  live.offered = 0;
  const Instant gone = live.now;
  std::vector<int> seen = {6};
  Instant zero{};
  while (live.now < gone + 60s) {
    const auto decision = live.look();
    if (decision.replicas.count != seen.back()) seen.push_back(decision.replicas.count);
    if (decision.replicas.count == 0 && zero == Instant{}) zero = live.now;
  }
  EXPECT_TRUE(std::ranges::is_sorted(seen, std::greater<>())) << ::testing::PrintToString(seen);
  EXPECT_GE(seen.size(), 4U) << ::testing::PrintToString(seen);
  EXPECT_EQ(seen[seen.size() - 2], 1);
  EXPECT_EQ(seen.back(), 0);
  EXPECT_GE(zero - gone, 39s);
  EXPECT_LE(zero - gone, 41s);
}

TEST(Decide, ACooldownShorterThanTheWindowSleepsAndStaysAsleep) {
  Live live(by_concurrency(0, 8, 60s));
  live.policy.cooldown_period = 5s;
  live.offered = 20;
  live.look_for(60s);
  live.offered = 0;
  EXPECT_EQ(live.look_for(8s).replicas, Replicas{0}) << "an old average must not hold it";
  EXPECT_EQ(live.look_for(8s).replicas, Replicas{0}) << "nor wake it";
  live.burst = 1;
  EXPECT_EQ(live.look().replicas, Replicas{1}) << "nor wake it larger than asked";
}

TEST(Decide, ScaleDownDelayHoldsOffZeroToo) {
  Live live(by_concurrency(0, 8, 10s));
  live.policy.cooldown_period = 1s;
  live.policy.concurrency->scale_down_delay = 30s;
  live.offered = 5;
  live.look_for(5s);
  live.offered = 0;
  EXPECT_EQ(live.look_for(25s).replicas, Replicas{1});
  EXPECT_EQ(live.look_for(10s).replicas, Replicas{0});
}

TEST(Decide, TheLastReplicaIsRetainedAfterAWindowWithoutARequest) {
  Live live(by_concurrency(0, 8, 10s));
  live.policy.cooldown_period = 1s;
  live.policy.concurrency->scale_to_zero_pod_retention_period = 20s;
  live.offered = 5;
  live.look_for(5s);
  live.offered = 0;
  EXPECT_EQ(live.look_for(29s).replicas, Replicas{1});
  EXPECT_EQ(live.look_for(2s).replicas, Replicas{0});
}

TEST(Decide, BeginsWithTheInitialScaleUntilThatWasReadyOnce) {
  Live live(by_concurrency(0, 8, 10s));
  live.policy.cooldown_period = 5s;
  live.policy.concurrency->initial_scale = 3;
  const auto first = live.look();
  EXPECT_EQ(first.replicas, Replicas{3});
  EXPECT_EQ(first.reason(), "begins with 3 until they were ready once → 3 replicas");
  EXPECT_FALSE(live.memory.concurrency.initialised);
  EXPECT_EQ(live.look_for(30s).replicas, Replicas{0}) << "nothing was asked for";
  EXPECT_TRUE(live.memory.concurrency.initialised) << "a sleep does not begin anew";
  EXPECT_EQ(live.look_for(5s).replicas, Replicas{0});
  live.burst = 1;
  EXPECT_EQ(live.look().replicas, Replicas{1});
}

TEST(Decide, RoomForABurstIsKeptOnlyWhileAwake) {
  Live live(by_concurrency(0, 8, 10s));
  live.policy.cooldown_period = 20s;
  live.policy.concurrency->target_burst_capacity = 25;
  EXPECT_EQ(live.look_for(5s).replicas, Replicas{0});
  live.burst = 1;
  EXPECT_EQ(live.look().replicas, Replicas{3});
  live.burst = 0;
  EXPECT_EQ(live.look_for(15s).replicas, Replicas{3});
  EXPECT_EQ(live.look_for(10s).replicas, Replicas{0});
}

TEST(Decide, ARestartWithTheMemoryFromTheJournalChangesNoDecision) {
  for (const bool by_load : {true, false}) {
    SCOPED_TRACE(by_load ? "concurrency" : "cpu");
    auto policy = by_load ? by_concurrency(0, 8, 10s) : by_cpu(0, 8, 50);
    policy.behavior.emplace().scale_down.emplace().stabilization_window = 20s;
    Live straight(policy), restarted(policy);
    for (int i = 0; i < 600; ++i) {
      const double offered = i % 170 < 100 ? (i * 7) % 45 : 0.3;
      straight.offered = restarted.offered = offered;
      auto back = memory_from_json(to_json(restarted.memory));
      ASSERT_TRUE(back) << back.error().what;
      ASSERT_EQ(*back, restarted.memory);
      restarted.memory = std::move(*back);
      ASSERT_EQ(straight.look(), restarted.look()) << "look " << i;
    }
  }
}

TEST(Decide, ARestartUnderLoadAfterALongPauseDoesNotBeginAtTheMinimum) {
  for (const bool remembered : {true, false}) {
    SCOPED_TRACE(remembered ? "memory older than its window" : "no memory at all");
    Live live(by_concurrency(1, 8, 10s), 6);
    live.offered = 41;
    live.look_for(20s);
    live.now += 1h;
    if (!remembered) live.memory = {};
    live.offered = 0;  // the clients have not come back yet
    EXPECT_EQ(live.look().replicas, Replicas{6});
    live.offered = 41;
    EXPECT_EQ(live.look_for(20s).replicas, Replicas{6});
  }
}

TEST(Decide, FirstCalls) {
  struct Case {
    const char* why;
    policy::Autoscaler policy;
    std::int32_t current, expected;
    const char* reason;
  };
  auto nothing_named = by_concurrency(1, 4);
  nothing_named.concurrency.reset();
  const Case cases[] = {
      {"nothing runs yet, one is the least", by_concurrency(1, 4), 0, 1,
       "at least 1 (minReplicas) → 1 replica"},
      {"by cpu alike", by_cpu(1, 4, 50), 0, 1, "at least 1 (minReplicas) → 1 replica"},
      {"Knative's defaults where nothing is named", nothing_named, 0, 1,
       "at least 1 (minReplicas) → 1 replica"},
      {"three is the least", by_concurrency(3, 4), 0, 3, "at least 3 (minReplicas) → 3 replicas"},
      {"more run than may", by_cpu(1, 4, 50), 9, 4, "at most 4 (maxReplicas) → 4 replicas"},
      {"more run than may, by load", by_concurrency(1, 4), 9, 4,
       "at most 4 (maxReplicas) → 4 replicas"},
      {"zero is enough", by_concurrency(0, 4), 0, 0,
       "concurrency 0 over 1 s of 7 per replica (70% of 10) → 0 replicas"},
      {"none may run", by_concurrency(0, 0), 0, 0,
       "concurrency 0 over 1 s of 7 per replica (70% of 10) → 0 replicas"},
      {"none may run, but some do", by_cpu(0, 0, 50), 2, 0, "at most 0 (maxReplicas) → 0 replicas"},
  };
  for (const auto& [why, policy, current, expected, reason] : cases) {
    SCOPED_TRACE(why);
    Memory memory;
    auto seen = observation(kStart, current, current);
    seen.load = Load{};
    const auto decision = decide(policy, seen, memory);
    EXPECT_EQ(decision.current, Replicas{current});
    EXPECT_EQ(decision.replicas, Replicas{expected});
    EXPECT_EQ(decision.reason(), reason);
  }
}

TEST(Decide, AMaximumOfZeroHoldsAtZeroWhateverWaits) {
  Live live(by_concurrency(0, 0));
  live.burst = 100;
  EXPECT_EQ(live.look_for(10s).replicas, Replicas{0});
}

TEST(Decide, NoReadingHolds) {
  Live live(by_concurrency(0, 8, 10s));
  live.policy.cooldown_period = 5s;
  live.offered = 20;
  live.look_for(20s);
  const Replicas before = live.current;
  live.gateway = false;
  const auto decision = live.look_for(120s);
  EXPECT_EQ(decision.replicas, before);
  EXPECT_THAT(decision.conditions, Contains(condition("ScalingActive", false, "FailedGetLoad")));
  EXPECT_EQ(decision.steps.back().code, step::kNothingReadable);
}

TEST(Decide, WithoutAGatewayItDoesNotGoToZero) {
  auto policy = by_cpu(0, 8, 50);
  policy.gateway.reset();
  Live live(policy);
  live.gateway = false;
  EXPECT_EQ(live.look().replicas, Replicas{1}) << "nothing would wake it";
  EXPECT_EQ(live.look_for(20min).replicas, Replicas{1});
}

TEST(Decide, AFailedMetricBlocksGoingDownNeverUp) {
  auto policy = by_concurrency(1, 8, 10s);
  policy.metrics = by_cpu(1, 8, 50).metrics;  // no replica of Live has a reading
  Live live(policy, 4);
  live.offered = 3;
  auto decision = live.look_for(60s);
  EXPECT_EQ(decision.replicas, Replicas{4});
  EXPECT_EQ(decision.steps.back().text, "not down while cpu cannot be read → 4 replicas");
  EXPECT_THAT(decision.conditions,
              Contains(condition("ScalingActive", false, "FailedGetResourceMetric")));
  live.offered = 41;
  decision = live.look_for(10s);
  EXPECT_EQ(decision.replicas, Replicas{6});
  EXPECT_THAT(decision.conditions, Contains(condition("ScalingActive", true, "ValidMetricFound")));
}

TEST(Decide, ADefaultBehaviorIsForMetricsAlone) {
  const auto cpu_of = [](Instant now, std::int32_t count, double used) {
    auto seen = observation(now, count, count);
    for (auto& each : seen.replicas) each.cpu = cores(used, now);
    Load busy = load(count, now);
    seen.load = busy;
    return seen;
  };
  Memory memory;
  const auto by = by_cpu(1, 50, 50);
  auto decision = decide(by, cpu_of(kStart, 4, 4.0), memory);
  EXPECT_EQ(decision.replicas, Replicas{8}) << "twice at most";
  EXPECT_EQ(
      decision.reason(),
      "cpu 400% of 50% → 32 replicas; without a behavior at most doubled in 10 s → 8 replicas");
  EXPECT_THAT(decision.conditions, ElementsAre(condition("ScalingActive", true, "ValidMetricFound"),
                                               condition("AbleToScale", true, "ReadyForNewScale"),
                                               condition("ScalingLimited", true, "ScaleUpLimit")));
  decision = decide(by, cpu_of(kStart + 250ms, 8, 4.0), memory);
  EXPECT_EQ(decision.replicas, Replicas{8}) << "and not twice again at the next look";
  decision = decide(by, cpu_of(kStart + 20s, 8, 0.1), memory);
  EXPECT_EQ(decision.replicas, Replicas{16}) << "upstream goes by the highest of the window";
  memory = {};
  decide(by, cpu_of(kStart, 8, 0.5), memory);
  decision = decide(by, cpu_of(kStart + 20s, 8, 0.1), memory);
  EXPECT_EQ(decision.replicas, Replicas{8});
  EXPECT_EQ(decision.reason(),
            "cpu 10% of 50% → 2 replicas; held at 8 for another 4 min 40 s by the 5 min window");
  EXPECT_THAT(decision.conditions, Contains(condition("AbleToScale", true, "ScaleDownStabilized")));
  decision = decide(by, cpu_of(kStart + 321s, 8, 0.1), memory);
  EXPECT_EQ(decision.replicas, Replicas{2});

  Live live(by_concurrency(1, 50, 10s), 1);
  live.burst = 300;
  EXPECT_EQ(live.look().replicas, Replicas{43}) << "no such limits by load";
}

TEST(Decide, ABehaviorThatIsGivenHoldsForLoadToo) {
  auto policy = by_concurrency(0, 50, 10s);
  policy.behavior.emplace().scale_up.emplace().policies = {
      {policy::ScalingPolicy::Type::percent, 100, 10s}};
  Live live(policy);
  live.burst = 300;
  EXPECT_EQ(live.look().replicas, Replicas{1}) << "a percentage of zero must not forbid the first";
  EXPECT_EQ(live.look().replicas, Replicas{1});
  live.look_for(11s);
  EXPECT_LE(live.current, Replicas{4});
}

TEST(Decide, TheReasonIsTheWinnersChain) {
  auto policy = by_concurrency(1, 8, 10s);
  policy.metrics = by_cpu(1, 8, 50).metrics;
  auto seen = observation(kStart, 2, 2);
  for (auto& each : seen.replicas) each.cpu = cores(0.9, kStart);
  seen.load = load(20, kStart, 100);
  Memory memory;
  const auto decision = decide(policy, seen, memory);
  EXPECT_EQ(decision.replicas, Replicas{8});
  EXPECT_THAT(codes(decision), ElementsAre(step::kUtilization, step::kConcurrency, step::kWaiting,
                                           step::kLargestWins, step::kTooManyReplicas));
  EXPECT_EQ(decision.reason(),
            "100 waiting and 20 running now of 7 per replica (70% of 10) → 18 replicas; at most 8 "
            "(maxReplicas) → 8 replicas");
}

TEST(Decide, EveryCodeThatOccursIsListed) {
  Live live(by_concurrency(0, 8, 10s));
  for (int i = 0; i < 2000; ++i) {
    live.offered = i % 500 < 250 ? i % 60 : 0;
    live.policy.cooldown_period = 20s;
    for (const auto& code : codes(live.look())) {
      EXPECT_EQ(std::ranges::count(kSteps, code, &StepKind::code), 1) << code;
    }
  }
}

TEST(Decide, AnOperatorsWordIsTheLast) {
  struct Case {
    const char* why;
    Hold hold;
    double offered;
    std::int32_t replicas;
    const char* text;
  };
  const Case cases[] = {
      {"more than the load takes", {{5}, std::nullopt, false}, 0, 5, "pinned at 5 until resumed"},
      {"less than it takes", {{1}, kStart + 1h, false}, 40, 1, "pinned at 1 for another 1 h"},
      {"at zero, whoever waits", {{0}, std::nullopt, false}, 40, 0, "pinned at 0 until resumed"},
      {"below the minimum", {{0}, std::nullopt, false}, 0, 0, "pinned at 0 until resumed"},
      {"a pause", {{3}, std::nullopt, true}, 40, 3, "paused at 3 until resumed"},
      {"the maximum came down since", {{9}, std::nullopt, false}, 0, 8, "pinned at 8"},
  };
  for (const auto& [why, hold, offered, replicas, text] : cases) {
    SCOPED_TRACE(why);
    Live live(by_concurrency(1, 8), 3);
    live.offered = offered;
    live.memory.hold = hold;
    const auto decision = live.look();
    EXPECT_EQ(decision.replicas, Replicas{replicas});
    EXPECT_EQ(decision.steps.back().code, step::kPinned);
    EXPECT_THAT(decision.steps.back().text, HasSubstr(text));
    EXPECT_THAT(decision.reason(), HasSubstr(text));
    EXPECT_EQ(live.look_for(30s).replicas, Replicas{replicas}) << "and so it stays";
    EXPECT_THAT(live.look().reason(), HasSubstr(hold.pause ? "paused at" : "pinned at"));
  }
}

TEST(Decide, WhatAPinKeepsFromSleepIsRememberedUntilItSleeps) {
  struct Case {
    const char* why;
    Hold hold;
    const char* held;
  };
  const Case cases[] = {
      {"a pin", {{3}, std::nullopt, false}, "pinned at 3 until resumed"},
      {"one that ends", {{3}, kStart + 1h, false}, "pinned at 3 for another"},
      {"a pause", {{3}, std::nullopt, true}, "paused at 3 until resumed"},
  };
  for (const auto& [why, hold, held] : cases) {
    SCOPED_TRACE(why);
    Live live(by_concurrency(0, 8, 10s));
    live.policy.cooldown_period = 20s;
    live.offered = 5;
    live.look_for(5s);
    live.offered = 0;
    EXPECT_EQ(live.look_for(100s).replicas, Replicas{0});
    live.memory.hold = hold;
    live.look_for(12s);
    // A restart finds what was remembered.
    live.memory = *memory_from_json(to_json(live.memory));
    EXPECT_THAT(
        texts(live.look()),
        ElementsAre("concurrency 0 over 10 s of 7 per replica (70% of 10) → 0 replicas",
                    "falls in 2 s to no less than 3 ready / 2, rounded down → 1 replica",
                    "no request for 112 s, to zero after 20 s → 0 replicas", HasSubstr(held)));
    live.memory.hold.reset();
    const auto slept = live.look();
    EXPECT_EQ(slept.replicas, Replicas{0});
    EXPECT_THAT(slept.reason(), HasSubstr("no request for"));
    EXPECT_EQ(live.memory.concurrency, ConcurrencyMemory{.initialised = true}) << "once it sleeps";
    EXPECT_THAT(texts(live.look()),
                ElementsAre("concurrency 0 over 1 s of 7 per replica (70% of 10) → 0 replicas",
                            "at zero and nothing waits"));
    live.burst = 8;
    EXPECT_EQ(live.look().replicas, Replicas{2}) << "as many as wait ask for";
  }
}

TEST(Decide, APinAtZeroIsASleepToo) {
  Live live(by_concurrency(0, 8, 10s), 6);
  EXPECT_THAT(codes(live.look()), Contains(step::kStartHeld)) << "nothing is known of the load";
  live.memory.hold = Hold{.replicas = {0}};
  EXPECT_EQ(live.look().replicas, Replicas{0});
  EXPECT_EQ(live.memory.concurrency, ConcurrencyMemory{.initialised = true});
  live.look_for(2s);
  live.memory.hold.reset();
  EXPECT_THAT(codes(live.look()), ElementsAre(step::kConcurrency, step::kAsleep));
  live.burst = 1;
  EXPECT_EQ(live.look().replicas, Replicas{1});
}

TEST(Decide, AMinimumIsNotAStartWhileAPinHoldsAtZero) {
  Live live(by_concurrency(2, 8, 10s), 2);
  live.look_for(20s);
  live.memory.hold = Hold{.replicas = {0}};
  live.look_for(1s);
  live.now += 15s;  // so seldom is it looked at
  EXPECT_THAT(codes(live.look()), ElementsAre(step::kTooFewReplicas, step::kConcurrency,
                                              step::kTooFewReplicas, step::kPinned));
}

TEST(Decide, APinEndsByItself) {
  Live live(by_concurrency(0, 8));
  live.memory.hold = Hold{.replicas = {4}, .until = live.now + 10s};
  EXPECT_EQ(live.look().replicas, Replicas{4});
  EXPECT_EQ(live.look().look_again, 1s);
  live.look_for(9s);
  EXPECT_LE(live.look().look_again, 750ms) << "it is looked at when it ends";
  live.look_for(1s);
  EXPECT_FALSE(live.memory.hold);
  EXPECT_LT(live.look_for(30s).replicas, Replicas{4});
}

}  // namespace
}  // namespace headroom::decide
