#include "formula/regex.h"

#include <gmock/gmock.h>

namespace headroom::formula {
namespace {

TEST(Regex, MatchesAsUpstreams) {
  struct Case {
    const char* why;
    const char* pattern;
    const char* text;
    bool expected;
  };
  const Case cases[] = {
      {"anywhere", "bc", "abcd", true},
      {"nowhere", "bd", "abcd", false},
      {"nothing is everywhere", "", "", true},
      {"from the begin", "^b", "ab", false},
      {"to the end", "b$", "bab", true},
      {"not beyond it", "b$", "abc", false},
      {"all of it", "^a$", "a", true},
      {"the end of nothing", "^$", "", true},
      {"any character but a line's end", "^.$", "ö", true},
      {"which it is not", "a.b", "a\nb", false},
      {"a class", "^[a-cx]$", "b", true},
      {"below it", "^[b-c]$", "a", false},
      {"above it", "^[a-c]$", "x", false},
      {"what is not in it", "[^a-c]", "abc", false},
      {"a bracket and a minus as characters", "^[]a-]+$", "]-a", true},
      {"escapes in a class", R"(^[\d\]\s]+$)", "1 ]", true},
      {"digits", R"(^\d\D$)", "1a", true},
      {"blanks", R"(^\s\S$)", "\ta", true},
      {"letters, digits and _", R"(^\w\w\w\W$)", "a1_-", true},
      {"what stands for itself", R"(^\.\$$)", ".$", true},
      {"as often as it goes", "^ab*c$", "abbbc", true},
      {"or not at all", "^ab*c$", "ac", true},
      {"once at least", "^ab+c$", "ac", false},
      {"and more often", "^ab+c$", "abbc", true},
      {"once at most", "^ab?c$", "abbc", false},
      {"or not", "^ab?c$", "ac", true},
      {"all ways at once", "^a?a?a?aaa$", "aaa", true},
      {"a dollar in a class", "^[$^]+$", "$^", true},
  };
  for (const auto& [why, pattern, text, expected] : cases) {
    SCOPED_TRACE(why);
    const auto regex = Regex::compile(pattern);
    ASSERT_TRUE(regex) << regex.error().what;
    EXPECT_EQ(regex->matches(text), expected);
  }
}

TEST(Regex, SaysWhatIsNotSupported) {
  struct Case {
    const char* why;
    const char* pattern;
    const char* what;
  };
  const Case cases[] = {
      {"a group", "a(b)", "found \"(\""},
      {"an alternative", "a|b", "found \"|\""},
      {"a number of times", "a{2}", "found \"{\""},
      {"a repetition of nothing", "*a", "found \"*\""},
      {"of a repetition", "a+?", "found \"?\""},
      {"an end in the middle", "a$b", "found \"$\""},
      {"a class that is not closed", "[a", "it ends too early"},
      {"a range that is not closed", "[a-", "it ends too early"},
      {"a \\ at the end", "a\\", "it ends too early"},
      {"a class of another name", "[[:digit:]]", "found \"[:\""},
      {"what is none of a class, in a class", R"([\D])", "found \\D"},
      {"a range of a class", R"([\d-x])", "a range that cannot be"},
      {"a range backwards", "[c-a]", "a range that cannot be"},
      {"a range to an escape", R"([A-\x])", "a range that cannot be"},
      {"a word's edge", R"(\bfoo)", "a \\ before a letter or a digit"},
  };
  for (const auto& [why, pattern, what] : cases) {
    SCOPED_TRACE(why);
    const auto regex = Regex::compile(pattern);
    ASSERT_FALSE(regex);
    EXPECT_THAT(regex.error().what, ::testing::HasSubstr(what));
  }
}

}  // namespace
}  // namespace headroom::formula
