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
