#include <gtest/gtest.h>

#include "decide/arbitrary.h"
#include "decide/live.h"
#include "decide/record.h"
#include "decide/steps.h"

/// What holds for every policy, world and history; a failure names its seed.
namespace headroom::decide {
namespace {

using namespace make;  // NOLINT

constexpr int kLives = 250;
constexpr int kLooks = 20;

/// Calls `check(policy, observation, memory before, memory after, decision)` through many lives.
template <class Check>
void live_through(const Check& check) {
  for (std::uint32_t seed = 1; seed <= kLives; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    Arbitrary any(seed);
    const auto policy = any.policy();
    Memory memory;
    Instant now = kStart;
    Replicas current = any.replicas();
    for (int look = 0; look < kLooks; ++look) {
      auto seen = any.observation(now);
      if (!any.one_in(10)) seen.current = current;  // else somebody else scaled
      const Memory before = memory;
      const auto decision = decide(policy, seen, memory);
      check(any, policy, seen, before, memory, decision);
      if (::testing::Test::HasFailure()) return;
      current = decision.replicas;
      now += Millis(any.one_in(8) ? any.whole(1, 90'000) : 250);
    }
  }
}

TEST(Properties, NeverOutsideTheBounds) {
  live_through([](auto&, const auto& policy, const auto&, const auto&, const auto&,
                  const Decision& decision) {
    EXPECT_LE(decision.replicas, policy.max_replicas);
    EXPECT_GE(decision.replicas, policy.min_replicas);
  });
}

TEST(Properties, StepsAreAChainOfWordsThatEndsAtTheDecision) {
  live_through(
      [](auto&, const auto&, const auto& seen, const auto&, const auto&, const Decision& decision) {
        EXPECT_EQ(decision.current, seen.current);
        ASSERT_FALSE(decision.steps.empty());
        EXPECT_EQ(decision.steps.back().after, decision.replicas);
        for (const auto& step : decision.steps) {
          EXPECT_FALSE(step.text.empty());
          EXPECT_FALSE(step.code.empty());
        }
        EXPECT_FALSE(decision.reason().empty());
        EXPECT_FALSE(decision.conditions.empty());
        EXPECT_GT(decision.look_again, 0ms);
        EXPECT_LE(decision.look_again, 15s);
      });
}

TEST(Properties, WhatWaitsAtZeroActivates) {
  live_through([](auto&, const auto& policy, const auto& seen, const auto&, const auto&,
                  const Decision& decision) {
    if (seen.current.count == 0 && seen.load && seen.load->waiting > 0 &&
        policy.max_replicas.count > 0) {
      EXPECT_GE(decision.replicas, Replicas{1}) << decision.reason();
    }
  });
}

TEST(Properties, WhatRunsIsNotTakenToZeroWhileRequestsAreOpen) {
  live_through([](auto&, const auto& policy, const auto& seen, const auto&, const auto&,
                  const Decision& decision) {
    if (seen.load && seen.load->waiting + seen.load->running > 0 && policy.max_replicas.count > 0) {
      EXPECT_GE(decision.replicas, Replicas{1}) << decision.reason();
    }
  });
}

TEST(Properties, AFailedReadingNeverScalesDown) {
  live_through([](auto&, const auto& policy, auto seen, Memory before, const auto&,
                  const Decision&) {
    seen.load = tl::unexpected<Absent>(Absent{});
    for (auto& replica : seen.replicas) replica.cpu = replica.memory = none();
    const auto decision = decide(policy, seen, before);
    EXPECT_GE(decision.replicas, std::min(seen.current, policy.max_replicas)) << decision.reason();
  });
}

TEST(Properties, ALargerLoadNeverGetsFewer) {
  live_through([](Arbitrary& any, const auto& policy, auto seen, const Memory& before, const auto&,
                  const Decision& decision) {
    if (!seen.load) return;
    Load& load = *seen.load;
    load.concurrency += any.real(100);
    load.rate += any.real(1000);
    load.running += any.whole(0, 50);
    if (any.one_in(2)) load.waiting += any.whole(0, 50);
    Memory memory = before;
    const auto more = decide(policy, seen, memory);
    EXPECT_GE(more.replicas, decision.replicas) << more.reason() << " | " << decision.reason();
  });
}

TEST(Properties, TheSameArgumentsGiveTheSameAnswerAlsoThroughTheRecord) {
  live_through([](auto&, const auto& policy, const auto& seen, const Memory& before,
                  const Memory& after, const Decision& decision) {
    auto memory = memory_from_json(to_json(before));
    auto observation = observation_from_json(to_json(seen));
    ASSERT_TRUE(memory) << memory.error().what;
    ASSERT_TRUE(observation) << observation.error().what;
    EXPECT_EQ(*memory, before);
    EXPECT_EQ(*observation, seen);
    EXPECT_EQ(decide(policy, *observation, *memory), decision);
    EXPECT_EQ(*memory, after);
    const auto again = decision_from_json(to_json(decision));
    ASSERT_TRUE(again) << again.error().what;
    EXPECT_EQ(*again, decision);
  });
}

/// Operators pin and resume, and requests come and go.
TEST(Properties, ALoadThatWasKnownFromZeroOnIsNeverSaidToHaveBeenUnknown) {
  for (std::uint32_t seed = 1; seed <= kLives; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    Arbitrary any(seed);
    Live live(by_concurrency(any.one_in(3) ? 2 : 0, 8, any.one_in(2) ? 10s : 20s));
    live.policy.cooldown_period = 1s * any.whole(0, 30);
    if (any.one_in(3)) live.policy.behavior.emplace();
    for (int look = 0; look < 400; ++look) {
      if (any.one_in(30)) live.offered = any.one_in(2) ? 0 : any.real(40);
      if (any.one_in(40)) live.memory.hold = Hold{.replicas = any.replicas()};
      if (any.one_in(40)) live.memory.hold.reset();
      const auto decision = live.look();
      for (const Step& step : decision.steps) {
        ASSERT_NE(step.code, step::kStartHeld) << "look " << look << ": " << step.text;
      }
      if (live.current.count == 0 && any.one_in(2)) live.now += decision.look_again;
    }
  }
}

TEST(Properties, WhatIsRememberedIsBounded) {
  const auto policy = [] {
    auto made = by_concurrency(0, 40, 3600s);
    made.behavior.emplace();
    return made;
  }();
  Arbitrary any(7);
  Memory memory;
  Instant now = kStart;
  Replicas current{3};
  for (int look = 0; look < 5'000; ++look, now += 250ms) {
    auto seen = any.observation(now);
    seen.current = current;
    current = decide(policy, seen, memory).replicas;
  }
  EXPECT_LE(memory.recommendations.size(), 100U);
  EXPECT_LE(memory.ups.size(), 100U);
  EXPECT_LE(memory.downs.size(), 100U);
  EXPECT_LE(memory.concurrency.raised.size(), 400U);
  EXPECT_EQ(memory.concurrency.stable.buckets.size(), 3600U);
}

TEST(Properties, TheMemoryOfALongLifeIsBoundedUnderAnyPolicy) {
  for (std::uint32_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    Arbitrary any(seed);
    const auto policy = any.policy();
    Memory memory;
    Instant now = kStart;
    Replicas current = any.replicas();
    for (int look = 0; look < 10'000; ++look, now += 250ms) {
      auto seen = any.observation(now);
      seen.current = current;
      current = decide(policy, seen, memory).replicas;
      // At most two recommendations for each number that occurs, and the changes of a minute.
      ASSERT_LE(memory.recommendations.size(), 82U);
      ASSERT_LE(memory.ups.size(), 241U);
      ASSERT_LE(memory.downs.size(), 241U);
      ASSERT_LE(memory.concurrency.raised.size(), 90U);
      ASSERT_LE(memory.concurrency.stable.buckets.size(), 90U);
      ASSERT_LE(memory.concurrency.panic.buckets.size(), 90U);
      ASSERT_LE(memory.concurrency.kpa.delayed.size(), 17U);
      ASSERT_TRUE(memory.conditions.empty());
    }
    EXPECT_LE(to_json(memory).size(), 32U << 10);
  }
}

}  // namespace
}  // namespace headroom::decide
