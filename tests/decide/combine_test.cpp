#include "decide/combine.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "decide/steps.h"

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

TEST(Steps, EachCodeIsListedOnceWithItsMeaning) {
  for (const auto& kind : kSteps) {
    EXPECT_EQ(std::ranges::count(kSteps, kind.code, &StepKind::code), 1) << kind.code;
    EXPECT_FALSE(kind.meaning.empty()) << kind.code;
  }
}

}  // namespace
}  // namespace headroom::decide
