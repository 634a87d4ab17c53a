#include "base/time.h"

#include <ctime>
#include <limits>
#include <random>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace headroom {
namespace {

TEST(Duration, ReadsTheFormsThatUsersWrite) {
  struct Case {
    const char* why;
    const char* text;
    Millis expected;
  };
  const Case cases[] = {
      {"milliseconds", "300ms", 300ms},
      {"seconds", "5s", 5s},
      {"m is minutes, not milli", "2m", 120s},
      {"several", "1m30s", 90s},
      {"hours", "2h", 2h},
      {"days", "1d", 24h},
      {"a bare number is seconds", "30", 30s},
      {"a bare decimal", "0.5", 500ms},
      {"a decimal with a unit", "1.5h", 90min},
      {"nothing before the point", ".25s", 250ms},
      {"zero", "0", 0s},
      {"finer than a millisecond is rounded up, never to \"off\"", "0.0000000000001", 1ms},
      {"all of them", "1d2h3m4s5ms", 24h + 2h + 3min + 4s + 5ms},
      {"the most", "9223372036854775807ms", Millis::max()},
  };
  for (const auto& [why, text, expected] : cases) {
    SCOPED_TRACE(why);
    const auto duration = parse_duration(text);
    ASSERT_TRUE(duration) << to_string(duration.error());
    EXPECT_EQ(*duration, expected);
  }
}

TEST(Duration, SaysWhatItFoundWhereItIsNone) {
  for (const char* text :
       {"", " ", "s", ".", "-5s", "+5s", "5 s", "5S", "5sec", "1m30", "30s1", "1.2.3s", "1e3",
        "9223372036854775808ms", "99999999999999999999", "106751991168d", "5s.", "1w"}) {
    SCOPED_TRACE(text);
    const auto duration = parse_duration(text);
    ASSERT_FALSE(duration);
    EXPECT_EQ(duration.error().code, Code::invalid);
  }
  EXPECT_EQ(parse_duration("5 min").error().what,
            "found \"5 min\", expected a duration such as 300ms, 5s, 1m30s, 2h or 1d");
}

TEST(Duration, IsSpelledForPeople) {
  struct Case {
    Millis duration;
    const char* text;
  };
  const Case cases[] = {
      {0s, "0s"},  {250ms, "250ms"}, {1500ms, "1.5s"},       {90s, "1m30s"},        {3600s, "1h"},
      {24h, "1d"}, {25h, "1d1h"},    {61'005ms, "1m1.005s"}, {60'250ms, "1m0.25s"}, {-5s, "-5s"},
  };
  for (const auto& [duration, text] : cases) EXPECT_EQ(to_string(duration), text);
}

TEST(Duration, ReadsBackAsItWasSpelled) {
  std::mt19937_64 random{17};
  for (int i = 0; i < 20'000; ++i) {
    const Millis duration{static_cast<std::int64_t>(random() >> (1 + random() % 63))};
    const auto again = parse_duration(to_string(duration));
    ASSERT_TRUE(again) << to_string(duration);
    ASSERT_EQ(*again, duration) << to_string(duration);
  }
}

TEST(LocalTime, IsTheCivilTimeHere) {
  // The zone of the machine is not ours to set: the same moment must read back.
  for (const std::int64_t unix_millis : {0LL, 1'714'565'109'999LL, -1LL, 4'102'444'800'000LL}) {
    const auto text = local_time(unix_millis);
    std::tm civil{};
    ASSERT_NE(::strptime(text.c_str(), "%Y-%m-%d %H:%M:%S", &civil), nullptr) << text;
    civil.tm_isdst = -1;
    const auto seconds = unix_millis < 0 ? -1 : unix_millis / 1000;
    EXPECT_EQ(std::mktime(&civil), seconds) << text;
  }
  EXPECT_EQ(local_time(std::numeric_limits<std::int64_t>::max()).empty(), false);
}

TEST(Span, AsPeopleSayIt) {
  struct Case {
    double seconds;
    const char* expected;
  };
  for (const auto& [seconds, expected] :
       {Case{0, "0 s"}, Case{2.5, "2.5 s"}, Case{119, "119 s"}, Case{120, "2 min"},
        Case{192.4, "3 min 12 s"}, Case{3599, "59 min 59 s"}, Case{3600, "1 h"},
        Case{7530, "2 h 5 min"}, Case{-1, "-1 s"}, Case{0.006, "6 ms"}, Case{-0.006, "-6 ms"},
        Case{0.1, "0.1 s"}}) {
    EXPECT_EQ(span_of(seconds), expected);
  }
  EXPECT_EQ(span_of(1e300), fmt::format("{:.0f} s", 1e300))
      << "absurd values are said, not computed with";
  EXPECT_EQ(span_of(60'275ms), "60.3 s");
  EXPECT_EQ(span_of(3min + 12s), "3 min 12 s");
}

}  // namespace
}  // namespace headroom
