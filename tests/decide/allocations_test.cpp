#include <cstdlib>
#include <new>

#include <gtest/gtest.h>

#include "decide/decide.h"

namespace {
std::size_t allocations = 0;  // of this program, which has one thread
}

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace headroom::decide {
namespace {

policy::Autoscaler hpa() {
  policy::Autoscaler made;
  made.target.scale_target_ref = policy::ObjectReference{"apps/v1", "Deployment", "web"};
  made.max_replicas = {40};
  made.metrics = {{.name = "cpu", .target = {.average_utilization = 50}}};
  return made;
}

/// A list, a clock and cpu, each with a name.
policy::Autoscaler scaled_object() {
  auto made = hpa();
  made.min_replicas = {0};
  made.triggers = {
      {.type = "redis",
       .name = "jobs",
       .metadata = {{"address", "redis:6379"}, {"listName", "jobs"}, {"listLength", "5"}}},
      {.type = "cron",
       .name = "office",
       .metadata = {{"timezone", "UTC"},
                    {"start", "0 9 * * *"},
                    {"end", "0 17 * * *"},
                    {"desiredReplicas", "6"}}},
      {.type = "cpu", .metadata = {{"value", "50"}}},
  };
  made.fallback = policy::Fallback{3, {6}, policy::Fallback::Behavior::static_};
  return made;
}

policy::Autoscaler with_formula() {
  auto made = scaled_object();
  made.scaling_modifiers = policy::ScalingModifiers{
      .formula = "jobs > 50 ? jobs * 2 : max(jobs, office * 5)", .target = "5"};
  return made;
}

Observation seen(int round, Replicas current) {
  Observation made;
  made.now = Instant{1h} + round * 15s;
  made.unix_millis = 1'764'057'600'000 + std::int64_t{15'000} * round;
  made.current = made.status = current;
  made.templates = {{.containers = {{"app", {{"cpu", {500}}}}}}};
  for (std::int32_t i = 0; i < current.count; ++i) {
    made.replicas.push_back({.id = static_cast<std::uint64_t>(i),
                             .started = Instant{},
                             .ready = Readiness{Truth::yes, Instant{}},
                             .cpu = Measured{{200 + 20 * (round % 8)}, made.now, 15s}});
  }
  const std::int64_t jobs = 1000 * (round * 7 % 90);
  made.triggers = {Measured{{jobs}, made.now, 0s}};
  made.zones = {{"UTC", {{0, 0}}}};
  return made;
}

/// Neither the load nor the count stand still: windows, rates and cooldowns have their say.
TEST(Allocations, OfDecidingAreNoneOnceMemoryHasItsSize) {
  struct Case {
    const char* why;
    policy::Autoscaler policy;
  };
  const Case cases[] = {{"an HPA", hpa()},
                        {"a ScaledObject", scaled_object()},
                        {"one with a formula", with_formula()}};
  for (const auto& [why, policy] : cases) {
    SCOPED_TRACE(why);
    const Prepared prepared(policy);
    Memory memory;
    Decision decision;
    Replicas current{3};
    std::size_t made = 0;
    int moved = 0;
    for (int round = 0; round < 300; ++round) {
      const auto observation = seen(round, current);
      const std::size_t before = allocations;
      decide_into(prepared, observation, memory, decision);
      settle(policy, observation, false, memory, decision);
      if (round >= 100) made += allocations - before;
      if (decision.replicas != current) ++moved;
      current = decision.replicas;
    }
    EXPECT_EQ(made, 0U);
    EXPECT_GT(moved, 3) << "or nothing has been shown";
  }
}

}  // namespace
}  // namespace headroom::decide
