#include "decide/stabilise.h"

#include <deque>
#include <random>

#include <gtest/gtest.h>

namespace headroom::decide {
namespace {

/// Rules borrow from their policy: it is kept.
Rules kept(std::optional<policy::Behavior> behavior) {
  static std::deque<policy::Autoscaler> policies;
  policies.emplace_back().behavior = std::move(behavior);
  return rules_of(policies.back());
}

Rules with_windows(Millis up, Millis down) {
  policy::Behavior behavior;
  behavior.scale_up.emplace().stabilization_window = up;
  behavior.scale_down.emplace().stabilization_window = down;
  return kept(behavior);
}

TEST(Stabilise, MovesOnlyAsFarAsTheWindowAllows) {
  const Instant now{1h};
  const Rules plain = kept(std::nullopt), down_300 = with_windows(0s, 300s);
  const Rules up_60 = with_windows(60s, 0s), both = with_windows(60s, 300s);
  struct Case {
    const char* why;
    const Rules& rules;
    int current, wanted, expected;
    std::vector<Recommendation> past;
  };
  const Case cases[] = {
      {"held by a peak 299 s ago", down_300, 9, 3, 9, {{now - 299s, {9}}}},
      {"a peak 300 s ago has left", down_300, 9, 3, 3, {{now - 300s, {9}}}},
      {"without a behavior it still counts at 300 s", plain, 9, 3, 9, {{now - 300s, {9}}}},
      {"and has left a millisecond later", plain, 9, 3, 3, {{now - 300001ms, {9}}}},
      {"an old peak starts no scale-up", down_300, 5, 3, 5, {{now - 60s, {8}}}},
      {"without a behavior it does, as upstream", plain, 5, 3, 8, {{now - 60s, {8}}}},
      {"up only as far as the lowest of the up window", up_60, 2, 9, 4, {{now - 59s, {4}}}},
      {"a low 60 s ago has left", up_60, 2, 9, 9, {{now - 60s, {4}}}},
      {"a low under what runs does not pull down", up_60, 5, 9, 5, {{now - 30s, {1}}}},
      {"both windows at once", both, 5, 9, 5, {{now - 200s, {8}}, {now - 30s, {3}}}},
      {"the first call remembers what ran", down_300, 7, 2, 7, {}},
      {"and what ran does not hold it up", plain, 2, 7, 7, {}},
  };
  for (const auto& [why, rules, current, wanted, expected, past] : cases) {
    SCOPED_TRACE(why);
    auto remembered = past;
    EXPECT_EQ(stabilise({.current = {current}, .wanted = {wanted}}, rules, now, remembered),
              Replicas{expected});
  }
}

TEST(Stabilise, SaysHowLongItHolds) {
  const Instant now{1h};
  const Rules down = with_windows(0s, 300s), up = with_windows(60s, 0s);
  struct Case {
    const char* why;
    const Rules& rules;
    bool goes_up;
    int held;
    std::vector<Recommendation> past;
    Millis expected;
  };
  const Case cases[] = {
      {"until the peak leaves", down, false, 9, {{now - 100s, {9}}, {now, {3}}}, 200s},
      {"until the last that is as high",
       down,
       false,
       9,
       {{now - 100s, {12}}, {now - 20s, {9}}},
       280s},
      {"lower ones do not count", down, false, 9, {{now - 100s, {9}}, {now - 20s, {8}}}, 200s},
      {"up: until the low leaves", up, true, 4, {{now - 59s, {4}}, {now, {9}}}, 1s},
      {"none: it is over", down, false, 9, {{now, {3}}}, 0s},
  };
  for (const auto& [why, rules, goes_up, held, past, expected] : cases) {
    SCOPED_TRACE(why);
    EXPECT_EQ(held_for({held}, goes_up, rules, now, past), expected);
  }
}

TEST(Stabilise, DefaultsAsUpstreams) {
  const Rules none = kept(std::nullopt), empty = kept(policy::Behavior{});
  EXPECT_FALSE(none.given);
  EXPECT_TRUE(empty.given) << "an empty behavior is a behavior";
  EXPECT_EQ(empty.up_window, 0s);
  EXPECT_EQ(empty.down_window, 300s);
  ASSERT_EQ(empty.up.policies.size(), 2U);
  EXPECT_EQ(empty.up.policies[0].value, 4);
  EXPECT_EQ(empty.up.policies[1].value, 100);
  ASSERT_EQ(empty.down.policies.size(), 1U);
  EXPECT_EQ(empty.down.policies[0].period, 15s);
}

/// What is dropped must not be what would have decided: held against remembering everything.
TEST(Stabilise, ForgettingWhatCannotWinChangesNothing) {
  for (const Rules& rules : {kept(std::nullopt), with_windows(45s, 120s), with_windows(90s, 0s)}) {
    std::mt19937 random(41);
    std::vector<Recommendation> past, all;
    Instant now{1h};
    int current = 5;
    for (int i = 0; i < 2000; ++i) {
      const int wanted = static_cast<int>(random() % 20);
      if (all.empty()) all.push_back({now, {current}});
      Replicas lowest{wanted}, highest{wanted};
      for (const auto& [at, replicas] : all) {
        const Millis age = now - at;
        if (rules.given && age < rules.up_window) lowest = std::min(lowest, replicas);
        const bool counts = rules.given ? age < rules.down_window : age <= rules.down_window;
        if (counts) highest = std::max(highest, replicas);
      }
      all.push_back({now, {wanted}});
      const Replicas expected =
          rules.given ? std::min(std::max(Replicas{current}, lowest), highest) : highest;
      const Replicas got = stabilise({{current}, {wanted}}, rules, now, past);
      ASSERT_EQ(got, expected) << "look " << i;
      ASSERT_LE(past.size(), 42U) << "two entries for each number at most";
      current = got.count;
      now += Millis(random() % 7000);
    }
  }
}

}  // namespace
}  // namespace headroom::decide
