#include "decide/scaled_object.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "decide/decide.h"
#include "decide/record.h"

namespace headroom::decide {
namespace {

using ::testing::HasSubstr;

/// A worker of a list in Redis: 5 entries a replica, 0 to 10 replicas.
policy::Autoscaler worker() {
  policy::Autoscaler made;
  made.name = "worker";
  made.target.scale_target_ref = policy::ObjectReference{"apps/v1", "Deployment", "worker"};
  made.min_replicas = {0};
  made.max_replicas = {10};
  made.cooldown_period = 60s;
  made.triggers.push_back(
      {.type = "redis",
       .metadata = {{"address", "redis:6379"}, {"listName", "jobs"}, {"listLength", "5"}}});
  return made;
}

Reading entries(double count) {
  return Measured{{static_cast<std::int64_t>(count * 1000)}, Instant{}, 0s};
}
Reading unreachable() { return tl::unexpected<Absent>({Absent::Reason::unreachable, "refused"}); }

/// Looks every 15 s at what the triggers say.
class World {
 public:
  explicit World(policy::Autoscaler by) : policy(std::move(by)) {}

  Decision look(std::vector<Reading> triggers, bool refused = false) {
    Observation seen;
    seen.now = now;
    seen.current = seen.status = replicas;
    for (std::int32_t i = 0; i < replicas.count; ++i) {
      seen.replicas.push_back({.id = static_cast<std::uint64_t>(i),
                               .started = Instant{},
                               .ready = Readiness{Truth::yes, Instant{}}});
    }
    seen.triggers = std::move(triggers);
    Decision decision;
    decide_into(policy, seen, memory, decision);
    settle(policy, seen, refused, memory, decision);
    replicas = decision.replicas;
    now += 15s;
    return decision;
  }

  policy::Autoscaler policy;
  Replicas replicas;
  Memory memory;
  Instant now{1h};
};

TEST(ByTriggers, FromZeroUpAndBackWithTheQueue) {
  World world(worker());
  struct Row {
    const char* why;
    double queue;
    std::int32_t expected;
  };
  const Row rows[] = {
      {"empty: asleep", 0, 0},
      {"between two polls nobody looks whether to wake", 12, 0},
      {"woken to one, the rest is the HPA's", 12, 1},
      {"12 of 5 each", 12, 3},
      {"no faster than twice, or 4", 500, 6},
      {"never more than the maximum", 500, 10},
      {"the HPA's window holds on the way down", 0, 10},
      {"cooling down", 0, 10},
      {"cooling down", 0, 10},
      {"cooling down", 0, 10},
      {"and from 10 to zero in one step, as KEDA does", 0, 0},
  };
  for (const auto& [why, queue, expected] : rows) {
    SCOPED_TRACE(why);
    EXPECT_EQ(world.look({entries(queue)}).replicas, Replicas{expected});
  }
}

TEST(ByTriggers, AFailingSourceHoldsUntilTheFallback) {
  World world(worker());
  world.policy.min_replicas = {1};
  world.policy.fallback = policy::Fallback{2, {6}, policy::Fallback::Behavior::static_};
  world.replicas = {3};
  world.look({entries(15)});
  EXPECT_EQ(world.look({unreachable()}).replicas, Replicas{3}) << "once";
  EXPECT_EQ(world.look({unreachable()}).replicas, Replicas{3}) << "twice is not more than 2";
  const auto fallen = world.look({unreachable()});
  EXPECT_EQ(fallen.replicas, Replicas{6});
  EXPECT_THAT(to_json(fallen), HasSubstr("FallbackExists"));
  EXPECT_THAT(to_json(world.look({entries(15)})), HasSubstr("NoFallbackFound"));
}

TEST(ByTriggers, WithoutAFallbackNothingFalls) {
  World world(worker());
  world.replicas = {3};
  world.look({entries(15)});
  for (int i = 0; i < 40; ++i) EXPECT_EQ(world.look({unreachable()}).replicas, Replicas{3}) << i;
  const auto held = world.look({unreachable()});
  EXPECT_TRUE(held.error);
  EXPECT_THAT(to_json(held), HasSubstr("s0-redis-jobs: unreachable (refused)"));
}

TEST(ByTriggers, AFormulaTakesTheTriggersPlace) {
  World world(worker());
  world.policy.triggers.push_back(world.policy.triggers.front());
  world.policy.triggers[0].name = "a";
  world.policy.triggers[1].name = "b";
  world.policy.scaling_modifiers =
      policy::ScalingModifiers{.formula = "max([a, b]) * 2", .target = "10"};
  world.replicas = {1};
  EXPECT_EQ(world.look({entries(3), entries(10)}).replicas, Replicas{2}) << "20 of 10 each";
  EXPECT_EQ(world.look({entries(0), unreachable()}).replicas, Replicas{2}) << "held";
}

TEST(ByTriggers, IdleReplicasStayIdle) {
  World world(worker());
  world.policy.min_replicas = {3};
  world.policy.idle_replicas = Replicas{1};
  world.policy.polling_interval = 15s;
  world.replicas = {3};
  EXPECT_EQ(world.look({entries(0)}).replicas, Replicas{3}) << "seen for the first time";
  EXPECT_EQ(world.look({entries(0)}).replicas, Replicas{1}) << "never active: no cooldown";
  EXPECT_EQ(world.look({entries(0)}).replicas, Replicas{1}) << "in KEDA the HPA lifts it again";
  EXPECT_EQ(world.look({entries(1)}).replicas, Replicas{3}) << "to the minimum";
}

TEST(ByTriggers, PausesHold) {
  World world(worker());
  world.policy.pause = {.paused = true, .replicas = Replicas{2}};
  world.policy.polling_interval = 15s;
  EXPECT_EQ(world.look({entries(100)}).replicas, Replicas{2}) << "set once";
  world.replicas = {5};
  EXPECT_EQ(world.look({entries(100)}).replicas, Replicas{5}) << "somebody scales by hand";
  world.policy.pause = {.scale_out = true};
  EXPECT_EQ(world.look({entries(100)}).replicas, Replicas{5}) << "not out";
  world.policy.pause = {};
  EXPECT_EQ(world.look({entries(100)}).replicas, Replicas{10});
}

TEST(ByTriggers, ARefusedWakeIsTriedAgain) {
  World world(worker());
  world.policy.polling_interval = 15s;
  const auto refused = world.look({entries(5)}, true);
  EXPECT_EQ(refused.replicas, Replicas{0});
  EXPECT_TRUE(refused.error);
  EXPECT_FALSE(world.memory.keda.last_active) << "nothing was woken";
  EXPECT_EQ(world.look({entries(5)}).replicas, Replicas{1});
}

TEST(ByTriggers, MemoryGoesThroughTheJournal) {
  World world(worker()), saved(worker());
  for (int i = 0; i < 40; ++i) {
    const auto reading = i % 7 == 3 ? unreachable() : entries(i % 11);
    EXPECT_EQ(to_json(world.look({reading})), to_json(saved.look({reading}))) << i;
    const auto back = memory_from_json(to_json(saved.memory));
    ASSERT_TRUE(back) << back.error().what;
    EXPECT_EQ(*back, saved.memory);
    saved.memory = *back;
  }
}

}  // namespace
}  // namespace headroom::decide
