#include "base/zone.h"

#include <cstdint>

#include <gtest/gtest.h>

namespace headroom {
namespace {

constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kSpring = 1'774'746'000;  // 2026-03-29 01:00 UTC: Europe goes to summer time
constexpr std::int64_t kAutumn = 1'792'890'000;  // 2026-10-25 01:00 UTC: and back

TEST(Zone, OffsetsOverASpan) {
  struct Case {
    const char* why;
    std::string name;
    Span span;
    std::vector<ZoneOffset> expected;
  };
  const Span year{kSpring - kDay, kAutumn + kDay};
  const Case cases[] = {
      {"both changes",
       "Europe/Berlin",
       year,
       {{kSpring - kDay, 3600}, {kSpring, 7200}, {kAutumn, 3600}}},
      {"a change at the very end",
       "Europe/Berlin",
       {kSpring - 1, kSpring},
       {{kSpring - 1, 3600}, {kSpring, 7200}}},
      {"a change at the very start", "Europe/Berlin", {kSpring, kSpring}, {{kSpring, 7200}}},
      {"nothing to change to", "Asia/Kolkata", year, {{kSpring - kDay, 19'800}}},
      {"UTC", "UTC", year, {{kSpring - kDay, 0}}},
      {"no name is UTC, as to Go", "", year, {{kSpring - kDay, 0}}},
      {"half an hour",
       "Australia/Lord_Howe",
       {kSpring, kSpring + 30 * kDay},
       {{kSpring, 39'600}, {1'775'314'800, 37'800}}},
      {"years past what the file lists",
       "America/New_York",
       {4'102'444'800, 4'102'444'800 + 200 * kDay},
       {{4'102'444'800, -18'000}, {4'108'690'800, -14'400}}},
  };
  for (const auto& [why, name, span, expected] : cases) {
    SCOPED_TRACE(why);
    const auto offsets = zone_offsets(name, span);
    ASSERT_TRUE(offsets) << offsets.error().what;
    EXPECT_EQ(*offsets, expected);
  }
  EXPECT_TRUE(zone_offsets("Local", year)) << "the machine's own, whatever it is";
}

TEST(Zone, WhatIsNoZone) {
  for (const char* name :
       {"Nowhere/City", "Europe", "../etc/passwd", "Europe/../Europe/Berlin", "/etc/passwd",
        "libc:UTC", "Fixed/UTC+01:00:00", "file:Europe/Berlin", "Europe/Berlin\n", "\xff"}) {
    const auto offsets = zone_offsets(name, {});
    ASSERT_FALSE(offsets) << name;
    EXPECT_EQ(offsets.error().code, Code::invalid);
    EXPECT_TRUE(offsets.error().what.starts_with("unknown time zone \"")) << offsets.error().what;
  }
  EXPECT_FALSE(zone_offsets(std::string(1 << 20, 'a'), {}));
  EXPECT_FALSE(zone_offsets(std::string("UTC\0", 4), {}));
}

TEST(Zone, IsBounded) {
  constexpr std::int64_t kFar = std::int64_t{1} << 62;
  const auto offsets = zone_offsets("Europe/Berlin", {-kFar, kFar});
  ASSERT_TRUE(offsets);
  EXPECT_LE(offsets->size(), 1'000U);
  const auto backwards = zone_offsets("Europe/Berlin", {kFar, -kFar});
  ASSERT_TRUE(backwards);
  EXPECT_EQ(backwards->size(), 1U);
}

}  // namespace
}  // namespace headroom
