#include "decide/combine.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>

#include <gtest/gtest.h>

#include "decide/steps.h"
#include "places.h"

namespace headroom::decide {
namespace {

Proposal says(const char* name, std::optional<int> replicas, int current) {
  Proposal made;
  if (replicas) made.replicas = Replicas{*replicas};
  made.steps.push_back(
      {.code = name, .before = {current}, .after = {replicas.value_or(current)}, .text = name});
  return made;
}

TEST(Combine, TheLargestWinsAndAFailureOnlyBlocksGoingDown) {
  struct Case {
    const char* why;
    std::vector<std::optional<int>> proposals;
    int current, expected;
    bool held;
    const char* last_code;
  };
  const Case cases[] = {
      {"one alone", {3}, 5, 3, false, "a"},
      {"the largest", {3, 7, 4}, 5, 7, false, "LargestWins"},
      {"none asked", {}, 5, 5, false, ""},
      {"a failure does not block going up", {7, std::nullopt}, 5, 7, false, "LargestWins"},
      {"nor staying", {5, std::nullopt}, 5, 5, false, "LargestWins"},
      {"but going down", {3, std::nullopt}, 5, 5, true, "FailedHolds"},
      {"wherever it stands", {std::nullopt, 3}, 5, 5, true, "FailedHolds"},
      {"all failed", {std::nullopt, std::nullopt}, 5, 5, true, "NothingReadable"},
  };
  for (const auto& [why, numbers, current, expected, held, last_code] : cases) {
    SCOPED_TRACE(why);
    std::vector<Proposal> proposals;
    for (const auto& number : numbers) {
      proposals.push_back(says(proposals.empty() ? "a" : "b", number, current));
    }
    std::vector<Step> steps;
    const auto combined = combine(proposals, {current}, steps);
    EXPECT_EQ(combined.replicas, Replicas{expected});
    EXPECT_EQ(combined.held_by != nullptr, held);
    EXPECT_EQ(steps.empty() ? "" : steps.back().code, last_code);
  }
}

TEST(Steps, EachCodeIsListedOnce) {
  std::ifstream header(SOURCES "/src/decide/steps.h");
  const std::string text{std::istreambuf_iterator<char>(header), {}};
  const std::regex declared(R"re(constexpr std::string_view k\w+ =\s+"(\w+)")re");
  std::size_t codes = 0;
  for (std::sregex_iterator at(text.begin(), text.end(), declared), end; at != end; ++at, ++codes) {
    const std::string code = (*at)[1];
    EXPECT_EQ(std::ranges::count(kSteps, code, &StepKind::code), 1) << code;
  }
  EXPECT_EQ(codes, kSteps.size());
}

}  // namespace
}  // namespace headroom::decide
