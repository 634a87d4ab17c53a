#include "cli/moment.h"

#include <cstdlib>
#include <ctime>

#include <gtest/gtest.h>

#include "base/time.h"

namespace headroom::cli {
namespace {

class Moment : public testing::Test {
 protected:
  void SetUp() override {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
  }
};

// 2024-05-01 14:05:09.500 UTC
constexpr std::int64_t kNow = 1'714'572'309'500;
constexpr std::int64_t kMidnight = 1'714'521'600'000;
constexpr std::int64_t kMinute = 60'000, kHour = 60 * kMinute, kDay = 24 * kHour;

TEST_F(Moment, ReadsWhatPeopleWrite) {
  struct Case {
    const char* why;
    const char* text;
    std::int64_t expected;
  };
  const Case cases[] = {
      {"now", "now", kNow},
      {"some time ago", "5m ago", kNow - 5 * kMinute},
      {"the same, shorter", "-5m", kNow - 5 * kMinute},
      {"two units", "-1h30m", kNow - kHour - 30 * kMinute},
      {"a minute means its end", "13:00", kMidnight + 13 * kHour + 59'999},
      {"one digit of the hour", "9:30", kMidnight + 9 * kHour + 30 * kMinute + 59'999},
      {"a second means its end", "14:05:08", kMidnight + 14 * kHour + 5 * kMinute + 8'999},
      {"the running minute is today's", "14:05", kMidnight + 14 * kHour + 5 * kMinute + 59'999},
      {"the running second is today's", "14:05:09", kMidnight + 14 * kHour + 5 * kMinute + 9'999},
      {"still to come today, so yesterday", "14:06",
       kMidnight - kDay + 14 * kHour + 6 * kMinute + 59'999},
      {"still to come by a second", "14:05:10",
       kMidnight - kDay + 14 * kHour + 5 * kMinute + 10'999},
      {"a date", "2024-05-01 14:05", kMidnight + 14 * kHour + 5 * kMinute + 59'999},
      {"a date with seconds", "2024-04-30 00:00:00", kMidnight - kDay + 999},
      {"a date as in ISO 8601", "2024-04-30T00:00:00", kMidnight - kDay + 999},
      {"a leap day", "2024-02-29 00:00", kMidnight - 62 * kDay + 59'999},
  };
  for (const auto& [why, text, expected] : cases) {
    SCOPED_TRACE(why);
    const auto moment = parse_moment(text, kNow);
    ASSERT_TRUE(moment) << to_string(moment.error());
    EXPECT_EQ(*moment, expected) << local_time(*moment);
  }
}

TEST_F(Moment, RefusesTheRest) {
  for (const char* text :
       {"", "noon", "25:00", "14:60", "14:5", "14:05:61", "14:05:09 ", "-", "-5x", "5m", " ago",
        "2024-02-30 10:00", "2024-13-01 10:00", "2024-05-01", "24-05-01 10:00",
        "2024-05-01 10:00:00.5", "-9999999999d"}) {
    SCOPED_TRACE(text);
    const auto moment = parse_moment(text, kNow);
    ASSERT_FALSE(moment);
    EXPECT_EQ(moment.error().code, Code::invalid);
    EXPECT_NE(moment.error().what.find("expected a time such as 14:05"), std::string::npos);
  }
}

}  // namespace
}  // namespace headroom::cli
