#include "decide/limit.h"

#include <deque>

#include <gtest/gtest.h>

namespace headroom::decide {
namespace {

using Type = policy::ScalingPolicy::Type;
using Select = policy::ScalingRules::Select;

constexpr Instant kNow{1h};

/// Rules borrow from their policy: it is kept.
Rules kept(std::optional<policy::Behavior> behavior) {
  static std::deque<policy::Autoscaler> policies;
  policies.emplace_back().behavior = std::move(behavior);
  return rules_of(policies.back());
}

Rules rules(std::vector<policy::ScalingPolicy> policies, Select select = Select::max) {
  policy::Behavior behavior;
  policy::ScalingRules each;
  each.select_policy = select;
  each.policies = std::move(policies);
  behavior.scale_up = behavior.scale_down = each;
  return kept(behavior);
}

TEST(Limit, AsUpstreams) {
  const Rules plain = kept(std::nullopt), defaults = kept(policy::Behavior{});
  const Rules two_pods = rules({{Type::pods, 2, 60s}});
  const Rules half = rules({{Type::percent, 50, 60s}});
  const Rules least = rules({{Type::pods, 1, 60s}, {Type::percent, 100, 60s}}, Select::min);
  const Rules most = rules({{Type::pods, 1, 60s}, {Type::percent, 100, 60s}});
  const Rules steep = rules({{Type::percent, INT32_MAX, 60s}});
  const Rules disabled = rules({}, Select::disabled);
  struct Case {
    const char* why;
    const Rules& rules;
    int current, wanted, min, max;
    std::vector<ScaleEvent> ups, downs;
    int expected;
    const char* reason;
  };
  const Case cases[] = {
      {"free", plain, 3, 4, 1, 9, {}, {}, 4, "DesiredWithinRange"},
      {"no behavior: twice", plain, 3, 20, 1, 99, {}, {}, 6, "ScaleUpLimit"},
      {"no behavior: 4 at least", plain, 1, 20, 1, 99, {}, {}, 4, "ScaleUpLimit"},
      {"no behavior: of what there was before the last looks",
       plain,
       4,
       20,
       1,
       99,
       {{kNow - 250ms, 3}},
       {},
       4,
       "ScaleUpLimit"},
      {"no behavior: any fall at once", plain, 90, 2, 1, 99, {}, {}, 2, "DesiredWithinRange"},
      {"the maximum binds first", plain, 3, 20, 1, 5, {}, {}, 5, "TooManyReplicas"},
      {"the minimum", plain, 3, 0, 2, 5, {}, {}, 2, "TooFewReplicas"},
      {"defaults: four more or twice, the larger",
       defaults,
       3,
       20,
       1,
       99,
       {},
       {},
       7,
       "ScaleUpLimit"},
      {"defaults: twice", defaults, 8, 99, 1, 99, {}, {}, 16, "ScaleUpLimit"},
      {"defaults: all of it down", defaults, 8, 0, 0, 99, {}, {}, 0, "DesiredWithinRange"},
      {"two in a minute", two_pods, 5, 9, 1, 99, {}, {}, 7, "ScaleUpLimit"},
      {"of which one was added", two_pods, 6, 9, 1, 99, {{kNow - 59s, 1}}, {}, 7, "ScaleUpLimit"},
      {"an event as old as the period has left",
       two_pods,
       6,
       9,
       1,
       99,
       {{kNow - 60s, 1}},
       {},
       8,
       "ScaleUpLimit"},
      {"what was removed may be added again",
       two_pods,
       4,
       9,
       1,
       99,
       {},
       {{kNow - 5s, -2}},
       8,
       "ScaleUpLimit"},
      {"a limit never turns the direction",
       two_pods,
       9,
       12,
       1,
       99,
       {{kNow - 5s, 6}},
       {},
       9,
       "ScaleUpLimit"},
      {"nor down", two_pods, 3, 1, 1, 99, {}, {{kNow - 5s, -6}}, 3, "ScaleDownLimit"},
      {"percent up is rounded up", half, 3, 9, 1, 99, {}, {}, 5, "ScaleUpLimit"},
      {"percent down is cut", half, 3, 0, 0, 99, {}, {}, 1, "ScaleDownLimit"},
      {"Min takes the smallest change", least, 5, 99, 1, 99, {}, {}, 6, "ScaleUpLimit"},
      {"Min down", least, 5, 0, 0, 99, {}, {}, 4, "ScaleDownLimit"},
      {"Max takes the largest", most, 5, 99, 1, 99, {}, {}, 10, "ScaleUpLimit"},
      {"what there was is more, in percent, than 64 bits take",
       steep,
       5,
       9,
       1,
       99,
       {},
       std::vector<ScaleEvent>(2000, {kNow, INT32_MIN}),
       9,
       "DesiredWithinRange"},
      {"Disabled allows none up", disabled, 5, 9, 1, 99, {}, {}, 5, "ScaleUpLimit"},
      {"Disabled allows none down", disabled, 5, 2, 1, 99, {}, {}, 5, "ScaleDownLimit"},
      {"limit and maximum equal: the maximum is named",
       two_pods,
       5,
       9,
       1,
       7,
       {},
       {},
       7,
       "TooManyReplicas"},
      {"limit and minimum equal: the minimum is named",
       two_pods,
       5,
       1,
       3,
       9,
       {},
       {},
       3,
       "TooFewReplicas"},
  };
  for (const auto& [why, by, current, wanted, min, max, ups, downs, expected, reason] : cases) {
    SCOPED_TRACE(why);
    const auto limited = limit({{current}, {wanted}}, by, {{min}, {max}}, kNow, ups, downs);
    EXPECT_EQ(limited.replicas, Replicas{expected});
    EXPECT_EQ(limited.reason, reason);
  }
}

TEST(Limit, ANewEventTakesThePlaceOfTheLastThatIsOut) {
  const Rules minute = rules({{Type::pods, 2, 60s}});
  Memory memory;
  memory.ups = {{kNow - 90s, 1}, {kNow - 70s, 2}, {kNow - 5s, 3}};
  remember_change({{4}, {6}}, minute, kNow, memory);
  EXPECT_EQ(memory.ups, (std::vector<ScaleEvent>{{kNow - 90s, 1}, {kNow, 2}, {kNow - 5s, 3}}));
  remember_change({{6}, {5}}, minute, kNow, memory);
  EXPECT_EQ(memory.downs, (std::vector<ScaleEvent>{{kNow, -1}}));
}

TEST(Limit, EventsAreBounded) {
  const Rules minute = rules({{Type::pods, 2, 60s}});
  Memory memory;
  for (int i = 0; i < 2100; ++i) remember_change({{1}, {2}}, minute, kNow, memory);
  EXPECT_EQ(memory.ups.size(), 2048U);
}

TEST(Limit, NoPoliciesAtAllAllowNothing) {
  const Rules none{.given = true};
  EXPECT_EQ(limit({{3}, {5}}, none, {{1}, {9}}, kNow, {}, {}).replicas, Replicas{3});
  EXPECT_EQ(limit({{3}, {1}}, none, {{1}, {9}}, kNow, {}, {}).replicas, Replicas{3});
}

}  // namespace
}  // namespace headroom::decide
