#include "decide/kpa_apply.h"

#include <gtest/gtest.h>

#include "decide/make.h"

namespace headroom::decide {
namespace {

using make::kStart;
using enum Activity;

Applied standing(Activity activity, Millis since, std::int32_t replicas = 1) {
  return {.replicas = {replicas},
          .activity = activity,
          .activity_since = kStart - since,
          .initialised = true,
          .proxied = activity == inactive,
          .proxied_since = kStart - since};
}

TEST(Apply, Bounds) {
  struct Case {
    const char* why;
    std::int32_t min, max, initial;
    bool initialised, reachable;
    std::int32_t desired, replicas;
  };
  const Case cases[] = {
      {"as desired", 0, 0, 1, true, true, 7, 7},
      {"no more than the maximum", 0, 5, 1, true, true, 7, 5},
      {"no fewer than the minimum", 3, 5, 1, true, true, 1, 3},
      {"the minimum wins over the maximum", 6, 5, 1, true, true, 1, 6},
      {"the initial scale, at first", 0, 0, 4, false, true, 1, 4},
      {"even above the maximum", 0, 2, 4, false, true, 1, 4},
      {"and not once it was reached", 0, 0, 4, true, true, 1, 1},
      {"nor where nothing leads to it", 0, 0, 4, false, false, 1, 1},
  };
  for (const auto& [why, min, max, initial, initialised, reachable, desired, replicas] : cases) {
    SCOPED_TRACE(why);
    KpaSettings settings;
    settings.min_scale = {min};
    settings.max_scale = {max};
    settings.initial_scale = {initial};
    settings.reachable = reachable;
    Applied applied = standing(active, 1s);
    applied.initialised = initialised;
    apply(settings, {.desired = Replicas{desired}, .ready = 1}, kStart, applied);
    EXPECT_EQ(applied.replicas, Replicas{replicas});
  }
}

TEST(Apply, TheWayToZero) {
  struct Case {
    const char* why;
    Activity activity;
    Millis since;
    Millis retention;
    bool answers;
    std::int32_t replicas;
    Activity then;
  };
  const Case cases[] = {
      {"active for less than a window: one", active, 59s, 0s, true, 1, active},
      {"for a window: marked, not yet removed", active, 60s, 0s, true, 2, inactive},
      {"inactive, but the activator is not seen yet", inactive, 600s, 0s, false, 2, inactive},
      {"inactive for less than the grace", inactive, 29s, 0s, true, 2, inactive},
      {"for the grace", inactive, 30s, 0s, true, 0, inactive},
      {"retained beyond the grace", inactive, 44s, 45s, true, 2, inactive},
      {"until then", inactive, 45s, 45s, true, 0, inactive},
      {"activating: waits", activating, 630s, 0s, true, 2, activating},
      {"until it is given up", activating, 630s + 1ms, 0s, true, 0, inactive},
  };
  for (const auto& [why, activity, since, retention, answers, replicas, then] : cases) {
    SCOPED_TRACE(why);
    KpaSettings settings;
    settings.retention = retention;
    Applied applied = standing(activity, since, 2);
    const ToApply what{.desired = Replicas{0},
                       .ready = activity == activating ? 0 : 1,
                       .activator_answers = answers};
    apply(settings, what, kStart, applied);
    EXPECT_EQ(applied.replicas, Replicas{replicas});
    EXPECT_EQ(applied.activity, then);
  }
}

TEST(Apply, AProxyThatLongStoodThereShortensTheGrace) {
  Applied applied = standing(inactive, 1s);
  applied.proxied_since = kStart - 30s;
  apply({}, {.desired = Replicas{0}, .ready = 1, .activator_answers = true}, kStart, applied);
  EXPECT_EQ(applied.replicas, Replicas{0});
}

TEST(Apply, WithoutScaleToZeroAZeroIsOne) {
  KpaSettings settings;
  settings.scale_to_zero = false;
  Applied applied = standing(inactive, 1h, 3);
  apply(settings, {.desired = Replicas{0}, .ready = 3, .activator_answers = true}, kStart, applied);
  EXPECT_EQ(applied.replicas, Replicas{1});
  EXPECT_EQ(applied.activity, active);
}

TEST(Apply, UnknownMovesNothing) {
  Applied applied = standing(inactive, 1h, 0);
  const Applied before = applied;
  apply({}, {.desired = {}, .ready = 0}, kStart, applied);
  EXPECT_EQ(applied, before);
  applied = standing(activating, 1s, 1);
  KpaSettings settings;
  settings.min_scale = {3};
  apply(settings, {.desired = {}, .ready = 0}, kStart, applied);
  EXPECT_EQ(applied.replicas, Replicas{3}) << "while activating it is brought inside the bounds";
}

TEST(Apply, BeginsInactiveWhereNothingIsToBeReady) {
  KpaSettings settings;
  settings.initial_scale = {0};
  Applied applied;
  apply(settings, {.desired = Replicas{2}}, kStart, applied);
  EXPECT_EQ(applied.replicas, Replicas{2});
  EXPECT_EQ(applied.activity, inactive);
}

TEST(Apply, ThePathAndItsTime) {
  Applied applied = standing(active, 1h);
  apply({}, {.desired = Replicas{2}, .excess_burst = 0, .ready = 1}, kStart, applied);
  EXPECT_FALSE(applied.proxied);
  apply({}, {.desired = Replicas{2}, .excess_burst = -1, .ready = 1}, kStart + 5s, applied);
  EXPECT_TRUE(applied.proxied);
  EXPECT_EQ(applied.proxied_since, kStart + 5s);
  EXPECT_EQ(applied.activity_since, kStart - 1h) << "it is still active";
}

TEST(Apply, Activators) {
  struct Case {
    const char* why;
    double burst, capacity;
    std::int32_t ready, activators;
  };
  const Case cases[] = {
      {"at least two", 211, 1000, 1, 2},
      {"for what the pods take and the burst", 211, 100, 1, 4},
      {"always in the path: for what the pods take", -1, 100, 5, 5},
      {"off", 0, 1, 1000, 2},
  };
  for (const auto& [why, burst, capacity, ready, expected] : cases) {
    SCOPED_TRACE(why);
    KpaSettings settings;
    settings.target_burst_capacity = burst;
    settings.activator_capacity = capacity;
    EXPECT_EQ(activators(settings, ready), expected);
  }
}

}  // namespace
}  // namespace headroom::decide
