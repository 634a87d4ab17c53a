#include "formula/formula.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>

namespace headroom::formula {
namespace {

using ::testing::HasSubstr;

const std::vector<std::string> kNames = {"a", "b", "max", "2nd", "in", "größe", ""};
const std::vector<Value> kValues = {6.0, 2.5, 9.0, 4.0, 7.0, 1.0, 99.0};

tl::expected<Value, Failure> run(std::string_view text, std::vector<Value> values = kValues) {
  const auto formula = Formula::compile(text, kNames);
  if (!formula)
    return tl::unexpected(Failure{Failure::Why::run, "refused: " + formula.error().what});
  return formula->run(values, {.unix_millis = 1'709'211'909'000});  // 2024-02-29 13:05:09
}

TEST(Formula, GivesWhatUpstreamGives) {
  struct Case {
    const char* why;
    const char* formula;
    double expected;
  };
  const Case cases[] = {
      {"division is of doubles", "5 / 2", 2.5},
      {"a power binds tighter than a sign, and to the right", "-2 ** 3 ** 2", -512},
      {"% of integers", "7 % 4", 3},
      {"?? binds tightest", "a + nil ?? 4", 10},
      {"comparisons chain", "1 < b < 3 ? 1 : 0", 1},
      {"numbers of all bases", "0x10 + 0b101 + 0o17 + 1_000 + 2.5e-2 + .5", 1036.525},
      {"if and else", "if a > 5 { 1 } else { 2 }", 1},
      {"let", "let x = a * 2; let y = x + 1; y", 13},
      {"a name that is a keyword", "$env[\"in\"]", 7},
      {"a name that is no identifier", "get($env, \"2nd\") + $env['2nd']", 8},
      {"letters of any language", "größe + 1", 2},
      {"$env without the name, if asked softly", "$env?.nosuch ?? 3", 3},
      {"a trigger named as a function hides it, but for ::", "::max(a, max)", 9},
      {"a pipe", "[b, a] | min()", 2.5},
      {"a range", "len(3..8) + sum(1..4)", 16},
      {"the sum of a range needs no list", "sum(1..3000000)", 4500001500000},
      {"a range backwards is empty", "count(5..1, true)", 0},
      {"a predicate with braces and without", "count([a, b, 1], {# > 2}) + count([a], # > 2)", 3},
      {"#acc and #index", "reduce([1, 2, 3], #acc + # * #index, 10)", 18},
      {"an index from the end, and slices", "[1, 2, 3][-1] + len([1, 2, 3][1:])", 5},
      {"in, in a range and in a list", "(3 in 1..5) and not (4 in [1, 2]) and a not in [7] ? 1 : 0",
       1},
      {"sort, last", "sort([3, 1, 2], \"desc\") | last()", 1},
      {"median of an even number", "median([4, 1, 3, 2])", 2.5},
      {"mean of nothing is 0", "mean([])", 0},
      {"lists in lists", "::max([1, [5, [7]]], 2)", 7},
      {"first of what a filter leaves", "first(filter([1, 2, 3], # > 1))", 2},
      {"none, one, any, all",
       "none([1], # > 1) && one([1, 2], # > 1) && any([1], # > 0) && "
       "all([], false) ? 1 : 0",
       1},
      {"rounding is away from zero", "round(-2.5) + ceil(1.2) + floor(1.8)", 0},
      {"text becomes a number", "float(\"2.5\") + int(\"7\")", 9.5},
      {"a number becomes text", "len(string(2.5) + string(100000000000000000000000.0))", 8},
      {"operators on text",
       "\"abc\" contains \"b\" && \"abc\" startsWith \"a\" && "
       "\"abc\" endsWith `c` ? 1 : 0",
       1},
      {"a pattern", "\"a17\" matches \"^[a-z]\\\\d{1,2}$\" ? 1 : 0", 1},
      {"a map", "{x: 1, \"y\": {z: 2}}.y.z", 2},
      {"groups", "len(groupBy(1..5, # % 2)[1])", 3},
      {"a date", "date(\"2024-02-29\").Day()", 29},
      {"a duration", "duration(\"1h30m\").Minutes()", 90},
      {"now, in UTC", "now().Hour()", 13},
      {"comments", "a /* six */ + 1", 7},
      {"whether 0.1 is exact", "0.1 + 0.2", 0.1 + 0.2},
  };
  for (const auto& [why, formula, expected] : cases) {
    SCOPED_TRACE(why);
    const auto result = run(formula);
    ASSERT_TRUE(result) << result.error().what;
    ASSERT_TRUE(*result) << "nil";
    EXPECT_EQ(**result, expected);
  }
}

constexpr Value kFailed = -1e99;

TEST(Formula, KeepsUpstreamsOrderOfAddition) {
  const std::vector<Value> values = {0.1, 0.2, 0.3, 0, 0, 0, 0};
  EXPECT_EQ(run("sum([a, b, max])", values).value_or(kFailed), Value(0.1 + (0.2 + 0.3)));
  EXPECT_EQ(run("sum([0.1, 0.2, 0.3])", values).value_or(kFailed),
            Value(0.3 + (0.2 + (0.1 + 0.0))));
}

TEST(Formula, IsNilWhereUpstreamIsNil) {
  const std::vector<Value> none(kNames.size());
  EXPECT_EQ(run("a ?? b", none).value_or(kFailed), Value());
  EXPECT_EQ(run("a ?? b ?? 8", none).value_or(kFailed), Value(8.0));
  EXPECT_EQ(run("count([a, b, 1], # == nil)", none).value_or(kFailed), Value(2.0));
}

TEST(Formula, SaysWhereItDoesNotCompile) {
  struct Case {
    const char* why;
    const char* formula;
    const char* expected;
  };
  const Case cases[] = {
      {"an unknown name", "a +\n  c", "2:3: unknown name \"c\""},
      {"a slip", "a + größ", "did you mean \"größe\"?"},
      {"a trigger my-queue reads as a subtraction", "my-queue", "1:1: unknown name \"my\""},
      {"columns are characters", "größe + nosuch", "1:9: unknown name \"nosuch\""},
      {"% of a variable", "a % 2",
       "1:3: this operator cannot be applied to a number and an integer"},
      {"a bool as the result", "a > 5", "float: found a bool, expected a number or a string"},
      {"a hidden function", "max(a, b)", "\"max\" is a number, not a function"},
      {"a comment swallows the closing parenthesis", "a // six", "1:9: found the end, expected \",\" or \")\""},
      {"an open parenthesis", "(a + b", "expected"},
      {"too many arguments", "abs(a, b)", "1:1: abs: found 2 arguments, expected 1"},
      {"nil as an argument", "abs(nil)", "abs: found nil, expected a number"},
      {"?? beside another operator", "a ?? b + 1", "1:8: ?? and + side by side"},
      {"% by zero", "1 % 0", "integer divided by zero"},
      {"a predicate that is no condition", "find([a], # + 1)", "expected a bool"},
      {"# outside of a predicate", "# + 1", "1:1: found \"#\", expected a value"},
      {"a name that is taken", "let a = 1; a", "\"a\" is taken already"},
      {"what is not supported is named", "len(toJSON(a))", "the function toJSON is not supported"},
      {"an unnamed trigger cannot be meant", "$env[\"\"]", "unknown name \"\""},
      {"a character that begins nothing", "a € b", "found \"€\""},
      {"an open string", "\"a", "not closed"},
      {"a pattern that is none", "\"a\" matches \"(\"", "found no \")\""},
  };
  for (const auto& [why, formula, expected] : cases) {
    SCOPED_TRACE(why);
    const auto compiled = Formula::compile(formula, kNames);
    ASSERT_FALSE(compiled);
    EXPECT_THAT(compiled.error().what, HasSubstr(expected));
  }
}

TEST(Formula, SaysWhyARunFails) {
  struct Case {
    const char* why;
    const char* formula;
    Failure::Why expected;
    const char* what;
  };
  constexpr auto kRun = Failure::Why::run;
  const Case cases[] = {
      {"arithmetic with nil", "a + find([1], # > 5) ", kRun,
       "1:3: + cannot be applied to a number and nil"},
      {"an index outside", "[1, 2][2]", kRun, "index 2 is outside a list of 2"},
      {"float( in front is not wrapped", "float(a) > 5", Failure::Why::not_float, "gives a bool"},
      {"an integer found to be nil", "find([1], # > 5) == 1 ? 1 : 0", kRun,
       "found nil, expected an integer"},
      {"text that is no number", "float(\"x\")", kRun, "\"x\" is no number"},
      {"no such date", "date(\"2023-02-29\").Day()", kRun, "expected a date"},
      {"nothing to reduce", "reduce([], #acc + #)", kRun, "nothing to reduce"},
      {"a number is no condition", "first([1]) ? 1 : 2", kRun, "found an integer, expected a bool"},
  };
  for (const auto& [why, formula, expected, what] : cases) {
    SCOPED_TRACE(why);
    const auto result = run(formula);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().why, expected);
    EXPECT_THAT(result.error().what, HasSubstr(what));
  }
}

std::string repeated(std::string_view text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

TEST(Formula, HasBounds) {
  struct Case {
    const char* why;
    std::string formula;
    const char* what;
  };
  const Case cases[] = {
      {"length", repeated(" ", 70'000) + "a", "found 70001 bytes"},
      {"depth of parentheses", repeated("(", 20'000) + "a", "nested too deeply"},
      {"depth of signs", repeated("-", 20'000) + "a", "nested too deeply"},
      {"depth of else if", repeated("if a > 1 {1} else ", 2'000) + "{2}", "nested too deeply"},
      {"a long chain is deep, too", "a" + repeated("+a", 10'000), "nested too deeply"},
      {"nodes", "[" + repeated("1,", 11'000) + "][0]", "too long: at most 10000"},
      {"a list of a million", "len(1..1000000)", "needs too much memory"},
      {"a list of 2^63", "len(1..9223372036854775807)", "needs too much memory"},
      {"steps", "count(1..3000, count(1..3000, # > 1) > 5000)", "1000"},
      {"steps of loops in loops",
       "let l = [1,2,3,4,5,6,7,8,9,10]; count(l, count(l, count(l, count(l, count(l, count(l, "
       "count(l, count(l, # > 11) > 99) > 99) > 99) > 99) > 99) > 99) > 99)",
       "takes too long"},
      {"steps where a value hangs twice", repeated("(", 60) + "true" + repeated(" ?: 1)", 60), ""},
      {"a string that doubles", "len(reduce(1..60, #acc + #acc, \"ab\"))",
       "makes a string of more"},
      {"a list that nests", "len(reduce(1..9999, [#acc], 1))", "nests lists more than 50 deep"},
      {"a list that doubles", "count(flatten(reduce(1..40, [#acc, #acc], 1)), true)", ""},
      {"a long pattern", "\"a\" matches \"((a{100}){100}){100}\" ? 1 : 0", "too long"},
  };
  for (const auto& [why, formula, what] : cases) {
    SCOPED_TRACE(why);
    const auto result = run(formula);
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().what, HasSubstr(what));
  }
}

}  // namespace
}  // namespace headroom::formula
