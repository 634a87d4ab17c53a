#include "cli/moment.h"

#include <cstdlib>
#include <cstring>
#include <ctime>
#include <optional>

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
      {"as explain prints it", "2024-04-30T12:00:04.755Z", kMidnight - kDay / 2 + 4'755},
      {"finer than we know", "2024-04-30T12:00:04.7559Z", kMidnight - kDay / 2 + 4'755},
      {"a fraction of local time", "2024-04-30 12:00:04.5", kMidnight - kDay / 2 + 4'500},
      {"a fraction of today", "13:00:00.25", kMidnight + 13 * kHour + 250},
      {"of UTC, and its end", "2024-04-30T12:00:04Z", kMidnight - kDay / 2 + 4'999},
      {"east of it", "2024-04-30T12:00+02:00", kMidnight - kDay / 2 - 2 * kHour + 59'999},
      {"west of it, without the colon", "2024-04-30T12:00:00.0-0330",
       kMidnight - kDay / 2 + 3 * kHour + 30 * kMinute},
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
  for (const char* text : {"",
                           "noon",
                           "25:00",
                           "14:60",
                           "14:5",
                           "14:05:61",
                           "14:05:09 ",
                           "-",
                           "-5x",
                           "5m",
                           " ago",
                           "2024-02-30 10:00",
                           "2024-13-01 10:00",
                           "2024-05-01",
                           "24-05-01 10:00",
                           "2024-05-01 10:00:00.",
                           "2024-05-01 10:00.5",
                           "2024-05-01 10:00z",
                           "2024-05-01 10:00+2",
                           "2024-05-01 10:00+24:00",
                           "2024-05-01 10:00Z+01:00",
                           "14:05Z",
                           "-9999999999d"}) {
    SCOPED_TRACE(text);
    const auto moment = parse_moment(text, kNow);
    ASSERT_FALSE(moment);
    EXPECT_EQ(moment.error().code, Code::invalid);
    EXPECT_NE(moment.error().what.find("expected a time such as 14:05"), std::string::npos);
  }
}

TEST_F(Moment, AnOffsetIsOfNoZone) {
  ::setenv("TZ", "America/New_York", 1);
  ::tzset();
  EXPECT_EQ(parse_moment("2024-05-01T00:00:00.000Z", kNow), kMidnight);
  EXPECT_EQ(parse_moment("2024-05-01T00:00:00.000", kNow), kMidnight + 4 * kHour);
}

constexpr std::int64_t kUntilMinute = 59'999;  // the end of one that is named

TEST_F(Moment, APeriodIsTheNightThatIsOrWas) {
  struct Case {
    const char* why;
    std::int64_t now;
    const char *since, *until;
    std::optional<std::int64_t> from, to;
  };
  const Case cases[] = {
      {"neither", kNow, "", "", {}, {}},
      {"one end", kNow, "", "13:00", {}, kMidnight + 13 * kHour + kUntilMinute},
      {"what begins with a minute, and what ends with it", kNow, "13:00", "13:00",
       kMidnight + 13 * kHour, kMidnight + 13 * kHour + kUntilMinute},
      {"the night that was", kNow, "22:00", "06:00", kMidnight - 2 * kHour,
       kMidnight + 6 * kHour + kUntilMinute},
      {"the night that is, past midnight", kMidnight + 3 * kHour, "22:00", "06:00",
       kMidnight - 2 * kHour, kMidnight + 6 * kHour + kUntilMinute},
      {"the night that is, before midnight", kMidnight + 23 * kHour, "22:00", "06:00",
       kMidnight + 22 * kHour, kMidnight + 30 * kHour + kUntilMinute},
      {"from a date", kNow, "2024-04-29 22:00", "06:00", kMidnight - kDay - 2 * kHour,
       kMidnight + 6 * kHour + kUntilMinute},
      {"until a time that is to come", kNow, "5m ago", "16:00", kNow - 5 * kMinute,
       kMidnight + 16 * kHour + kUntilMinute},
  };
  for (const auto& [why, now, since, until, from, to] : cases) {
    SCOPED_TRACE(why);
    const auto period = parse_period(since, until, now);
    ASSERT_TRUE(period) << to_string(period.error());
    EXPECT_EQ(period->since, from);
    EXPECT_EQ(period->until, to);
  }
}

TEST_F(Moment, APeriodRefusesWhatIsNone) {
  struct Case {
    const char *since, *until, *what;
  };
  const Case cases[] = {
      {"noon", "", "--since: found \"noon\""},
      {"", "noon", "--until: found \"noon\""},
      {"2024-05-01 10:00", "2024-05-01 09:59", "--until: it is before --since"},
      {"5m ago", "10m ago", "--until: it is before --since"},
  };
  for (const auto& [since, until, what] : cases) {
    SCOPED_TRACE(what);
    const auto period = parse_period(since, until, kNow);
    ASSERT_FALSE(period);
    EXPECT_EQ(period.error().code, Code::invalid);
    EXPECT_EQ(period.error().what.substr(0, std::strlen(what)), what);
  }
}

}  // namespace
}  // namespace headroom::cli
