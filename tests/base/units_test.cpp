#include "base/units.h"

#include <limits>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace headroom {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

TEST(Quantity, ReadsWhatKubernetesReads) {
  struct Case {
    const char* why;
    const char* text;
    std::int64_t milli;
  };
  const Case cases[] = {
      {"zero", "0", 0},
      {"a plain number", "2", 2000},
      {"a decimal", "1.5", 1500},
      {"digits only after the point", ".5", 500},
      {"digits only before the point", "5.", 5000},
      {"a sign", "+2", 2000},
      {"below zero", "-250m", -250},
      {"milli", "250m", 250},
      {"nano is rounded away from zero", "1n", 1},
      {"micro is rounded away from zero", "1u", 1},
      {"below zero, too", "-1u", -1},
      {"a thousand micro is exactly one milli", "1000u", 1},
      {"one more is two", "1001u", 2},
      {"a fourth decimal is rounded up", "0.0001", 1},
      {"far behind the point", "1.00000000000000000000000000000001", 1001},
      {"kilo is a small k", "1k", 1'000'000},
      {"mega", "3M", 3'000'000'000},
      {"kibi", "1Ki", 1'024'000},
      {"mebi", "256Mi", 256LL * 1024 * 1024 * 1000},
      {"a broken binary", "1.5Gi", 1536LL * 1024 * 1024 * 1000},
      {"a binary rounded up", "0.0000001Ki", 1},
      {"a decimal exponent", "1e3", 1'000'000},
      {"a large E followed by digits is an exponent", "1E3", 1'000'000},
      {"a negative exponent", "5e-1", 500},
      {"an exponent with a plus", "5e+0", 5000},
      {"an exponent that leaves nothing is still not zero", "1e-400", 1},
      {"zero with a large exponent is zero", "0e999999999999", 0},
      {"leading zeros", "000000000000000000000000000001", 1000},
      {"exa alone is a suffix; capped", "10E", kMost},
      {"the most", "9223372036854775807m", kMost},
      {"one more is capped, not wrapped", "9223372036854775808m", kMost},
      {"capped below zero", "-1e400", -kMost},
      {"capped binary", "99999Ei", kMost},
  };
  for (const auto& [why, text, milli] : cases) {
    SCOPED_TRACE(why);
    const auto quantity = parse_quantity(text);
    ASSERT_TRUE(quantity) << to_string(quantity.error());
    EXPECT_EQ(quantity->milli, milli) << text;
  }
}

TEST(Quantity, SaysWhatItFoundWhereItIsNone) {
  for (const char* text : {"", "-", ".", "m", "1x", "1 m", " 1", "1K", "1mi", "1e", "1e+", "1e3Mi",
                           "1.2.3", "0x10", "--1", "1,5", "NaN", "inf", "1\n"}) {
    SCOPED_TRACE(text);
    const auto quantity = parse_quantity(text);
    ASSERT_FALSE(quantity);
    EXPECT_EQ(quantity.error().code, Code::invalid);
  }
  EXPECT_EQ(parse_quantity("1K").error().what,
            "found \"1K\", expected a quantity such as 250m, 2, 1.5 or 512Mi");
}

TEST(Quantity, IsSpelledAsShortAsCanBe) {
  struct Case {
    std::int64_t milli;
    const char* text;
  };
  const Case cases[] = {
      {0, "0"},
      {1, "1m"},
      {250, "250m"},
      {500, "0.5"},
      {1500, "1.5"},
      {2000, "2"},
      {-250, "-250m"},
      {1234, "1234m"},
      {1'000'000, "1k"},
      {1'024'000, "1Ki"},
      {1'500'000, "1500"},
      {256LL * 1024 * 1024 * 1000, "256Mi"},
      {1'000'000'000'000, "1G"},
      {kMost, "9223372036854775807m"},
  };
  for (const auto& [milli, text] : cases) EXPECT_EQ(to_string(Quantity{milli}), text);
}

TEST(Quantity, ReadsBackAsItWasSpelled) {
  std::mt19937_64 random{17};
  for (int i = 0; i < 20'000; ++i) {
    auto milli = static_cast<std::int64_t>(random() >> (1 + random() % 63));
    if (random() % 3 == 0) milli = milli / 1000 * 1000;
    if (random() % 2 == 0) milli = -milli;
    const auto text = to_string(Quantity{milli});
    const auto again = parse_quantity(text);
    ASSERT_TRUE(again) << text;
    ASSERT_EQ(again->milli, milli) << text;
  }
}

}  // namespace
}  // namespace headroom
