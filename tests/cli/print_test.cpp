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
      {memory(0), "0.0M"},
      {memory(37'958'451), "36.2M"},
      {memory(1.2e9), "1.1G"},
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

TEST(Print, ColumnsAreAsWideAsTheirWidestCell) {
  EXPECT_EQ(table({"A", "LONG", "LAST"}, {{"a → b", "x", "one two"}, {"c", "y", "z"}}),
            "A      LONG  LAST\n"
            "a → b  x     one two\n"
            "c      y     z\n");
}

}  // namespace
}  // namespace headroom::cli
