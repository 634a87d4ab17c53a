#include <gmock/gmock.h>

#include "formula/run.h"

namespace headroom::formula {
namespace {

using ::testing::HasSubstr;

struct Refused {
  const char* why;
  const char* formula;
  const char* expected;
};

void expect_refused(std::span<const Refused> cases) {
  for (const auto& [why, formula, expected] : cases) {
    SCOPED_TRACE(why);
    const auto compiled = Formula::compile(formula, kNames);
    ASSERT_FALSE(compiled);
    EXPECT_THAT(compiled.error().what, HasSubstr(expected));
  }
}

TEST(Refusal, OfWhatIsNotWrittenWell) {
  const Refused cases[] = {
      {"a comment swallows the closing parenthesis", "a // six",
       "1:9: found the end, expected \",\" or \")\""},
      {"a comment that is not closed", "a /* six", "1:3: this comment is not closed"},
      {"an open parenthesis", "(a + b", "1:7: found the end, expected \",\" or \")\""},
      {"a number too many", "a 5", "1:3: found \"5\", expected"},
      {"a string too many", "a 'x'", "1:3: found the string \"x\", expected"},
      {"an open parenthesis inside of a list", "[(a + b]", "1:8: found \"]\", expected \")\""},
      {"behind KEDA's own wrapping", "float(a) b",
       "1:10: found \"b\", expected an operator or the end"},
      {"nothing to add", "a +", "expected a value"},
      {"?? beside another operator", "a ?? b + 1", "1:8: ?? and + side by side"},
      {"not, without a word", "a not b", "1:7: found \"b\", expected in, matches"},
      {"not, with a sign", "a not < b", "1:7: found \"<\", expected in, matches"},
      {"not, with arithmetic", "a not + b", "1:7: found \"+\", expected in, matches"},
      {"not, with another word", "a not or b", "1:7: found \"or\", expected in, matches"},
      {"a pipe into nothing", "a | 5", "expected a function's name after \"|\""},
      {"a let without a name", "let 5 = 1; a", "expected a name after \"let\""},
      {"a let without a value", "let x; a", "found \";\", expected \"=\""},
      {"a let alone", "let x = 1", "expected \";\""},
      {"an if without braces", "if a > 5 b else 1", "expected \"{\""},
      {"an if without else", "if a > 5 {b}", "expected \"else\""},
      {"a ? alone", "a > 5 ? 1", "expected \":\""},
      {"a member without a name", "a.5 + $env.+", "1:2: found \".5\""},
      {"a bracket instead of a name", "$env.[1]",
       "1:6: found \"[\", expected a name after the dot"},
      {"a sign instead of a name", "$env.+", "1:6: found \"+\", expected a name after the dot"},
      {"letters with a sign's code above", "$env.||", "expected a name after the dot"},
      {"arguments of a method", "now().Hour(1)", "found \"1\", expected \")\""},
      {"an open index", "[1][0", "expected \"]\""},
      {"a list without commas", "[1 2]", "found \"2\", expected \",\" or \"]\""},
      {"a predicate is missing", "all([1])", "found \")\", expected \",\""},
      {"a list is missing", "count()", "found \")\", expected a value"},
      {"a predicate too many", "count([1], true, true)", "found \"true\", expected \")\""},
      {"; without braces", "count([1], # > 1; true)", "put braces around"},
      {"an open brace", "count([1], {# > 1)", "expected \"}\""},
      {"# outside of a predicate", "# + 1", "1:1: found \"#\", expected a value"},
      {"a character that begins nothing", "a € b", "1:3: found \"€\", which nothing begins with"},
      {"invalid UTF-8", "a \xff", "1:3: invalid UTF-8"},
      {"inside of a number", "1\xff", "1:1: invalid UTF-8"},
      {"inside of a string", "'\xff'", "invalid UTF-8"},
      {"inside of a raw string", "`a\xff`", "invalid UTF-8"},
      {"an open string", "\"a", "1:1: this string is not closed"},
      {"a string over lines", "'a\n'", "this string is not closed"},
      {"an open raw string", "`a", "this string is not closed: expected `"},
      {"an escaped quote of the other kind", R"('\"')", "an escape that is not supported here"},
      {"an escape of another kind", R"("\x41")", "an escape that is not supported here"},
      {"a number with letters", "1x", "found \"1x\", which is no number"},
      {"an exponent without digits", "1e + a", "1e is no number"},
      {"a float beyond all", "1e999", "1e999 is no number"},
      {"an integer beyond 64 bits", "99999999999999999999", "is no integer of 64 bits"},
      {"a base without digits", "0x + a", "0x is no integer"},
      {"a fraction of another base", "0x1.8 + a", "0x1.8 is no integer"},
      {"columns are characters", "größe + nosuch", "1:9: unknown name \"nosuch\""},
  };
  expect_refused(cases);
}

TEST(Refusal, OfNamesThatAreNone) {
  const Refused cases[] = {
      {"an unknown name", "a +\n  c", "2:3: unknown name \"c\"; the triggers are \"a\", \"b\""},
      {"a slip", "a + größ", "did you mean \"größe\"?"},
      {"a trigger my-queue reads as a subtraction", "my-queue", "1:1: unknown name \"my\""},
      {"by $env", "$env.nosuch", "1:6: unknown name \"nosuch\""},
      {"an unnamed trigger cannot be meant", R"($env[""])", "unknown name \"\""},
      {"an unknown function", "maxi(a)", "1:1: there is no function \"maxi\""},
      {"a trigger is none", "a(1)", "\"a\" is a number, not a function"},
      {"a name that is taken by a trigger", "let a = 1; a", "1:5: \"a\" is taken already"},
      {"by a function", "let max = 1; 1", "\"max\" is taken already"},
      {"by all triggers", "let $env = 1; 1", "\"$env\" is taken already"},
      {"by another let", "let x = 1; let x = 2; x", "\"x\" is taken already"},
      {"#index, where there is none", "count([1], #index > 0)", "there is no #index here"},
      {"#acc, where there is none", "sum(map([1], #acc))", "there is no #acc here"},
      {"what is no pointer", "map([1], #x)", "there is no #x here"},
  };
  expect_refused(cases);
  EXPECT_THAT(Formula::compile("a", std::vector<std::string>{""}).error().what,
              HasSubstr("no trigger has a name that can be used"));
}

TEST(Refusal, OfWhatDoesNotFit) {
  const Refused cases[] = {
      {"% of a variable", "a % 2",
       "1:3: this operator cannot be applied to a number and an integer; % takes integers"},
      {"another operator", R"(a + "x")", "cannot be applied to a number and a string"},
      {"on the left", R"("x" * a)", "cannot be applied to a string and a number"},
      {"of logic", "a and true", "cannot be applied to a number and a bool"},
      {"of order", R"("x" < 1)", "cannot be applied to a string and an integer"},
      {"equality", R"(a == "x")", "cannot be applied to a number and a string"},
      {"numbers with what is none", R"("x" == 1)", "cannot be applied to a string and an integer"},
      {"texts", "1 contains \"x\"", "cannot be applied to an integer and a string"},
      {"a range", "sum(1..a)", "cannot be applied to an integer and a number"},
      {"a division", "1 / [2]", "cannot be applied to an integer and a list"},
      {"times are asked for numbers", "now() - now()", "cannot be applied to a time and a time"},
      {"not", "not a ? 1 : 2", "not cannot be applied to a number"},
      {"a sign", "-\"x\"", "a sign cannot be applied to a string"},
      {"in", "1 in 2 ? 1 : 0", "\"in\" cannot look for an integer in an integer"},
      {"in, among others", R"("x" in [1] ? 1 : 0)", "\"in\" cannot look for a string in a list"},
      {"% by zero", "1 % 0 + 2 % 0", "1:3: integer divided by zero"},
      {"a bool as the result", "a > 5", "float: found a bool, expected a number or a string"},
      {"a condition that is none", "a ? 1 : 2", "1:1: the condition is a number, expected a bool"},
      {"too many arguments", "abs(a, b)", "1:1: abs: found 2 arguments, expected 1"},
      {"too few", "float()", "float: found 0 arguments"},
      {"nil as an argument", "abs(nil)", "abs: found nil, expected a number"},
      {"none at all", "max()", "max: found no argument"},
      {"a text among numbers", R"(min(1, "x"))",
       "min: found a string, expected a number or a list"},
      {"len of a number", "len(a)", "len: found a number, expected a list or a string"},
      {"len of two", "len([1], 2)", "len: found 2 arguments"},
      {"first of a number", "first(a)", "first: found a number, expected a list"},
      {"first of two", "first([1], 2)", "first: found 2 arguments"},
      {"floor of text", R"(floor("x"))", "floor: found a string, expected a number"},
      {"sort of a number", "sort(a)[0]", "sort: found a number, expected a list"},
      {"sort of nothing", "sort()[0]", "sort: found 0 arguments"},
      {"sort in what order", "sort([1], 2)[0]",
       "sort: found an integer, expected \"asc\" or \"desc\""},
      {"text of a list", "len(string([1]))", "string: found a list"},
      {"text of two", "len(string(1, 2))", "string: found 2 arguments"},
      {"now of something", "now(1).Hour()", "now: found 1 arguments, expected 0"},
      {"a date of a number", "date(1).Day()", "date: found an integer, expected a string"},
      {"a duration of two", R"(duration("1h", "2h").Hours())", "duration: found 2 arguments"},
      {"count in a number", "count(a, true)", "1:7: count: found a number, expected a list"},
      {"a predicate that is no condition", "find([a], # + 1)", "expected a bool"},
      {"a predicate of nil", "sum(map([a], nil))", "the predicate gives nil only"},
      {"an element of a number", "a[0]", "nothing can be taken out of a number"},
      {"an element by text", R"([1]["x"])", "an element is taken by an integer, not by a string"},
      {"a part of a number", "a[1:]", "a number cannot be cut here"},
      {"a part by text", R"([1][:"x"])", "found a string, expected an integer"},
      {"a method that is none", "now().Our()", "a time has no method \"Our\" here"},
      {"of a number", "a.Hour()", "a number has no method \"Hour\" here"},
      {"a pattern that is none", R"("a" matches "(")", "1:13: this pattern is not supported here"},
  };
  expect_refused(cases);
}

TEST(Refusal, SaysWhatIsNotSupportedHere) {
  const Refused cases[] = {
      {"a function of upstream's", "len(toJSON(a))",
       "1:5: the function toJSON is not supported here"},
      {"one on texts", R"(trim("x") | len())", "1:1: the function trim is not supported here"},
      {"in a pipe", "[1] | reverse() | first()", "1:7: the function reverse is not supported here"},
      {"maps", "{x: 1}.x", "1:1: a map is not supported here"},
      {"soft members", "$env?.a", "1:5: \"?.\" is not supported here"},
      {"functions by ::", "::max(a)", "1:1: \"::\" is not supported here"},
      {"lists in lists", "max([1, [2]])", "1:9: a list in a list is not supported here"},
      {"made one by one", "map([1], [#])[0][0]", "a list in a list is not supported here"},
      {"all triggers at once", "len($env)", "1:5: $env is supported here as $env.name"},
      {"a name that is computed", "$env[string(a)]", "$env is supported here as"},
      {"or in get", "get($env, string(a))", "1:1: $env is supported here as"},
      {"get from a list", "get([1], 0)", "$env is supported here as"},
      {"get, softly, from a list", R"(get([1], "0"))", "$env is supported here as"},
      {"get alone", "get($env)", "$env is supported here as"},
      {"patterns that are computed", R"("a" matches string(a) ? 1 : 2)",
       "1:13: expected a pattern in quotes"},
      {"other methods", "now().Weekday()", "1:7: a time has no method \"Weekday\" here"},
  };
  expect_refused(cases);
}

}  // namespace
}  // namespace headroom::formula
