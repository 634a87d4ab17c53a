#include "base/log.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/check.h"

namespace headroom {
namespace {

using ::testing::ContainsRegex;
using ::testing::EndsWith;
using ::testing::HasSubstr;

/// What is written in that format. No thread is started: it is there at once.
template <class Call>
std::string written(log::Format format, Call call) {
  log::set_format(format);
  ::testing::internal::CaptureStderr();
  call();
  log::set_format(log::Format::text);
  return ::testing::internal::GetCapturedStderr();
}

TEST(Log, LinesOfEachFormat) {
  const auto say = [] { log::warn("a \"b\"\n\xFF\x1b[2J \xC2\x9B→"); };
  EXPECT_THAT(written(log::Format::text, say),
              ContainsRegex("^[0-9:]{8}\\.[0-9]{3} warn  a \"b\"\n"));
  const std::string message = "\"a \\\"b\\\"\\n\xEF\xBF\xBD\\u001b[2J \\u009b→\"";
  EXPECT_THAT(written(log::Format::logfmt, say), EndsWith(" level=warn msg=" + message + "\n"));
  EXPECT_THAT(written(log::Format::json, say),
              EndsWith("\",\"level\":\"warn\",\"msg\":" + message + "}\n"));
  EXPECT_THAT(written(log::Format::text, [] { log::error("x"); }), EndsWith(" error x\n"));
}

TEST(Log, WhatReplicasPrintIsALineOfTheFormat) {
  const auto print = [] { log::pass_on({"shop", 3, "stderr", "a\tb \x80\x01"}); };
  EXPECT_EQ(written(log::Format::text, print), "shop/3 | a\tb \x80\x01\n")
      << "into a pipe as it came";
  EXPECT_THAT(written(log::Format::logfmt, print),
              EndsWith(" level=info autoscaler=shop replica=3 stream=stderr "
                       "msg=\"a\\u0009b \xEF\xBF\xBD\\u0001\"\n"));
  EXPECT_THAT(written(log::Format::json, print),
              EndsWith("\"level\":\"info\",\"autoscaler\":\"shop\",\"replica\":3,"
                       "\"stream\":\"stderr\",\"msg\":\"a\\u0009b \xEF\xBF\xBD\\u0001\"}\n"));
}

TEST(Log, TheEndSaysWhatWasLeftOut) {
  const auto text = written(log::Format::text, [] {
    for (int n = 0; n < 105; ++n) log::info("a flood {}", n);
    log::finish(5s);
  });
  EXPECT_THAT(text, HasSubstr("info  a flood 99\n"));
  EXPECT_THAT(text, EndsWith("warn  a flood 104 (5 such lines were left out)\n"));
}

TEST(Log, ABugOfOursIsTheLastLine) {
  EXPECT_DEATH(check(false, "numbers add up"), "error a bug in headroom itself: numbers add up");
}

}  // namespace
}  // namespace headroom
