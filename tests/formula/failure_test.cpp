#include <gmock/gmock.h>

#include "formula/run.h"

namespace headroom::formula {
namespace {

using ::testing::HasSubstr;

struct Failing {
  const char* why;
  std::string formula;
  const char* what;
  Failure::Why expected = Failure::Why::run;
};

void expect_failures(std::span<const Failing> cases) {
  for (const auto& [why, formula, what, expected] : cases) {
    SCOPED_TRACE(why);
    const auto result = run(formula);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().why, expected);
    EXPECT_THAT(result.error().what, HasSubstr(what));
  }
}

/// In each of them (a > 5 ? … : …) hides from the checker what it is.
TEST(Failure, SaysWhyAndWhere) {
  const Failing cases[] = {
      {"arithmetic with nil", "a + find([1], # > 5) ",
       "1:3: + cannot be applied to a number and nil"},
      {"float( in front is not wrapped", "float(a) > 5", "gives a bool", Failure::Why::not_float},
      {"a sum with text", R"(a - (a > 5 ? "x" : 1))",
       "- cannot be applied to a number and a string"},
      {"a product of text", R"((a > 5 ? "x" : 1) * a)", "* cannot be applied to a string and"},
      {"text is not joined", R"(float((a > 5 ? "x" : 1) + (a > 5 ? "y" : 1)))",
       "+ cannot be applied to a string and a string"},
      {"a text divided", R"((a > 5 ? "x" : 1) / 2)", "/ cannot be applied to a string"},
      {"a power of text", R"(2 ** (a > 5 ? "x" : 1))", "** cannot be applied to an integer and a"},
      {"% of a number", "(a > 5 ? 1.5 : \"x\") % 2", "% cannot be applied to a number and an"},
      {"% by a number", "2 % (a > 5 ? 1.5 : \"x\")", "% cannot be applied to an integer and a"},
      {"% by what turns out to be zero", "7 % int(a - 6)", "1:3: integer divided by zero"},
      {"a sign of text", R"(-(a > 5 ? "x" : 1))", "- cannot be applied to a string"},
      {"a sign of a failure", "-int(\"x\")", "found \"x\", expected an integer"},
      {"not of a number", "not (a > 5 ? 1 : true) ? 1 : 2", "found an integer, expected a bool"},
      {"and of a number", "(a > 5 ? 1 : true) and a > 5 ? 1 : 2",
       "found an integer, expected a bool"},
      {"or of a failure", "float(\"x\") > 1 or a > 5 ? 1 : 2", "found \"x\", expected a number"},
      {"?? of a failure", R"(get($env, "x") ?? float("x"))", "found \"x\", expected a number"},
      {"a number is no condition", "first([1]) ? 1 : 2", "found an integer, expected a bool"},
      {"a condition that fails", "float(\"x\") > 1 ? 1 : 2", "found \"x\", expected a number"},
      {"a let that fails", "let x = float(\"x\"); 1", "found \"x\", expected a number"},
      {"order of a text and a number", R"((a > 5 ? "x" : 1) < 1 ? 1 : 2)",
       "cannot compare a string with an integer"},
      {"of bools", "(a > 5 ? true : 1) < (a > 5 ? true : 1) ? 1 : 2",
       "cannot compare a bool with a"},
      {"of a number and a bool", "1 < (a > 5 ? true : 1) ? 1 : 2",
       "cannot compare an integer with"},
      {"an integer found to be nil", "find([1], # > 5) == 1 ? 1 : 0",
       "found nil, expected an integer"},
      {"on the right", "1 == find([1], # > 5) ? 1 : 0", "found nil, expected an integer"},
      {"a text found to be nil", R"(find(["x"], # == "y") == "y" ? 1 : 0)",
       "found nil, expected a string"},
      {"in a number", "1 in (a > 5 ? 1 : [1]) ? 1 : 2", "found an integer, expected a list"},
      {"a number contains nothing", R"((a > 5 ? 1 : "x") contains "x" ? 1 : 2)",
       "found an integer, expected a string"},
      {"a text contains no number", R"("x" contains (a > 5 ? 1 : "x") ? 1 : 2)",
       "found an integer, expected a string"},
      {"a range from text", R"(sum((a > 5 ? "x" : 1)..2))", "found a string, expected an integer"},
      {"a range to text", R"(sum(1..(a > 5 ? "x" : 1)))", "found a string, expected an integer"},
      {"text that is no number", R"(float("x"))", "1:1: found \"x\", expected a number"},
      {"text that is no integer", R"(int("2.5"))", "found \"2.5\", expected an integer"},
      {"int of a list", "int(a > 5 ? [1] : 1)", "found a list, expected a number or a string"},
      {"float of a list", "float(a > 5 ? [1] : 1)", "found a list, expected a number or a string"},
      {"abs of a list", "abs(a > 5 ? [1] : 1)", "found a list, expected a number"},
      {"floor of a list", "floor(a > 5 ? [1] : 1)", "found a list, expected a number"},
      {"len of a number", "len(a > 5 ? 1 : [1])", "found an integer, expected a list or a string"},
      {"text of a list", "len(string(a > 5 ? [1] : 1))", "found a list, expected a number, a bool"},
      {"no such date", R"(date("2023-02-29").Day())", "found \"2023-02-29\", expected a date"},
      {"a date in short", R"(date("2023-2-1").Day())", "found \"2023-2-1\", expected a date"},
      {"no digits", R"(date("2o23-02-01").Day() + date("20/3-02-01").Day())", "expected a date"},
      {"less than digits", R"(date("20/3-02-01").Day())", "expected a date"},
      {"a date of a number", "date(a > 5 ? 1 : \"x\").Day()",
       "found an integer, expected a string"},
      {"no duration", R"(duration("1 hour").Hours())", "found \"1 hour\", expected a duration"},
      {"a duration of a number", "duration(a > 5 ? 1 : \"x\").Hours()",
       "found an integer, expected a string"},
      {"a method of nil", "(a > 5 ? nil : duration(\"1h\")).Hours()",
       "found nil, expected a duration"},
      {"of a failure", "date(\"x\").Day()", "1:1: found \"x\", expected a date"},
      {"min of text among others", R"(min(1, (a > 5 ? "x" : 1)))",
       "found a string, expected a number"},
      {"min of a list of texts", R"(min(["x"]))", "found a string, expected a number"},
      {"mean of text", R"(mean(a > 5 ? "x" : 1))", "found a string, expected a number or a list"},
      {"median of a list of texts", R"(median(["x"]))", "found a string, expected a number"},
      {"sort of everything", R"(sort([1, "x"])[0])", "cannot compare a string with an integer"},
      {"sort in another order", R"(sort([1], "up")[0])",
       "found \"up\", expected \"asc\" or \"desc\""},
      {"sort in no order", R"(sort([1], get($env, "none"))[0])", "found nil, expected \"asc\""},
      {"an index outside", "[1, 2][2]", "1:8: index 2 is outside a list of 2"},
      {"from the end, too", "[1, 2][-3]", "index -1 is outside a list of 2"},
      {"an index of text", R"([1][(a > 5 ? "x" : 1)])", "found a string, expected an integer"},
      {"an element of a number", "(a > 5 ? 1 : [1])[0]", "nothing can be taken out of an integer"},
      {"a part of a number", "(a > 5 ? 1 : [1])[1:][0]", "found an integer, expected a list"},
      {"of a failure", "sort([1, \"x\"])[1:][0]", "cannot compare"},
      {"a part from text", R"([1][(a > 5 ? "x" : 1):][0])", "found a string, expected an integer"},
      {"up to a failure", R"([1][:int("x")][0])", "found \"x\", expected an integer"},
      {"an element that fails", R"([1, float("x")][0])", "found \"x\", expected a number"},
      {"in front", R"([float("x"), 1][0])", "found \"x\", expected a number"},
      {"a list in a list", "len([(a > 5 ? [1] : 1)])", "a list in a list is not supported here"},
      {"a sum of a failure", R"(sum([a, float("x")]))", "found \"x\", expected a number"},
      {"a sum with text in it", R"(sum([a, (a > 5 ? "x" : 1)]))", "+ cannot be applied to"},
      {"one by one", R"(sum([1, "x"]))", "+ cannot be applied to a string and an integer"},
      {"of what cannot be made", R"(sum([1], float("x")))", "found \"x\", expected a number"},
      {"count in a number", "count(a > 5 ? 1 : [1], true)", "found an integer, expected a list"},
      {"count in a failure", "count(sort([1, \"x\"]), true)", "cannot compare"},
      {"count of numbers", "count([1, 2])", "the predicate gives an integer, expected a bool"},
      {"filter by numbers", "len(filter([1], (a > 5 ? 1 : true))[0:])",
       "the predicate gives an integer, expected a bool"},
      {"find by a failure", R"(find([1], float("x") > 1))", "found \"x\", expected a number"},
      {"all by a failure", R"(all([1], float("x") > 1) ? 1 : 2)", "found \"x\", expected a number"},
      {"map to a failure", R"(len(map([1], float("x"))))", "found \"x\", expected a number"},
      {"nothing is left", "filter([1], # > 5)[0]", "no element is left"},
      {"nothing to reduce", "reduce([], #acc + #)", "nothing to reduce"},
      {"to begin with a failure", R"(reduce([1], #acc + #, float("x")))",
       "found \"x\", expected a"},
      {"a step that fails", R"(reduce([1, 2], float("x")))", "found \"x\", expected a number"},
      {"no element", "map([1], reduce([], #acc, #))[0]", "there is no element here"},
      {"a search from the end behind another operand", "1 + last(filter([1, 2], # > 0))",
       "1:3: last(filter(…)) and filter(…)[-1] work as the first operand only"},
  };
  expect_failures(cases);
}

TEST(Failure, HasBounds) {
  const Failing cases[] = {
      {"length", repeated(" ", 70'000) + "a", "found 70001 bytes"},
      {"length of a string", "len('" + repeated("x", 257) + "')", "found a string of 257 bytes"},
      {"depth of parentheses", repeated("(", 20'000) + "a", "nested too deeply"},
      {"depth of signs", repeated("-", 20'000) + "a", "nested too deeply"},
      {"depth of else if", repeated("if a > 1 {1} else ", 2'000) + "{2}", "nested too deeply"},
      {"a long chain is deep, too", "a" + repeated("+a", 10'000), "nested too deeply"},
      {"nodes", "[" + repeated("1,", 11'000) + "][0]", "too long: at most 10000"},
      {"a list of a million", "len(1..1000000)", "needs too much memory"},
      {"a list of 2^63", "len(1..9223372036854775807)", "needs too much memory"},
      {"a sorted list too many", "let l = 1..999995; sort([3, 2, 1, 4, 5])[0]",
       "needs too much memory"},
      {"steps of loops in loops",
       "let l = [1,2,3,4,5,6,7,8,9,10]; count(l, count(l, count(l, count(l, count(l, count(l, "
       "count(l, count(l, # > 11) > 99) > 99) > 99) > 99) > 99) > 99) > 99)",
       "takes too long"},
      {"steps without a predicate", "let l = 1..9000; count(1..3000, sum(l) > 0)",
       "takes too long"},
      {"steps of functions", "let l = 1..9000; count(1..3000, median(l) > 0)", "takes too long"},
      {"steps of comparing lists", "let l = 1..9000; count(1..3000, l == l)", "takes too long"},
      {"steps of searching lists", "let l = 1..9000; count(1..3000, b in l)", "takes too long"},
      {"steps of texts",
       "let t = '" + repeated("x", 250) + "'; count(1..90000, t contains 'xxxxxxxxxxxxxxxxxxxxxy')",
       "takes too long"},
      {"texts that are made", "count(1..900000, len(string(#)) > 9)", "takes too long"},
      {"steps where a value hangs twice", repeated("(", 60) + "true" + repeated(" ?: 1)", 60), ""},
      {"a text that doubles", R"(len(reduce(1..60, #acc + #acc, "ab")))", "cannot be applied"},
      {"a list that nests", "len(reduce(1..9999, [#acc], 1))", "a list in a list is not supported"},
  };
  expect_failures(cases);
}

}  // namespace
}  // namespace headroom::formula
