#include "formula/modifiers.h"

#include <limits>

#include <gmock/gmock.h>

namespace headroom::formula {
namespace {

using ::testing::HasSubstr;

const std::vector<std::string> kTwoNames = {"a", "b"};

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
      {"a target that is no number", {"a", "x"}, "target: found \"x\""},
      {"an activation target that is no number", {"a", "1", "x"}, "activationTarget: found \"x\""},
      {"one that is not finite", {"a", "1", "Inf"}, "activationTarget: found \"Inf\""},
      {"Utilization", {"a", "1", "", "Utilization"}, "metricType: found \"Utilization\""},
  };
  for (const auto& [why, text, what] : cases) {
    SCOPED_TRACE(why);
    const auto modifiers = Modifiers::load(text, kTwoNames);
    ASSERT_FALSE(modifiers);
    EXPECT_THAT(modifiers.error().what, HasSubstr(what));
  }
}

TEST(Modifiers, TheTrialRunTakesAFunctionsNameForZero) {
  EXPECT_TRUE(Modifiers::load({"float(a > 0 ? 1 : max)", "1"}, kTwoNames));
}

TEST(Modifiers, ReadsWhatIsBesideTheFormula) {
  const auto plain = Modifiers::load({"a", "0.0004"}, kTwoNames);
  ASSERT_TRUE(plain) << plain.error().what;
  EXPECT_EQ(plain->target(), 0.0004);
  EXPECT_EQ(plain->target_milli(), Quantity{0});
  EXPECT_EQ(plain->activation_target(), 0);
  EXPECT_FALSE(plain->by_value());
  const auto all = Modifiers::load({"a", "1e300", "-2.5", "Value"}, kTwoNames);
  ASSERT_TRUE(all) << all.error().what;
  EXPECT_EQ(all->target_milli(), Quantity{std::numeric_limits<std::int64_t>::max()});
  EXPECT_EQ(all->activation_target(), -2.5);
  EXPECT_TRUE(all->by_value());
  const auto average = Modifiers::load({"a", "2", "", "AverageValue"}, kTwoNames);
  ASSERT_TRUE(average) << average.error().what;
  EXPECT_EQ(average->target_milli(), Quantity{2000});
  EXPECT_FALSE(average->by_value());
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
    const auto modifiers = Modifiers::load({formula, "2.5"}, kTwoNames);
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
      {"beyond them below zero", "-a * 1e16", 1.0, Failure::Why::not_finite},
      {"nil without fallback", "a ?? nil", {}, Failure::Why::nil},
      {"nil in arithmetic", "a + b", {}, Failure::Why::run},
      {"a bool", "float(a) > 5", 6.0, Failure::Why::not_float},
  };
  for (const auto& [why, formula, a, expected] : cases) {
    SCOPED_TRACE(why);
    const auto modifiers = Modifiers::load({formula, "1"}, kTwoNames);
    ASSERT_TRUE(modifiers) << modifiers.error().what;
    const auto composite = modifiers->composite(std::vector<Value>{a, 1.0}, std::nullopt);
    ASSERT_FALSE(composite);
    EXPECT_EQ(composite.error().why, expected);
  }
}

}  // namespace
}  // namespace headroom::formula
