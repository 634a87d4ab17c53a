#include "control/lately.h"

#include <cstdint>

#include <gtest/gtest.h>

namespace headroom::control {
namespace {

constexpr Instant kFirstLook{1h};

TEST(Lately, CountsWhatIsNew) {
  Lately<std::uint64_t> failures(60s, 5s);
  EXPECT_EQ(failures.grown(), 0u);
  failures.add(kFirstLook, 1000);  // before anybody looked
  EXPECT_EQ(failures.grown(), 0u);
  failures.add(kFirstLook + 1s, 1003);
  EXPECT_EQ(failures.grown(), 3u);
  for (auto at = 2s; at < 60s; at += 1s) failures.add(kFirstLook + at, 1003);
  EXPECT_EQ(failures.grown(), 3u);
  for (auto at = 60s; at <= 66s; at += 1s) failures.add(kFirstLook + at, 1003);
  EXPECT_EQ(failures.grown(), 0u);
}

TEST(Lately, RareLooksForgetToo) {
  Lately<std::uint64_t> failures(60s, 5s);
  failures.add(kFirstLook, 0);
  failures.add(kFirstLook + 10min, 4);
  EXPECT_EQ(failures.grown(), 4u) << "some time since the look before";
  failures.add(kFirstLook + 20min, 4);
  EXPECT_EQ(failures.grown(), 0u);
}

TEST(Lately, ForgetsWhenTold) {
  Lately<std::uint64_t> failures(60s, 5s);
  failures.add(kFirstLook, 0);
  failures.forget();
  failures.add(kFirstLook + 1s, 4);
  EXPECT_EQ(failures.grown(), 0u);
}

}  // namespace
}  // namespace headroom::control
