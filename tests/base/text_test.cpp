#include "base/text.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace headroom {
namespace {

using namespace std::string_literals;

TEST(Nearest, FindsTheLikelySlip) {
  constexpr std::array<std::string_view, 6> kFields = {"minReplicas", "maxReplicas", "cpu",
                                                       "metrics",     "listen",      "command"};
  struct Case {
    const char* why;
    const char* word;
    const char* expected;
  };
  const Case cases[] = {
      {"a letter left out", "minReplica", "minReplicas"},
      {"case does not count", "MAXREPLICAS", "maxReplicas"},
      {"two letters swapped in a short word", "cup", "cpu"},
      {"a letter replaced", "lasten", "listen"},
      {"a letter too many", "commmand", "command"},
      {"the word itself", "metrics", "metrics"},
      {"more than a third differs", "trims", ""},
      {"nothing like it", "colour", ""},
      {"empty", "", ""},
  };
  for (const auto& [why, word, expected] : cases) {
    SCOPED_TRACE(why);
    EXPECT_EQ(nearest(word, kFields), expected);
  }
  EXPECT_EQ(nearest("cpu", {}), "");
  EXPECT_EQ(nearest(std::string(1 << 20, 'c'), kFields), "") << "a huge word costs nothing";
}

TEST(Printable, ShowsWhatCameFromOutside) {
  struct Case {
    const char* why;
    std::string text;
    std::string expected;
  };
  const Case cases[] = {
      {"plain text as it is", "hello", "hello"},
      {"UTF-8 as it is", "größe → 1 €😀", "größe → 1 €😀"},
      {"a terminal's escape", "\x1b[31m", "\\x1B[31m"},
      {"a line break forges no log line", "a\r\nb", "a\\x0D\\x0Ab"},
      {"NUL and DEL", "\0\x7f"s, "\\x00\\x7F"},
      {"a C1 control moves a terminal, too", "\xc2\x9b", "\\xC2\\x9B"},
      {"a stray continuation", "a\x80z", "a\\x80z"},
      {"cut short at the end", "\xe2\x82", "\\xE2\\x82"},
      {"an overlong slash", "\xc0\xaf", "\\xC0\\xAF"},
      {"an overlong one of three", "\xe0\x80\xaf", "\\xE0\\x80\\xAF"},
      {"a surrogate", "\xed\xa0\x80", "\\xED\\xA0\\x80"},
      {"beyond Unicode", "\xf4\x90\x80\x80", "\\xF4\\x90\\x80\\x80"},
  };
  for (const auto& [why, text, expected] : cases) {
    SCOPED_TRACE(why);
    EXPECT_EQ(printable(text), expected);
  }
}

TEST(Printable, IsCutToTheLimit) {
  EXPECT_EQ(printable("12345678", 8), "12345678") << "what fits is not cut";
  EXPECT_EQ(printable("123456789", 8), "12345…");
  EXPECT_EQ(printable("1234€6789", 8), "1234…") << "no character is cut in two";
  EXPECT_EQ(printable("1234\x01\x02", 8), "1234…") << "no escape is cut in two";
  EXPECT_EQ(printable("123", 2), "12") << "no room for the mark";
  EXPECT_EQ(printable("123", 0), "");
  EXPECT_EQ(printable(std::string(10 << 20, '\n')).size(), 199U);
}

TEST(Number, AsPeopleWriteIt) {
  struct Case {
    double value;
    const char* expected;
  };
  for (const auto& [value, expected] :
       {Case{0, "0"}, Case{-0.0001, "0"}, Case{0.125, "0.125"}, Case{14.25, "14.2"},
        Case{1234.5, "1234"}, Case{2.5, "2.5"}, Case{-3, "-3"}}) {
    EXPECT_EQ(number(value), expected);
  }
}

}  // namespace
}  // namespace headroom
