#include "control/objective_meter.h"

#include <gtest/gtest.h>

namespace headroom::control {
namespace {

constexpr Instant kStart{1h};
const policy::Objective kHundred{100ms, 99};

/// The gateway's counters, as they grow.
class World {
 public:
  void answered(int count, std::chrono::microseconds each) {
    traffic_.duration.bucket[Histogram::index(static_cast<std::uint64_t>(each.count()))] +=
        static_cast<std::uint64_t>(count);
  }
  void failed(int count, gateway::Failure reason) {
    traffic_.failed[static_cast<std::size_t>(reason)] += static_cast<std::uint64_t>(count);
  }
  void look(Millis after, const std::optional<policy::Objective>& objective = kHundred) {
    meter.add(kStart + after, objective, traffic_);
  }

  ObjectiveMeter meter;

 private:
  gateway::Snapshot traffic_;
};

TEST(ObjectiveMeter, WhatCountsAndWhatIsWithin) {
  using gateway::Failure;
  struct Case {
    const char* why;
    void (*happens)(World&);
    Judged expected;
  };
  const Case cases[] = {
      {"nothing", [](World&) {}, {0, 0}},
      {"well within", [](World& w) { w.answered(7, 1ms); }, {7, 7}},
      {"the last step that ends below it", [](World& w) { w.answered(1, 98303us); }, {1, 1}},
      {"the step that it cuts", [](World& w) { w.answered(1, 98304us); }, {1, 0}},
      {"itself", [](World& w) { w.answered(1, 100ms); }, {1, 0}},
      {"an hour", [](World& w) { w.answered(1, 1h); }, {1, 0}},
      {"what a replica spoilt", [](World& w) { w.failed(3, Failure::reset_in_body); }, {3, 0}},
      {"what waited in vain", [](World& w) { w.failed(3, Failure::hold_timeout); }, {3, 0}},
      {"what its client ended", [](World& w) { w.failed(3, Failure::client_abort); }, {0, 0}},
      {"what its client let wait", [](World& w) { w.failed(3, Failure::client_idle); }, {0, 0}},
      {"what its client spoilt", [](World& w) { w.failed(3, Failure::bad_request); }, {0, 0}},
  };
  for (const auto& [why, happens, expected] : cases) {
    SCOPED_TRACE(why);
    World world;
    world.answered(1000, 1s);  // before the first look
    world.failed(1000, Failure::refused);
    world.look(0s);
    happens(world);
    world.look(250ms);
    EXPECT_EQ(world.meter.all(), expected);
    EXPECT_EQ(world.meter.recent(), expected);
  }
}

TEST(ObjectiveMeter, EachIsHeldAgainstTheObjectiveOfItsTime) {
  World world;
  world.look(0s);
  world.answered(10, 50ms);
  world.look(1s);
  EXPECT_EQ(world.meter.all(), (Judged{10, 10}));
  world.answered(10, 50ms);
  world.look(2s, policy::Objective{20ms, 99});
  EXPECT_EQ(world.meter.all(), (Judged{20, 10})) << "those before stay within: counters only grow";
  EXPECT_EQ(world.meter.recent(), Judged{}) << "but of another objective they tell nothing";
  world.answered(10, 50ms);
  world.look(3s, std::nullopt);
  EXPECT_EQ(world.meter.all(), (Judged{20, 10})) << "held against nothing";
  world.answered(10, 50ms);
  world.look(4s);
  EXPECT_EQ(world.meter.all(), (Judged{30, 20}));
  world.answered(10, 50ms);
  world.look(5s);
  EXPECT_EQ(world.meter.recent(), (Judged{10, 10}));
}

TEST(ObjectiveMeter, RecentIsOfFiveMinutes) {
  World world;
  world.answered(1, 1s);
  world.look(0s);
  world.answered(100, 1s);
  world.look(1s);
  EXPECT_EQ(world.meter.recent(), (Judged{100, 0}));
  for (auto at = 2s; at < 299s; at += 1s) {
    world.answered(1, 1ms);
    world.look(at);
  }
  EXPECT_EQ(world.meter.recent(), (Judged{397, 297})) << "not five minutes ago";
  world.look(306s);
  EXPECT_EQ(world.meter.recent().requests - world.meter.recent().within, 0u) << "they have left";
  EXPECT_EQ(world.meter.all(), (Judged{397, 297})) << "of the counters nothing does";
  world.look(2h);
  EXPECT_EQ(world.meter.recent(), Judged{}) << "asleep meanwhile";
}

TEST(ObjectiveMeter, WithoutALookThereIsNothing) {
  EXPECT_EQ(ObjectiveMeter().recent(), Judged{});
  EXPECT_EQ(ObjectiveMeter().all(), Judged{});
}

TEST(ObjectiveMeter, WhatAnEarlierLifeJudgedIsRecentUntilItIsOld) {
  World world;
  world.meter.resume(kStart - 8min, kHundred, {1000, 0});
  world.meter.resume(kStart - 2min, {200ms, 99}, {1000, 0});  // it was changed then
  world.meter.resume(kStart - 1min, kHundred, {10, 4});
  world.meter.resume(kStart - 55s, kHundred, {10, 6});
  world.look(0s);
  EXPECT_EQ(world.meter.recent(), (Judged{20, 10}));
  EXPECT_EQ(world.meter.all(), Judged{}) << "of this life";
  world.answered(5, 1ms);
  world.look(1s);
  EXPECT_EQ(world.meter.recent(), (Judged{25, 15}));
  EXPECT_EQ(world.meter.all(), (Judged{5, 5}));
  world.look(4min + 6s);
  EXPECT_EQ(world.meter.recent(), (Judged{15, 11}));
  world.look(5min);
  EXPECT_EQ(world.meter.recent(), (Judged{5, 5}));
}

TEST(ObjectiveMeter, WhatWasJudgedByAnotherObjectiveIsNotRecent) {
  World world;
  world.meter.resume(kStart - 1min, {200ms, 99}, {10, 4});
  world.look(0s);
  EXPECT_EQ(world.meter.recent(), Judged{});
}

}  // namespace
}  // namespace headroom::control
