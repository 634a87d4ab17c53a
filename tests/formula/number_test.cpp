#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "formula/go_number.h"

namespace headroom::formula {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(GoNumber, ReadsFloats) {
  struct Case {
    const char* why;
    const char* text;
    std::optional<double> expected;
  };
  const Case cases[] = {
      {"decimal", "2.5", 2.5},
      {"a sign", "+2.5", 2.5},
      {"hexadecimal with its exponent", "0x1p3", 8},
      {"in capitals, with letters, a point and a sign", "-0XaF.8P+1", -351},
      {"hexadecimal without an exponent", "0x10", std::nullopt},
      {"hexadecimal without digits", "0x", std::nullopt},
      {"letters beyond f", "0x1gp1", std::nullopt},
      {"signs among hexadecimal digits", "0x1@p1", std::nullopt},
      {"underscores between digits", "1_0", 10},
      {"in a fraction and in an exponent", "1_0.2_5e1_0", 1.025e11},
      {"after 0x, and between hexadecimal digits", "0x_1_ap0", 26},
      {"underscores elsewhere", "1__0", std::nullopt},
      {"an underscore at the end", "10_", std::nullopt},
      {"an underscore at the begin", "_10", std::nullopt},
      {"an underscore before the point", "1_.5", std::nullopt},
      {"infinity", "+Inf", kInfinity},
      {"infinity in full, below zero", "-INFINITY", -kInfinity},
      {"NaN has no sign", "+NaN", std::nullopt},
      {"a point alone", ".", std::nullopt},
      {"two points", "1.2.3", std::nullopt},
      {"no digit before the point", "-.5e1", -5},
      {"no digit behind it", "5.e-1", 0.5},
      {"spaces", " 1", std::nullopt},
      {"a comma", "1,5", std::nullopt},
      {"too large", "1e400", std::nullopt},
      {"too large in hexadecimal", "0x1p2000", std::nullopt},
      {"too large by far", "1e99999999999", std::nullopt},
      {"too small is 0", "1e-400", 0},
      {"too small in hexadecimal", "0x1p-2000", 0},
      {"long and small", "0.00000000001e-395", 0},
      {"zero, whatever its exponent", "-0.000e9999", -0.0},
      {"nothing", "", std::nullopt},
      {"an exponent without digits", "1e", std::nullopt},
      {"an exponent of a sign alone", "1e+", std::nullopt},
      {"an exponent of letters", "1ex", std::nullopt},
      {"letters behind an exponent", "1e5x", std::nullopt},
  };
  for (const auto& [why, text, expected] : cases) {
    SCOPED_TRACE(why);
    EXPECT_EQ(read_go_float(text), expected);
  }
  EXPECT_TRUE(std::isnan(read_go_float("nan").value_or(0)));
}

TEST(GoNumber, ReadsIntegers) {
  struct Case {
    const char* why;
    const char* text;
    std::optional<std::int64_t> expected;
  };
  const Case cases[] = {
      {"digits", "17", 17},
      {"signs", "-17", -17},
      {"of both kinds", "+17", 17},
      {"but one", "+-17", std::nullopt},
      {"the least", "-9223372036854775808", std::numeric_limits<std::int64_t>::min()},
      {"beyond 64 bits", "9223372036854775808", std::nullopt},
      {"a fraction", "1.0", std::nullopt},
      {"another base", "0x10", std::nullopt},
      {"underscores", "1_0", std::nullopt},
      {"spaces", "1 ", std::nullopt},
      {"a sign alone", "+", std::nullopt},
      {"nothing", "", std::nullopt},
  };
  for (const auto& [why, text, expected] : cases) {
    SCOPED_TRACE(why);
    EXPECT_EQ(read_go_integer(text), expected);
  }
}

TEST(GoNumber, ReadsDurations) {
  struct Case {
    const char* why;
    const char* text;
    std::optional<std::int64_t> expected;
  };
  const Case cases[] = {
      {"units in a row", "1h2m3s4ms5us6ns", 3'723'004'005'006},
      {"microseconds of both spellings", "1µs1μs", 2'000},
      {"fractions", "-1.5s", -1'500'000'000},
      {"no digit before the point", ".5s", 500'000'000},
      {"none behind it", "1.s+", std::nullopt},
      {"none at all", ".s", std::nullopt},
      {"exactly", "0.1s", 100'000'000},
      {"a sign", "+1m", 60'000'000'000},
      {"zero needs no unit", "-0", 0},
      {"others do", "1", std::nullopt},
      {"fractions, too", "1.5", std::nullopt},
      {"another unit", "1d", std::nullopt},
      {"a point where the unit should be", "1.5.5s", std::nullopt},
      {"nothing", "", std::nullopt},
      {"a sign alone", "-", std::nullopt},
      {"the longest", "9223372036854775807ns", std::numeric_limits<std::int64_t>::max()},
      {"longer", "9223372036854775808ns", std::nullopt},
      {"by a digit", "99999999999999999999ns", std::nullopt},
      {"by its unit", "9223372036854775807h", std::nullopt},
      {"in sum", "9223372036854775807ns1ns", std::nullopt},
  };
  for (const auto& [why, text, expected] : cases) {
    SCOPED_TRACE(why);
    EXPECT_EQ(read_duration(text), expected);
  }
}

TEST(GoNumber, SpellsNumbers) {
  struct Case {
    double value;
    const char* expected;
  };
  const Case cases[] = {
      {2.5, "2.5"},       {-0.1, "-0.1"},      {0.0001, "0.0001"},
      {0.00001, "1e-05"}, {123456, "123456"},  {1234567, "1.234567e+06"},
      {1e300, "1e+300"},  {kInfinity, "+Inf"}, {-kInfinity, "-Inf"},
      {kNan, "NaN"},
  };
  for (const auto& [value, expected] : cases) EXPECT_EQ(go_spelling(value), expected);
}

TEST(GoNumber, RaisesToPowers) {
  struct Case {
    const char* why;
    double base, exponent, expected;
  };
  const Case cases[] = {
      {"to 0, even NaN", kNan, 0, 1},
      {"1 to whatever", 1, kNan, 1},
      {"to 1", 2.5, 1, 2.5},
      {"NaN", kNan, 2, kNan},
      {"to NaN", 2, kNan, kNan},
      {"zero to an odd number below zero keeps its sign", -0.0, -3, -kInfinity},
      {"to an even one it does not", -0.0, -2, kInfinity},
      {"zero to an odd number", -0.0, 3, -0.0},
      {"to another", -0.0, 2.5, 0},
      {"from 2^53 on all numbers are even", -0.0, 9007199254740993.0, 0},
      {"-1 to infinity", -1, kInfinity, 1},
      {"less than 1 to infinity", 0.5, kInfinity, 0},
      {"and to what is as good as that", 0.5, -1e20, kInfinity},
      {"more than 1 to infinity", 2, kInfinity, kInfinity},
      {"and below zero", 2, -kInfinity, 0},
      {"infinity", kInfinity, 2, kInfinity},
      {"infinity to less than zero", kInfinity, -2, 0},
      {"infinity below zero, odd", -kInfinity, 3, -kInfinity},
      {"a root", 2, 0.5, std::sqrt(2.0)},
      {"its reciprocal", 4, -0.5, 0.5},
      {"a fraction of what is below zero", -8, 1.5, kNan},
      {"whole numbers", 3, 5, 243},
      {"below zero", 2, -3, 0.125},
      {"a negative base", -2, 3, -8},
      {"fractions above a half", 16, 0.75, 8},
      {"and below it", 16, 2.25, 512},
      {"too large", 1e300, 1000, kInfinity},
      {"too small", 1e-300, 1000, 0},
  };
  for (const auto& [why, base, exponent, expected] : cases) {
    SCOPED_TRACE(why);
    const double power = go_power(base, exponent);
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(power));
    } else {
      EXPECT_DOUBLE_EQ(power, expected);
      EXPECT_EQ(std::signbit(power), std::signbit(expected));
    }
  }
}

TEST(GoNumber, CutsToIntegers) {
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  EXPECT_EQ(cut_to_integer(-2.9), -2);
  EXPECT_EQ(cut_to_integer(9223372036854775808.0), kLeast);
  EXPECT_EQ(cut_to_integer(-1e19), kLeast);
  EXPECT_EQ(cut_to_integer(kNan), kLeast);
}

}  // namespace
}  // namespace headroom::formula
