#include "decide/kpa.h"

#include <limits>

#include <gtest/gtest.h>

#include "decide/make.h"

namespace headroom::decide {
namespace {

using make::kStart;

struct Tick {
  int second;
  double stable, panic;
  std::int32_t ready;
  std::int32_t desired;
};

KpaSettings of_ten() {
  KpaSettings settings;
  settings.target = settings.total = 10;
  settings.target_burst_capacity = 0;
  return settings;
}

template <class Change>
KpaSettings ten_with(Change change) {
  KpaSettings settings = of_ten();
  change(settings);
  return settings;
}

KpaAnswer tick(const KpaSettings& settings, const Tick& at, KpaMemory& memory) {
  return kpa_decide(settings, {at.stable, at.panic, at.ready, at.ready},
                    kStart + std::chrono::seconds(at.second), memory);
}

struct KpaCase {
  const char* why;
  KpaSettings settings;
  std::int32_t started_with;
  std::vector<Tick> ticks;
};

void expect_each(const KpaCase& sample) {
  SCOPED_TRACE(sample.why);
  KpaMemory memory;
  kpa_start(sample.started_with, kStart, memory);
  for (const auto& at : sample.ticks) {
    SCOPED_TRACE(at.second);
    EXPECT_EQ(tick(sample.settings, at, memory).desired, Replicas{at.desired});
  }
}

TEST(Kpa, RatesAndPanicAsKnatives) {
  const KpaCase cases[] = {
      {"exactly the target is one, a little more is two",
       {},
       1,
       {{0, 70, 70, 1, 1}, {2, 70.000001, 70, 1, 2}}},
      {"half a request over is a panic of two for one, held for a window",
       {},
       1,
       {{0, 20, 70.5, 1, 2}, {2, 20, 60, 2, 2}, {60, 20, 20, 2, 2}, {62, 20, 20, 2, 1}}},
      {"the rate up goes by what is ready",
       ten_with([](KpaSettings& s) { s.target = 1, s.max_scale_up_rate = 1.1; }),
       1,
       {{0, 3, 3, 2, 3}, {2, 30, 30, 10, 11}}},
      {"down to a half at most", of_ten(), 1, {{0, 5, 5, 9, 4}, {2, 5, 5, 3, 1}, {4, 0, 0, 1, 0}}},
      {"unreachable, no rate holds it",
       ten_with([](KpaSettings& s) { s.reachable = false; }),
       1,
       {{0, 5, 5, 9, 1}}},
      {"a start with more than one holds them for a window",
       of_ten(),
       8,
       {{0, 10, 10, 8, 8}, {60, 10, 10, 8, 8}, {62, 10, 10, 8, 4}}},
      {"a peak is held, and what follows it, until calm for a window",
       of_ten(),
       1,
       {{0, 10, 100, 2, 10},
        {2, 120, 60, 10, 12},
        {4, 80, 10, 12, 12},
        {62, 80, 10, 12, 8},
        {64, 20, 10, 12, 6}}},
      {"from zero", of_ten(), 0, {{0, 1, 1, 0, 1}, {2, 25, 50, 0, 5}}},
  };
  for (const auto& sample : cases) expect_each(sample);
}

TEST(Kpa, FloorsAndDelaysAsKnatives) {
  const KpaCase cases[] = {
      {"activationScale is a floor under any load, passed on the way to zero",
       ten_with([](KpaSettings& s) { s.activation_scale = 5; }),
       0,
       {{0, 1, 1, 0, 5}, {2, 12, 12, 5, 5}, {4, 0, 0, 5, 2}, {6, 0, 0, 2, 1}}},
      {"activationScale beats the rate up",
       ten_with([](KpaSettings& s) { s.activation_scale = 5, s.max_scale_up_rate = 1.1; }),
       0,
       {{0, 1, 1, 1, 5}}},
      {"scaleDownDelay of five slots",
       ten_with([](KpaSettings& s) { s.scale_down_delay = 10s; }),
       1,
       {{0, 40, 40, 4, 4},
        {2, 20, 20, 4, 4},
        {4, 20, 20, 4, 4},
        {6, 20, 20, 4, 4},
        {8, 20, 20, 4, 4},
        {10, 20, 20, 4, 2}}},
      {"scaleDownDelay of 3 s is two slots",
       ten_with([](KpaSettings& s) { s.scale_down_delay = 3s; }),
       1,
       {{1, 40, 40, 4, 4}, {3, 20, 20, 4, 4}, {5, 20, 20, 4, 2}}},
      {"two answers of one slot: the larger",
       ten_with([](KpaSettings& s) { s.scale_down_delay = 2s; }),
       1,
       {{0, 40, 40, 4, 4}, {1, 20, 20, 4, 4}, {2, 20, 20, 4, 2}}},
      {"unreachable, nothing is delayed",
       ten_with([](KpaSettings& s) { s.scale_down_delay = 1h, s.reachable = false; }),
       1,
       {{0, 40, 40, 4, 4}, {2, 10, 10, 4, 1}}},
  };
  for (const auto& sample : cases) expect_each(sample);
}

TEST(Kpa, WhatWasAnsweredWhileUnreachableIsNotRemembered) {
  KpaSettings settings = ten_with([](KpaSettings& s) { s.scale_down_delay = 10s; });
  KpaMemory memory;
  EXPECT_EQ(tick(settings, {0, 40, 40, 4, 0}, memory).desired, Replicas{4});
  settings.reachable = false;
  EXPECT_EQ(tick(settings, {2, 60, 60, 6, 0}, memory).desired, Replicas{6});
  settings.reachable = true;
  EXPECT_EQ(tick(settings, {4, 30, 30, 6, 0}, memory).desired, Replicas{4});
}

TEST(Kpa, ExcessBurst) {
  struct Burst {
    const char* why;
    double capacity, panic;
    std::int32_t ready, excess;
  };
  const Burst cases[] = {
      {"two do not take the burst", 211, 50, 2, -61},
      {"three do", 211, 50, 3, 39},
      {"rounded down", 211, 89.5, 3, -1},
      {"none ready is none", 211, 0, 0, -211},
      {"exactly enough", 200, 0, 2, 0},
      {"a little too few", 200, 0.1, 2, -1},
      {"off", 0, 1e9, 0, 0},
      {"always the activator", -1, 0, 1000, -1},
      {"held inside 32 bits", 1e300, 0, 1, -std::numeric_limits<std::int32_t>::max()},
  };
  for (const auto& [why, capacity, panic, ready, excess] : cases) {
    SCOPED_TRACE(why);
    KpaSettings settings;
    settings.target_burst_capacity = capacity;
    KpaMemory memory;
    EXPECT_EQ(kpa_decide(settings, {panic, panic, ready, ready}, kStart, memory).excess_burst,
              excess);
  }
}

TEST(Kpa, SaysWhichRuleMovedTheNumber) {
  const KpaSettings settings =
      ten_with([](KpaSettings& s) { s.activation_scale = 3, s.scale_down_delay = 10s; });
  KpaMemory memory;
  tick(settings, {0, 60, 60, 6, 0}, memory);
  const KpaAnswer answer = tick(settings, {2, 1, 1, 4, 0}, memory);
  EXPECT_EQ(answer.by_load, Replicas{1});
  EXPECT_EQ(answer.limited, Replicas{2});
  EXPECT_EQ(answer.activated, Replicas{3});
  EXPECT_EQ(answer.panicked, Replicas{3});
  EXPECT_EQ(answer.desired, Replicas{6});
}

TEST(Kpa, RemembersAtMostOneAnswerPerSlot) {
  const KpaSettings settings = ten_with([](KpaSettings& s) { s.scale_down_delay = 20s; });
  KpaMemory memory;
  for (int look = 0; look < 1000; ++look) {
    const double load = 100'000 - look * 40;
    kpa_decide(settings, {load, load, 10'000, 10'000}, kStart + look * 250ms, memory);
    ASSERT_LE(memory.delayed.size(), 10U);
  }
}

TEST(Kpa, SlotsBeforeTheEpochAreSlotsToo) {
  EXPECT_EQ(kpa_slot(Instant{-1ms}), -1);
  EXPECT_EQ(kpa_slot(Instant{-2s}), -1);
  EXPECT_EQ(kpa_slot(Instant{-2001ms}), -2);
  EXPECT_EQ(kpa_slot(Instant{1999ms}), 0);
}

}  // namespace
}  // namespace headroom::decide
