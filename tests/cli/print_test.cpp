#include "cli/print.h"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

namespace headroom::cli {
namespace {

TEST(Print, TheSameDataAsJsonAndYaml) {
  const auto value = boost::json::parse(
      R"({"name": "shop", "load": {"rate": 14.2, "waiting": 0}, "none": null, "list": [1, {"a": "yes",
      "b": []}], "empty": {}, "text": "a: b\n\"c\""})");
  EXPECT_EQ(to_json_text(value), R"({
  "name": "shop",
  "load": {
    "rate": 14.2,
    "waiting": 0
  },
  "none": null,
  "list": [
    1,
    {
      "a": "yes",
      "b": []
    }
  ],
  "empty": {},
  "text": "a: b\n\"c\""
}
)");
  EXPECT_EQ(to_yaml_text(value), R"(name: shop
load:
  rate: 14.2
  waiting: 0
none: null
list:
  - 1
  - a: "yes"
    b: []
empty: {}
text: "a: b\n\"c\""
)");
  EXPECT_EQ(to_yaml_text(boost::json::array{}), "[]\n");
}

TEST(Print, NumbersForPeople) {
  struct Case {
    std::string found;
    const char* expected;
  };
  const Case cases[] = {
      {age(0), "0ms"},
      {age(999), "999ms"},
      {age(1000), "1s"},
      {age(192'000), "3m12s"},
      {age(18'180'000), "5h03m"},
      {age(187'200'000), "2d4h"},
      {age(-5), "0ms"},
      {amount(0), "0"},
      {amount(14.25), "14.2"},
      {amount(310.4), "310"},
      {amount(1234), "1.2k"},
      {amount(999'950), "1.0M"},
      {latency(0.42), "0.4ms"},
      {latency(950), "950ms"},
      {latency(999.6), "1.0s"},
      {latency(1000), "1.0s"},
      {latency(12'340), "12.3s"},
      {latency(59'990), "59s"},
      {latency(65'000), "1m05s"},
      {memory(0), "0.0 MiB"},
      {memory(37'958'451), "36.2 MiB"},
      {memory(1.2e9), "1.1 GiB"},
  };
  for (const auto& [found, expected] : cases) EXPECT_EQ(found, expected);
}

TEST(Print, TextsAreCutByCharacters) {
  struct Case {
    const char* text;
    std::size_t columns;
    const char* expected;
  };
  const Case cases[] = {
      {"shop", 4, "shop"},  {"shop", 3, "sh…"}, {"2 → 3", 5, "2 → 3"},
      {"2 → 3", 4, "2 →…"}, {"shop", 0, ""},    {"shop", 1, "…"},
  };
  for (const auto& [text, columns, expected] : cases) EXPECT_EQ(fitted(text, columns), expected);
}

TEST(Print, TextsAreWrappedBetweenWords) {
  struct Case {
    const char* why;
    const char* text;
    std::size_t columns, indent;
    std::vector<std::string> lines;
  };
  const Case cases[] = {
      {"it fits", "2 → 3 replicas", 14, 2, {"2 → 3 replicas"}},
      {"the rest is under the first word", "2 → 3 replicas", 13, 2, {"2 → 3", "  replicas"}},
      {"the space is where it is full", "aa bb cc", 5, 0, {"aa bb", "cc"}},
      {"a word that is too long", "abcdefgh", 4, 2, {"abcd", "  ef", "  gh"}},
      {"no more indent than half of it", "aa bb", 3, 9, {"aa", " bb"}},
      {"one column", "→ b", 1, 4, {"→", "b"}},
      {"nothing", "", 5, 2, {""}},
  };
  for (const auto& [why, text, columns, indent, lines] : cases) {
    EXPECT_EQ(wrapped(text, columns, indent), lines) << why;
  }
}

TEST(Print, ColumnsThatStay) {
  const auto widths = widths_of({{"a", "b"}, {"→→→", "b"}}, {2, 4, 1});
  EXPECT_EQ(widths, (Widths{3, 4, 1}));
  EXPECT_EQ(in_columns({"→", "b", "c"}, widths), "→    b     c");
}

TEST(Print, ColumnsAreAsWideAsTheirWidestCell) {
  EXPECT_EQ(table({"A", "LONG", "LAST"}, {{"a → b", "x", "one two"}, {"c", "y", "z"}}),
            "A      LONG  LAST\n"
            "a → b  x     one two\n"
            "c      y     z\n");
}

}  // namespace
}  // namespace headroom::cli
