#include "formula/formula.h"

#include <limits>

#include <gtest/gtest.h>

#include "formula/run.h"

namespace headroom::formula {
namespace {

struct Computed {
  const char* why;
  const char* formula;
  double expected;
};

void expect_computed(std::span<const Computed> cases) {
  for (const auto& [why, formula, expected] : cases) {
    SCOPED_TRACE(why);
    const auto result = run(formula);
    ASSERT_TRUE(result) << result.error().what;
    ASSERT_TRUE(*result) << "nil";
    EXPECT_EQ(**result, expected);
  }
}

TEST(Formula, ComputesAsUpstream) {
  const Computed cases[] = {
      {"division is of doubles", "5 / 2", 2.5},
      {"a power binds tighter than a sign, and to the right", "-2 ** 3 ** 2", -512},
      {"% of integers", "7 % 4", 3},
      {"% by -1", "int(a) % -1", 0},
      {"integers stay such", "7 % (int(a) - 2 * 3 + 4 - -1)", 2},
      {"integers wrap around", "9223372036854775807 + 1", -9223372036854775808.0},
      {"the least integer has no other sign", "abs(-9223372036854775807 - 1)",
       -9223372036854775808.0},
      {"literals are computed first", "5 - 3 + 2 * 1.5 - 2.5", 2.5},
      {"signs", "-a + +b - -int(a) + +5", 7.5},
      {"?? binds tightest", "a + nil ?? 4", 10},
      {"?? in a row, and before a pipe", "(nil ?? nil ?? b) + (nil ?? -2 | abs())", 4.5},
      {"numbers of all bases", "0x10 + 0b101 + 0o17 + 1_000 + 2.5e-2 + .5", 1036.525},
      {"their capitals", "0XfF + 0B11 + 0O7 + 1E+2", 365},
      {"whether 0.1 is exact", "0.1 + 0.2", 0.1 + 0.2},
      {"letters of any language", "größe + 1", 2},
      {"a name that is a keyword", R"($env["in"])", 7},
      {"a name that is no identifier", R"(get($env, "2nd") + $env['2nd'])", 8},
      {"a name after a dot, a keyword, too", "$env.a + $env.in + ($env | get(\"b\"))", 15.5},
      {"a name that is none, asked softly", R"(get($env, "none") ?? get($env, "") ?? 3)", 3},
      {"parentheses that wrap already", "float(a);", 6},
      {"KEDA's own wrapping", "let _kedaCompositeResult = b ?? 1; float(_kedaCompositeResult)",
       2.5},
      {"comments", "a /* six */ + 1 // and one\n + 1", 8},
      {"parts in a row: the last one counts", "(a; b) + (1; 2)", 4.5},
      {"let", "let x = a * 2; let y = x + 1; y", 13},
      {"let hides nothing for others", "(let x = 1; x) + (let x = 2; x)", 3},
      {"functions of numbers", "abs(-3) + abs(1) + abs(b) + abs(-b) + floor(1.8) + ceil(1.2)", 12},
      {"rounding is away from zero", "round(-2.5) + round(2.5) + round(-0.4)", 0},
      {"whole numbers are rounded to floats", "floor(3) / 2", 1.5},
      {"more arguments than a few", "min(5, 4, b, 3, 6)", 2.5},
      {"text becomes a number", R"(float("2.5") + int("7") + int("+5") + int(2.9))", 16.5},
      {"what does not fit is the least integer", "int(1e300)", -9223372036854775808.0},
      {"powers, also of roots", "a ** 2 + 4 ^ 0.5 + 2 ** -1", 38.5},
  };
  expect_computed(cases);
}

TEST(Formula, DecidesAsUpstream) {
  const Computed cases[] = {
      {"if and else", "if a > 5 { 1 } else { 2 }", 1},
      {"else if", "if a > 7 { 1 } else if a > 6 { 2 } else { 3; 4 }", 4},
      {"the condition's value, where there is nothing between ? and :", "(a > 5 ?: false) ? 1 : 0",
       1},
      {"comparisons", "(a > 5 and a >= 6 and b < 3 and b <= 2.5) ? 1 : 0", 1},
      {"of whole numbers", "(1 < 2 and not (2 > len([1, 2])) and 2 <= 2 and !(1 >= 2)) ? 1 : 0", 1},
      {"which chain", "1 < b < 3 ? 1 : 0", 1},
      {"and share what stands between", "0 < len(filter([1, 2, 3], # > 1)) < 3 ? 1 : 0", 1},
      {"one and 1.0 are equal", "a == 6 and 6 == a and b == 2.5 and len([1]) != b ? 1 : 0", 1},
      {"bools are, too", "(a > 5) == (b < 5) and (a > 5) != (b > 5) ? 1 : 0", 1},
      {"nil is nil", R"(get($env, "x") == nil and nil == nil and a != nil ? 1 : 0)", 1},
      {"and nothing else", R"(get($env, "x") == 1 or 1 == get($env, "x") ? 1 : 0)", 0},
      {"or", "a > 7 or a > 5 || false ? 1 : 0", 1},
      {"what decides it is the last to be looked at", R"(a > 5 or float("x") > 1 ? 1 : 0)", 1},
      {"literals decide before what fails",
       R"((get($env, "x") > 1 and "abc" == "abd") or not true or (true && a > 5) ? 1 : 0)", 1},
      {"and so with or", R"((get($env, "x") > 1 or 1 == 1) and (false or true == true) ? 1 : 0)",
       1},
      {"in, in a range and in a list", "(3 in 1..5) and not (4 in [1, 2]) and a not in [7] ? 1 : 0",
       1},
      {"a whole number in a range is compared", "len([1]) in 1..3000000 ? 1 : 0", 1},
      {"in a range that is not written out",
       "(2 in len([1])..3) and (2 in 1..len([1, 2])) and (len([1]) in (nil ?? [1])) ? 1 : 0", 1},
      {"a number in a range", "a in 1..6 and b not in 1..6 ? 1 : 0", 1},
      {"nothing is in nil", R"(1 in get($env, "x") ? 1 : 0)", 0},
      {"nil on one side takes the other's type", "(a > 7 ? nil : 3) + (a > 5 ? 1 : nil)", 4},
      {"either kind", R"((a > 5 ? 3 : "x") + (a > 5 ? len("x") : first([1])) % 2)", 4},
      {"lists of either kind", R"((a > 5 ? [3] : ["x"])[0] + (a > 5 ? [1] : [2])[0])", 4},
      {"lists, by their elements", "[1, 2] == [1, 2.0] and [1] != [2] and [1] != [] ? 1 : 0", 1},
  };
  expect_computed(cases);
}

TEST(Formula, TreatsListsAsUpstream) {
  const Computed cases[] = {
      {"a pipe", "[b, a] | min()", 2.5},
      {"a range", "len(3..8) + sum(1..4)", 16},
      {"the sum of a range needs no list", "sum(1..3000000)", 4500001500000},
      {"nor does its reduction", "reduce(1..3000000, #acc + #) + reduce(1..3, # + #acc, 10)",
       4500001500016},
      {"a range backwards is empty", "count(5..1, true) + sum(5..1)", 0},
      {"an index from the end, and slices", "[1, 2, 3][-1] + len([1, 2, 3][1:])", 5},
      {"slices from the end, and backwards", "sum([1, 2, 3][-2:][:-1]) + len([1, 2, 3][2:1])", 2},
      {"slices beyond the ends", "len([1, 2][-9:9]) + len([1, 2][:])", 4},
      {"of what may be a list", "(a > 5 ? [1, 2] : 3)[1:][0] + (a > 5 ? [7] : 3)[0]", 9},
      {"a cut number as an index", "[1, 2, 3][int(b)] + [4, 5][(a > 5 ? 1.9 : \"x\")]", 8},
      {"first and last", "first([1, 2]) + last([1, 2]) + (first([]) ?? 4)", 7},
      {"nothing is first in what is no list", "first(a > 5 ? 1 : [1]) ?? 3", 3},
      {"sort, last", "sort([3, 1, 2], \"desc\") | last()", 1},
      {"sort, in the order that is meant", R"(sort([a, 1, b])[1] + sort([2, 1], "asc")[0])", 3.5},
      {"many", "sort([13, 2, 11, 10, 9, 8, 7, 6, 5, 4, 3, 12, 1])[12]", 13},
      {"texts", R"(sort(["b", "a"])[0] == "a" ? 1 : 0)", 1},
      {"what is no list is sorted to an empty one", R"(len(sort(get($env, "none"))))", 0},
      {"min and max of lists and numbers", "min(4, [b, a]) + max([1, 5], [], 2)", 7.5},
      {"of nothing", "max([]) ?? 4", 4},
      {"max keeps what stands alone", R"(max(get($env, "none")) ?? 2)", 2},
      {"mean of all", "mean(1, [2, 3], b)", 2.125},
      {"mean of nothing is 0", "mean([])", 0},
      {"median of an even number", "median([4, 1, 3, 2])", 2.5},
      {"of an odd number, of nothing", "median(a, [1, 2.5]) + median([])", 2.5},
      {"NaN is less than all", "median([0 / 0, 3, 0 / 0, 4, 5])", 3},
      {"none, one, any, all",
       "none([1], # > 1) && one([1, 2], # > 1) && any([1], # > 0) && "
       "all([], false) ? 1 : 0",
       1},
      {"and where they do not hold",
       "none([2], # > 1) or one([2, 2], # > 1) or one([1], # > 1) or any([1], # > 1) or "
       "all([1, 2], # > 1) ? 1 : 0",
       0},
      {"a predicate with braces and without", "count([a, b, 1], {# > 2}) + count([a], # > 2)", 3},
      {"count of what is true", "count([a > 5, b > 5, true])", 2},
      {"sum of what is made of each",
       "sum([1, 2], # * 2) + sum(map([1, 2], #index)) + sum([b]) + sum([3], first([#]))", 12.5},
      {"sum of what a list is",
       "sum(1..3 | filter(# > 1)) + sum(a > 5 ? [1, 2] : nil) + sum(nil ?? [1])", 9},
      {"#acc and #index", "reduce([1, 2, 3], #acc + # * #index, 10)", 18},
      {"reductions that are no sums of ranges",
       "reduce(1..3, #acc * #) + reduce(1..3, #acc + #acc) + reduce(1..3, # + #) + "
       "reduce(1..3, #acc + #, 0.5) + reduce(1..3, 1 + #acc) + reduce(1..3, max(#acc, #))",
       6 + 4 + 6 + 6.5 + 3 + 3},
      {"a list that is not written out", "reduce(1..len([1, 2]), #acc + #) + sum(len([1])..3)", 9},
      {"a list in the way of a pipe", "[1, 2, 3] | filter(# > 1) | map(# * 2) | sum()", 10},
      {"map", "map([1, 2], # * 2)[1] + last(map(1..3, 7))", 11},
      {"what may be a list or not", "(a > 5 ? [1] : first([2]))[0]", 1},
      {"find, or nil", "find([1, 2, 3], # > 1) + (find([1], # > 5) ?? 10)", 12},
      {"of what may be a list",
       "find(a > 5 ? [1, 2] : 1, # > 1) + len(filter(a > 5 ? [1] : 1, true))", 3},
      {"first of what a filter leaves",
       "first(filter([1, 2, 3], # > 1)) + filter([1, 2], # > 1)[0]", 4},
      {"another one", "filter([1, 2, 3], # > 0)[1] + filter([1, 2], # > 1)[len([])]", 4},
      {"a search from the end in front", "last(filter([1, 2], # > 0)) + 1", 3},
      {"of what comes of another one", "last(filter([last(filter([1], true))], true))", 1},
      {"a search from the end in a let", "let x = filter([1, 2], # > 0)[-1]; 1 + x", 3},
      {"a trailing comma", "min([3, 2,], 4,) + (all([true], #,) ? 1 : 2)", 3},
      {"a predicate's own predicate", "count([[1][0], 2], count([3], # > 1) == 1)", 2},
  };
  expect_computed(cases);
}

TEST(Formula, StopsCountingWhereItIsDecided) {
  // Had it gone on, it had failed: nil cannot be compared.
  const Computed cases[] = {
      {"> 0", "count([a, nil], # > 1) > 0 ? 1 : 0", 1},
      {">= 1", "len(filter([a, nil], # > 1)) >= 1 ? 1 : 0", 1},
      {"> 1", "count([a, b, nil], # > 1) > 1 ? 1 : 0", 1},
      {">= 2", "count([a, b, nil], # > 1) >= 2 ? 1 : 0", 1},
      {"< 2", "count([a, b, nil], # > 1) < 2 ? 1 : 0", 0},
      {"<= 1", "count([a, b, nil], # > 1) <= 1 ? 1 : 0", 0},
      {"not here",
       "count([a, b], # > 1) == 2 and count([a > 5]) > 0 and count([a], # > 1) < 2 and "
       "count([a], # > 1) < 1 + len([1]) and count([b], # > 9) < 1 and  count([], # > 1) >= -1 ? 1 "
       ": 0",
       1},
  };
  expect_computed(cases);
}

TEST(Formula, TreatsTextsAndTimesAsUpstream) {
  const Computed cases[] = {
      {"a number becomes text", "len(string(b)) + len(string(1e23)) + len(string(7))", 9},
      {"a million is told by its exponent", "len(string(999999.0)) + len(string(1000000.0))", 11},
      {"infinities and NaN have names",
       "len(string(a / 0)) + len(string(-a / 0)) * 10 + len(string(0 / 0)) * 100", 344},
      {"a bool, nil, a string as text",
       R"(len(string(a > 5)) + len(string(a < 5)) + len(string(nil)) + len(string("x")))", 15},
      {"characters, not bytes", R"(len("größe"))", 5},
      {"operators on text",
       R"("abc" contains "b" && "abc" startsWith "a" && "abc" endsWith `c` ? 1 : 0)", 1},
      {"nil is no text, and holds none",
       R"(get($env, "x") contains "x" or "x" contains get($env, "x") ? 1 : 0)", 0},
      {"in order, and equal", R"("x" < "y" and string(a) == "6" and "a" != string(a) ? 1 : 0)", 1},
      {"what is escaped between quotes", R"(len('a\n\r\t\'\\') + len("\"") + len(`\n`))", 9},
      {"a pattern", R"("a17" matches "^[a-z]\\d+$" and "b" not matches "a" ? 1 : 0)", 1},
      {"a date", R"(date("2024-02-29").Day())", 29},
      {"a year and its days", R"(date("2023-12-31").Year() + date("2023-12-31").YearDay())", 2388},
      {"before 1970", R"(date("1969-07-20").Day() + date("1969-07-20").Hour())", 20},
      {"the same time, the same duration",
       R"(date("2024-02-29") == date("2024-02-29") and duration("1m") == duration("60s") ? 1 : 0)",
       1},
      {"a duration", R"(duration("1h30m").Minutes())", 90},
      {"hours and seconds", R"(duration("90m").Hours() + duration("1500ms").Seconds())", 3},
      {"now, in UTC", "let t = now(); t.Hour() * 10000 + t.Minute() * 100 + t.Second()", 130509},
  };
  expect_computed(cases);
}

constexpr Value kFailed = -1e99;

TEST(Formula, KeepsUpstreamsOrderOfAddition) {
  const std::vector<Value> values = {0.1, 0.2, 0.3, 0, 0, 0};
  EXPECT_EQ(run(R"(sum([a, b, $env["2nd"]]))", values).value_or(kFailed), Value(0.1 + (0.2 + 0.3)));
  EXPECT_EQ(run("sum([0.1, 0.2, 0.3])", values).value_or(kFailed),
            Value(0.3 + (0.2 + (0.1 + 0.0))));
}

TEST(Formula, IsNilWhereUpstreamIsNil) {
  const std::vector<Value> none(kNames.size());
  EXPECT_EQ(run("a ?? b", none).value_or(kFailed), Value());
  EXPECT_EQ(run("a ?? b ?? 8", none).value_or(kFailed), Value(8.0));
  EXPECT_EQ(run("count([a, b, 1], # == nil)", none).value_or(kFailed), Value(2.0));
}

TEST(Formula, ATriggersNameHidesTheFunction) {
  const std::vector<std::string> names = {"max"};
  const auto formula = Formula::compile("max + min(max, 3)", names);
  ASSERT_TRUE(formula) << formula.error().what;
  EXPECT_EQ(formula->run(std::vector<Value>{9.0}).value_or(kFailed), Value(12.0));
  EXPECT_EQ(Formula::compile("max(1, 2)", names).error().what,
            "1:1: \"max\" is a number, not a function");
}

TEST(Formula, TheLastOfTwoTriggersOfOneNameCounts) {
  const std::vector<std::string> names = {"a", "a"};
  const auto formula = Formula::compile("a", names);
  ASSERT_TRUE(formula) << formula.error().what;
  EXPECT_EQ(formula->run(std::vector<Value>{1.0, 2.0}).value_or(kFailed), Value(2.0));
}

TEST(Formula, AFunctionsNameIsNilOutsideOfTheTrialRun) {
  const auto formula = Formula::compile("max ?? 2", kNames);
  ASSERT_TRUE(formula) << formula.error().what;
  EXPECT_EQ(formula->run(kValues).value_or(kFailed), Value(2.0));
  EXPECT_EQ(formula->run(kValues, {.rehearsal = true}).value_or(kFailed), Value(0.0));
}

}  // namespace
}  // namespace headroom::formula
