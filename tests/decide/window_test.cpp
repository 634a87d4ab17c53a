#include "decide/window.h"

#include <gtest/gtest.h>

namespace headroom::decide {
namespace {

Window window(std::int64_t seconds) {
  Window made;
  resize(made, seconds, 0);
  return made;
}

void record_each(Window& to, std::int64_t from, std::int64_t until, double value) {
  for (std::int64_t second = from; second <= until; ++second) record(to, second, value);
}

TEST(Window, LinearAverageAsKnatives) {
  struct Sample {
    std::int64_t second;
    double value;
  };
  struct Case {
    const char* why;
    std::int64_t size;
    std::vector<Sample> samples;
    std::int64_t now;
    double average;
    bool empty;
  };
  const std::vector<Sample> tens = {{0, 10}, {1, 10}, {2, 10}, {3, 10}, {4, 10}, {5, 10}};
  const std::vector<Sample> rising = {{0, 1}, {1, 2}, {2, 3}, {3, 4},
                                      {4, 5}, {5, 6}, {6, 7}, {7, 8}};
  const std::vector<Sample> gap = {{0, 30}, {9, 30}};
  const Case cases[] = {
      {"nothing ever", 60, {}, 0, 0, true},
      {"the first second counts fully", 60, {{0, 10}}, 0, 10, false},
      {"an unfilled window averages what there is", 60, tens, 5, 10, false},
      {"silence is not zero", 60, tens, 30, 10, false},
      {"the last second leaves", 60, tens, 64, 10, false},
      {"exactly a window old is a valid zero", 60, tens, 65, 0, false},
      {"older than a window is no data", 60, tens, 66, 0, true},
      {"a full window: the last six of eight", 6, rising, 7, 5.5, false},
      {"old ones leave in silence", 6, rising, 8, 6, false},
      {"and one more", 6, rising, 9, 6.5, false},
      {"only the newest is left", 6, rising, 12, 8, false},
      {"a gap between samples counts as zeros", 60, gap, 9, 6, false},
      {"a gap of a whole window starts anew", 6, {{0, 30}, {6, 12}}, 6, 12, false},
      {"a later sample of the second takes its place", 60, {{0, 3}, {0, 4}}, 0, 4, false},
      {"a late one may move the first back", 60, {{0, 7}, {-30, 5}}, 0, 0.387097, false},
      {"one that has left the window is dropped", 6, {{10, 6}, {4, 60}}, 10, 6, false},
  };
  for (const auto& [why, size, samples, now, average, is_empty] : cases) {
    SCOPED_TRACE(why);
    Window made = window(size);
    for (const auto& [second, value] : samples) record(made, second, value);
    EXPECT_DOUBLE_EQ(linear_average(made, now), average);
    EXPECT_EQ(empty(made, now), is_empty);
  }
}

TEST(Window, WhatIsAddedCountsBesideWhatIsThere) {
  Window made = window(60);
  add(made, 0, 3);
  add(made, 0, 4);
  EXPECT_DOUBLE_EQ(linear_average(made, 0), 7);
  add(made, -30, 5);
  EXPECT_DOUBLE_EQ(linear_average(made, 0), 0.387097) << "a late one moves the first back";
  add(made, -60, 5);
  EXPECT_DOUBLE_EQ(linear_average(made, 0), 0.387097) << "one of a window ago is dropped";
  record(made, 0, 1);
  EXPECT_DOUBLE_EQ(linear_average(made, 0), 0.193548) << "what is recorded takes the place";
}

TEST(Window, WeightedAverageAsKnatives) {
  struct Case {
    const char* why;
    std::int64_t size;
    std::int64_t now;
    double average;
  };
  const Case cases[] = {
      {"not normalised: after 3 s of 10 it says 4.88", 60, 2, 4.88},
      {"silence decays", 60, 4, 3.1232},
      {"a short window weighs the newest", 6, 2, 9.9},
      {"and forgets quickly", 6, 4, 0.459517},
  };
  for (const auto& [why, size, now, average] : cases) {
    SCOPED_TRACE(why);
    Window made = window(size);
    record_each(made, 0, 2, 10);
    EXPECT_NEAR(weighted_average(made, now), average, 1e-4);
  }
}

TEST(Window, ResizingKeepsTheNewest) {
  Window made = window(10);
  record_each(made, 100, 109, 4);
  resize(made, 4, 109);
  EXPECT_DOUBLE_EQ(linear_average(made, 109), 4);
  resize(made, 8, 109);
  EXPECT_DOUBLE_EQ(linear_average(made, 109), 4) << "four of four seconds are known";
  record_each(made, 110, 113, 4);
  EXPECT_DOUBLE_EQ(linear_average(made, 113), 4);
}

TEST(Window, ResizingAfterItRanOutEmptiesIt) {
  Window made = window(6);
  record_each(made, 0, 5, 50);
  resize(made, 60, 20);
  EXPECT_DOUBLE_EQ(linear_average(made, 20), 0) << "what had left must not come back";
  Window late = made;
  record(made, 21, 8);
  EXPECT_DOUBLE_EQ(linear_average(made, 21), 8);
  record(late, 3, 8);
  EXPECT_DOUBLE_EQ(linear_average(late, 20), 2.666667) << "a late one is the first of three";
  Window same = window(6);
  record_each(same, 0, 5, 50);
  resize(same, 60, 20);
  record(same, 5, 8);
  EXPECT_EQ(value_at(same, 5), 8) << "and the newest again is only itself";
}

TEST(Window, SecondsBeforeTheEpochAreSecondsToo) {
  EXPECT_EQ(second_of(Instant{-1ms}), -1);
  EXPECT_EQ(second_of(Instant{-1000ms}), -1);
  EXPECT_EQ(second_of(Instant{999ms}), 0);
  Window made = window(3);
  record_each(made, -5, 1, 2);
  EXPECT_DOUBLE_EQ(linear_average(made, 1), 2);
}

TEST(Window, ASizeOutsideItsBoundsIsBroughtInside) {
  EXPECT_EQ(window(0).buckets.size(), 1U);
  EXPECT_EQ(window(1'000'000).buckets.size(), static_cast<std::size_t>(kMostBuckets));
}

TEST(Window, OutsideOfItThereIsNothing) {
  Window none;
  record(none, 3, 1);
  EXPECT_EQ(none, Window{}) << "no window has no room";
  Window made = window(3);
  EXPECT_EQ(value_at(made, 0), std::nullopt) << "nothing written";
  record_each(made, 1, 5, 2);
  EXPECT_EQ(value_at(made, 6), std::nullopt) << "to come";
  EXPECT_EQ(value_at(made, 2), std::nullopt) << "left";
  EXPECT_EQ(value_at(made, 3), 2);
}

}  // namespace
}  // namespace headroom::decide
