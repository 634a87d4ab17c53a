#include "decide/decision.h"

#include <gtest/gtest.h>

#include "decide/steps.h"
#include "decide/words.h"

namespace headroom::decide {
namespace {

Step step_of(Step::Stage stage, std::string_view code, std::int32_t before, std::int32_t after) {
  return {.stage = stage,
          .code = code,
          .before = {before},
          .after = {after},
          .text = std::string(code)};
}

TEST(Reason, TheStepsThatLedToTheNumber) {
  struct Case {
    const char* why;
    std::int32_t current, replicas;
    std::vector<Step> steps;
    const char* expected;
  };
  const auto recommend = Step::Stage::recommend, limit = Step::Stage::limit,
             activate = Step::Stage::activate;
  const Case cases[] = {
      {"no step at all, as where a pause has been set", 3, 3, {}, ""},
      {"one", 2, 4, {step_of(recommend, step::kUtilization, 2, 4)}, "Utilization"},
      {"a chain",
       2,
       3,
       {step_of(recommend, step::kUtilization, 2, 4), step_of(limit, step::kTooManyReplicas, 4, 3)},
       "Utilization; TooManyReplicas"},
      {"brought inside, and that was it",
       12,
       10,
       {step_of(limit, step::kTooManyReplicas, 12, 10)},
       "TooManyReplicas"},
      {"brought inside, and on from there",
       12,
       5,
       {step_of(limit, step::kTooManyReplicas, 12, 10),
        step_of(recommend, step::kUtilization, 10, 5)},
       "TooManyReplicas; Utilization"},
      {"brought inside, and on without a recommendation",
       12,
       5,
       {step_of(limit, step::kTooManyReplicas, 12, 10), step_of(activate, step::kSlept, 10, 5)},
       "TooManyReplicas; Slept"},
      {"a limit that moved nothing is none",
       0,
       0,
       {step_of(limit, step::kTooManyReplicas, 0, 0)},
       "TooManyReplicas"},
      {"to zero for one reason alone",
       3,
       0,
       {step_of(recommend, step::kConcurrency, 3, 1), step_of(activate, step::kScaledToZero, 1, 0)},
       "ScaledToZero"},
      {"nothing moved: what was seen",
       3,
       3,
       {step_of(recommend, step::kUtilization, 3, 3),
        step_of(activate, step::kTriggerActive, 3, 3)},
       "Utilization"},
  };
  for (const auto& [why, current, replicas, steps, expected] : cases) {
    SCOPED_TRACE(why);
    Decision decision;
    decision.current = {current};
    decision.replicas = {replicas};
    decision.steps = steps;
    EXPECT_EQ(decision.reason(), expected);
  }
}

TEST(Change, ThePluralIsThatOfTheLastNumber) {
  Decision decision{.current = {2}, .replicas = {1}};
  EXPECT_EQ(change_of(decision), "2 → 1 replica");
  decision.replicas = {0};
  EXPECT_EQ(change_of(decision), "2 → 0 replicas");
}

}  // namespace
}  // namespace headroom::decide
