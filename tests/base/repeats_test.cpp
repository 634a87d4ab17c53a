#include "base/repeats.h"

#include <string>

#include <gtest/gtest.h>

namespace headroom {
namespace {

using namespace std::chrono_literals;  // NOLINT

TEST(Repeats, AFloodIsCutAndCounted) {
  Repeats repeats;
  const Repeats::Time now{};
  for (std::size_t i = 0; i < Repeats::kMost; ++i) {
    ASSERT_EQ(repeats.pass("replica " + std::to_string(i) + " exited", now), 0u);
  }
  EXPECT_FALSE(repeats.pass("replica 7 exited", now)) << "numbers make no other kind";
  EXPECT_FALSE(repeats.pass("replica 8 exited", now + Repeats::kWhile - 1ms));
  EXPECT_EQ(repeats.pass("another line", now), 0u);
  EXPECT_EQ(repeats.pass("replica 9 exited", now + Repeats::kWhile), 2u) << "two were left out";
  EXPECT_EQ(repeats.pass("replica 9 exited", now + Repeats::kWhile), 0u);
}

TEST(Repeats, WhatIsForgottenSaysWhatWasLeftOut) {
  Repeats repeats;
  const Repeats::Time now{};
  for (std::size_t i = 0; i < Repeats::kMost + 2; ++i) repeats.pass("a " + std::to_string(i), now);
  repeats.pass("b", now + Repeats::kWhile - 1ms);
  EXPECT_TRUE(repeats.take_forgotten().empty()) << "its while is not over";
  repeats.pass("b", now + Repeats::kWhile);
  auto forgotten = repeats.take_forgotten();
  ASSERT_EQ(forgotten.size(), 1u) << "no other line of its kind came";
  EXPECT_EQ(forgotten[0].last, "a 101");
  EXPECT_EQ(forgotten[0].count, 2u);

  for (std::size_t i = 0; i < Repeats::kMost + 1; ++i) repeats.pass("a", now);
  for (char a = 'b'; a <= 'z'; ++a) {
    for (char b = 'a'; b <= 'z'; ++b) repeats.pass(std::string{a, b}, now);
  }
  forgotten = repeats.take_forgotten();
  ASSERT_EQ(forgotten.size(), 1u) << "others took its place";
  EXPECT_EQ(forgotten[0].count, 1u);

  for (std::size_t i = 0; i < Repeats::kMost + 1; ++i) repeats.pass("c", now);
  repeats.forget_all();
  EXPECT_EQ(repeats.take_forgotten().size(), 1u) << "at the end";
  EXPECT_TRUE(repeats.take_forgotten().empty()) << "each is given once";
}

TEST(Repeats, RemembersSoManyKinds) {
  Repeats repeats;
  Repeats::Time now{};
  for (char a = 'a'; a <= 'z'; ++a) {
    for (char b = 'a'; b <= 'z'; ++b) {
      EXPECT_EQ(repeats.pass(std::string{a, b}, now), 0u)
          << "a new kind passes, however many there are";
      now += 1s;
    }
  }
}

}  // namespace
}  // namespace headroom
