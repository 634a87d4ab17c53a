#include "formula/modifiers.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>

namespace headroom::formula {
namespace {

using ::testing::HasSubstr;

const std::vector<std::string> kNames = {"a", "b"};

TEST(Modifiers, ReadsNumbersAsGoDoes) {
  struct Case {
    const char* why;
    const char* text;
    std::optional<double> expected;
  };
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const Case cases[] = {
      {"decimal", "2.5", 2.5},
      {"hexadecimal with its exponent", "0x1p3", 8},
      {"hexadecimal without one", "0x10", std::nullopt},
      {"underscores between digits", "1_0", 10},
      {"underscores elsewhere", "1__0", std::nullopt},
      {"an underscore at the end", "10_", std::nullopt},
      {"infinity", "+Inf", kInfinity},
      {"a point alone", ".", std::nullopt},
      {"no digit before the point", "-.5e1", -5},
      {"spaces", " 1", std::nullopt},
      {"a comma", "1,5", std::nullopt},
      {"too large", "1e400", std::nullopt},
      {"too small is 0", "1e-400", 0},
      {"long and small", "0.00000000001e-395", 0},
      {"nothing", "", std::nullopt},
      {"an exponent without digits", "1e", std::nullopt},
  };
  for (const auto& [why, text, expected] : cases) {
    SCOPED_TRACE(why);
    EXPECT_EQ(read_go_float(text), expected);
  }
  EXPECT_TRUE(std::isnan(read_go_float("nan").value_or(0)));
}

TEST(Modifiers, RefusesWhatCannotWork) {
  struct Case {
    const char* why;
    ModifiersText text;
    const char* what;
  };
  const Case cases[] = {
      {"no formula", {"", "1"}, "formula: found nothing"},
      {"no target", {"a", ""}, "target: found nothing"},
      {"an unknown name", {"c", "1"}, "formula: 1:1: unknown name"},
      {"the trial run", {"[1, 2][int(b)] + find([1], # > 5)", "1"}, "trial run"},
      {"a target of zero", {"a", "0"}, "target: found \"0\", expected a number above 0"},
      {"a target that is not finite", {"a", "+Inf"}, "target: found \"+Inf\""},
      {"a target that is no number at all", {"a", "NaN"}, "target: found \"NaN\""},
      {"an activation target that is no number", {"a", "1", "x"}, "activationTarget: found \"x\""},
      {"Utilization", {"a", "1", "", "Utilization"}, "metricType: found \"Utilization\""},
  };
  for (const auto& [why, text, what] : cases) {
    SCOPED_TRACE(why);
    const auto modifiers = Modifiers::load(text, kNames);
    ASSERT_FALSE(modifiers);
    EXPECT_THAT(modifiers.error().what, HasSubstr(what));
  }
}

TEST(Modifiers, TheTrialRunTakesAnUnknownFieldForZero) {
  EXPECT_TRUE(Modifiers::load({"float($env[\"no\" + \"ne\"])", "1"}, kNames));
}

TEST(Modifiers, ServesThousandths) {
  struct Case {
    const char* why;
    const char* formula;
    Value a;
    std::optional<std::int32_t> fallback;
    std::int64_t expected;
    bool from_fallback;
  };
  const Case cases[] = {
      {"cut toward zero", "a / 3", 2.0, {}, 666, false},
      {"below zero, too, and not clamped", "-a / 3", 2.0, {}, -666, false},
      {"nil is fallback.replicas x target", "a ?? nil", {}, 4, 10000, true},
      {"not nil needs no fallback", "a ?? 3", {}, 4, 3000, false},
  };
  for (const auto& [why, formula, a, fallback, expected, from_fallback] : cases) {
    SCOPED_TRACE(why);
    const auto modifiers = Modifiers::load({formula, "2.5"}, kNames);
    ASSERT_TRUE(modifiers) << modifiers.error().what;
    const auto composite = modifiers->composite(std::vector<Value>{a, 1.0}, fallback);
    ASSERT_TRUE(composite) << composite.error().what;
    EXPECT_EQ(composite->value, Quantity{expected});
    EXPECT_EQ(composite->from_fallback, from_fallback);
  }
}

TEST(Modifiers, SaysWhyThereIsNone) {
  struct Case {
    const char* why;
    const char* formula;
    Value a;
    Failure::Why expected;
  };
  const Case cases[] = {
      {"infinite", "a / 0", 1.0, Failure::Why::not_finite},
      {"not a number", "0 / 0 * a", 1.0, Failure::Why::not_finite},
      {"beyond 64 bits", "a * 1e16", 1.0, Failure::Why::not_finite},
      {"nil without fallback", "a ?? nil", {}, Failure::Why::nil},
      {"nil in arithmetic", "a + b", {}, Failure::Why::run},
      {"a bool", "float(a) > 5", 6.0, Failure::Why::not_float},
  };
  for (const auto& [why, formula, a, expected] : cases) {
    SCOPED_TRACE(why);
    const auto modifiers = Modifiers::load({formula, "1"}, kNames);
    ASSERT_TRUE(modifiers) << modifiers.error().what;
    const auto composite = modifiers->composite(std::vector<Value>{a, 1.0}, std::nullopt);
    ASSERT_FALSE(composite);
    EXPECT_EQ(composite.error().why, expected);
  }
}

}  // namespace
}  // namespace headroom::formula
