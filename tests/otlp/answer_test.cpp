#include "otlp/answer.h"

#include <string>

#include <gtest/gtest.h>

#include "otlp/backoff.h"

namespace headroom::otlp {
namespace {

TEST(Answer, SaysWhatWasNotTaken) {
  struct Case {
    const char* why;
    std::string body;
    bool partial;
    std::int64_t rejected;
    std::string message;
  };
  const Case cases[] = {
      {"all was taken", "{}", false, 0, ""},
      {"an empty body", "", false, 0, ""},
      {"as the collector says that all was", R"({"partialSuccess":{}})", false, 0, ""},
      {"as protobuf's JSON has integers",
       R"({"partialSuccess":{"rejectedSpans":"5","errorMessage":"too old"}})", true, 5, "too old"},
      {"as others do", R"({"partialSuccess":{"rejectedLogRecords":7}})", true, 7, ""},
      {"data points", R"({"partialSuccess":{"rejectedDataPoints":"1"}})", true, 1, ""},
      {"a warning, nothing is lost", R"({"partialSuccess":{"errorMessage":"soon too old"}})", true,
       0, "soon too old"},
      {"less than nothing", R"({"partialSuccess":{"rejectedSpans":"-5"}})", false, 0, ""},
      {"no number", R"({"partialSuccess":{"rejectedSpans":"many"}})", false, 0, ""},
      {"what a terminal must not get", R"({"partialSuccess":{"errorMessage":"\u001b[2J"}})", true,
       0, "\\x1B[2J"},
      {"not an object", "[]", false, 0, ""},
      {"no JSON", "<html>", false, 0, ""},
      {"cut", R"({"partialSuccess":{"rejec)", false, 0, ""},
      {"as deep as a stack", std::string(10'000, '['), false, 0, ""},
      {"too long", R"({"partialSuccess":{"rejectedSpans":"5"}})" + std::string(kMostAnswer, ' '),
       false, 0, ""},
  };
  for (const auto& [why, body, partial, rejected, message] : cases) {
    SCOPED_TRACE(why);
    const auto read = read_partial(body);
    ASSERT_EQ(read.has_value(), partial);
    if (!partial) continue;
    EXPECT_EQ(read->rejected, rejected);
    EXPECT_EQ(read->message, message);
  }
  const auto cut =
      read_partial(R"({"partialSuccess":{"errorMessage":")" + std::string(5000, 'x') + R"("}})");
  ASSERT_TRUE(cut);
  EXPECT_LE(cut->message.size(), 200u);
}

TEST(Answer, SaysWhenToComeAgain) {
  const std::chrono::sys_seconds now{784'111'767s};  // Sun, 06 Nov 1994 08:49:27 GMT
  struct Case {
    const char* why;
    const char* value;
    std::optional<Millis> expected;
  };
  const Case cases[] = {
      {"seconds", "7", 7s},
      {"at once", "0", 0s},
      {"none", "", std::nullopt},
      {"a date", "Sun, 06 Nov 1994 08:49:37 GMT", 10s},
      {"in another month", "Thu, 01 Dec 1994 00:00:00 GMT", 5min},
      {"now", "Sun, 06 Nov 1994 08:49:27 GMT", 0s},
      {"it has passed", "Sun, 06 Nov 1994 08:49:26 GMT", 0s},
      {"long ago", "Thu, 01 Jan 1970 00:00:00 GMT", 0s},
      {"never", "Fri, 31 Dec 9999 23:59:59 GMT", 5min},
      {"a day that there is not", "Tue, 30 Feb 1994 08:49:37 GMT", std::nullopt},
      {"another day of the week", "Mon, 06 Nov 1994 08:49:37 GMT", std::nullopt},
      {"an hour that there is not", "Sun, 06 Nov 1994 24:49:37 GMT", std::nullopt},
      {"another zone", "Sun, 06 Nov 1994 08:49:37 CET", std::nullopt},
      {"without one", "Sun, 06 Nov 1994 08:49:37", std::nullopt},
      {"with something behind", "Sun, 06 Nov 1994 08:49:37 GMT+1", std::nullopt},
      {"one digit where there are two", "Sun, 6 Nov 1994 08:49:37 GMT", std::nullopt},
      {"as nobody writes it", "sunday,06 november 1994 08:49:37 GMT", std::nullopt},
      {"as it was written before 1995", "Sunday, 06-Nov-94 08:49:37 GMT", std::nullopt},
      {"as C writes it", "Sun Nov  6 08:49:37 1994", std::nullopt},
      {"not for ever", "4000000000", 5min},
      {"beyond numbers", "99999999999999999999", std::nullopt},
      {"in the past", "-1", std::nullopt},
      {"with something behind", "7s", std::nullopt},
  };
  for (const auto& [why, value, expected] : cases) {
    SCOPED_TRACE(why);
    EXPECT_EQ(read_retry_after(value, now), expected);
  }
}

TEST(Answer, SomeRefusalsAreForNow) {
  for (const int status : {429, 502, 503, 504}) EXPECT_TRUE(is_retryable(status)) << status;
  for (const int status : {200, 301, 400, 401, 404, 413, 500, 501}) {
    EXPECT_FALSE(is_retryable(status)) << status;
  }
}

TEST(Backoff, GrowsToABoundAndNotInStep) {
  const auto now = Backoff::Time{} + 1h;
  Backoff backoff(1);
  EXPECT_TRUE(backoff.ready(now));
  for (const Millis most : {1s, 2s, 4s, 8s, 16s, 30s, 30s}) {
    backoff.failed(now, std::nullopt);
    EXPECT_FALSE(backoff.ready(now + most / 2 - 1ms)) << most.count();
    EXPECT_TRUE(backoff.ready(now + most)) << most.count();
  }
  backoff.succeeded();
  EXPECT_TRUE(backoff.ready(now));
  backoff.failed(now, 100s);
  EXPECT_FALSE(backoff.ready(now + 99s)) << "the other side knows better";
  EXPECT_TRUE(backoff.ready(now + 100s));
  Backoff another(2);
  another.failed(now, std::nullopt);
  backoff.succeeded();
  backoff.failed(now, std::nullopt);
  bool differ = false;
  for (auto at = 500ms; at < 1s; at += 1ms) {
    differ = differ || backoff.ready(now + at) != another.ready(now + at);
  }
  EXPECT_TRUE(differ);
}

}  // namespace
}  // namespace headroom::otlp
