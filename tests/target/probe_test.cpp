#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "target/world.h"

namespace headroom::target::test {
namespace {

using ::testing::HasSubstr;
using State = Replica::State;

TEST(Probe, EachKindFindsAReplicaReady) {
  policy::Probe tcp;
  tcp.tcp_socket = policy::TcpSocket{};
  policy::Probe exec;
  exec.exec = policy::Exec{{"/bin/sh", "-c", "test \"$PORT\" = $(PORT) && test -e " + own_path()}};
  auto with_header = http_probe("/readyz");
  with_header.http_get->http_headers = {{"X-Probe", "yes"}, {"Host", "shop"}};
  struct Case {
    const char* why;
    policy::Probe probe;
  };
  const Case cases[] = {
      {"HTTP, status 200", http_probe("/readyz")},
      {"HTTP with fields of its own", with_header},
      {"a path without its slash", http_probe("readyz")},
      {"TCP", tcp},
      {"exec, status 0, with the replica's environment", exec},
  };
  for (const auto& [why, probe] : cases) {
    SCOPED_TRACE(why);
    TestWorld world;
    auto spec = replica_spec();
    spec.readiness_probe = probe;
    world.start(spec, 1);
    EXPECT_TRUE(world.run_until([&] { return world.all_ready(1); }));
    world.run_for(300ms);
    EXPECT_TRUE(world.all_ready(1)) << "and it stays so";
  }
}

TEST(Probe, AReplicaIsNotReadyWhileItsProbeFails) {
  policy::Probe exec;
  exec.exec = policy::Exec{{"false"}};
  auto closed = policy::Probe{};
  closed.tcp_socket = policy::TcpSocket{.port = 1};
  struct Case {
    const char* why;
    policy::Probe probe;
  };
  const Case cases[] = {
      {"HTTP, status 503 for a minute", http_probe("/readyz")},
      {"exec, status 1", exec},
      {"exec, no such command",
       [] {
         policy::Probe probe;
         probe.exec = policy::Exec{{"no-such-command"}};
         return probe;
       }()},
      {"TCP, another port", closed},
  };
  for (const auto& [why, probe] : cases) {
    SCOPED_TRACE(why);
    TestWorld world;
    auto spec = replica_spec({"ready=60000"});
    spec.readiness_probe = probe;
    world.start(spec, 1);
    world.run_for(300ms);
    EXPECT_EQ(world.happened("ready"), 0);
    EXPECT_EQ(world.only().state, State::starting);
  }
}

TEST(Probe, ReadinessIsSeenWhenItComes) {
  TestWorld world;
  auto spec = replica_spec({"ready=300"});
  spec.readiness_probe = http_probe("/readyz", 10s);
  world.start(spec, 1);
  ASSERT_TRUE(world.run_until([&] { return world.all_ready(1); }, 9s)) << "not a period later";
  EXPECT_GE(*world.only().startup, 300ms);
}

TEST(Probe, ReadinessComesAndGoes) {
  TestWorld world;
  auto spec = replica_spec();
  spec.readiness_probe = http_probe("/readyz", 50ms);
  world.start(spec, 1);
  ASSERT_TRUE(world.run_until([&] { return world.all_ready(1); }));
  const auto replica = world.only();
  EXPECT_EQ(world.get(replica, "/fail"), "ok");
  ASSERT_TRUE(world.run_until([&] { return world.happened("unready") == 1; }));
  EXPECT_EQ(world.only().state, State::starting) << "running, but not ready";
  EXPECT_EQ(world.only().pid, replica.pid) << "readiness does not restart";
  EXPECT_TRUE(world.run_until([&] { return world.was_said("status 503"); }));
  EXPECT_EQ(world.get(replica, "/ok"), "ok");
  ASSERT_TRUE(world.run_until([&] { return world.happened("ready") == 2; }));
}

TEST(Probe, AnEndpointThatHangsFails) {
  TestWorld world;
  auto spec = replica_spec();
  spec.readiness_probe = http_probe("/readyz", 50ms);
  spec.readiness_probe->timeout = 200ms;
  world.start(spec, 1);
  ASSERT_TRUE(world.run_until([&] { return world.all_ready(1); }));
  EXPECT_EQ(world.get(world.only(), "/hang"), "ok");
  ASSERT_TRUE(world.run_until([&] { return world.was_said("no answer within 0.2 s"); }));
  EXPECT_EQ(world.happened("unready"), 1);
}

TEST(Probe, AnExecProbeThatHangsIsKilled) {
  TestWorld world;
  auto spec = replica_spec();
  spec.liveness_probe = policy::Probe{};
  spec.liveness_probe->exec = policy::Exec{{"sleep", "60"}};
  spec.liveness_probe->timeout = 100ms;
  spec.liveness_probe->failure_threshold = 1;
  world.start(spec, 1);
  ASSERT_TRUE(world.run_until([&] { return !world.said.empty(); }));
  EXPECT_THAT(world.said[0],
              HasSubstr("liveness probe failed: exec sleep: no answer within 0.1 s"));
}

TEST(Probe, FailingLivenessRestarts) {
  TestWorld world;
  auto spec = replica_spec();
  spec.liveness_probe = http_probe("/readyz", 50ms);
  spec.liveness_probe->initial_delay = 100ms;
  world.start(spec, 1);
  ASSERT_TRUE(world.run_until([&] { return world.all_ready(1); }));
  const auto before = world.only();
  world.run_for(400ms);
  EXPECT_EQ(world.only().pid, before.pid);
  EXPECT_EQ(world.get(before, "/fail"), "ok");
  ASSERT_TRUE(world.run_until([&] { return world.happened("ready") == 2; }));
  EXPECT_NE(world.only().pid, before.pid);
  EXPECT_EQ(world.only().id, before.id);
  ASSERT_FALSE(world.said.empty());
  EXPECT_THAT(world.said[0], HasSubstr("liveness probe failed: GET /readyz: status 503"));
  ASSERT_GE(world.events.size(), 3u);
  EXPECT_EQ(world.events[1].state, State::starting) << "no traffic while it stops";
  EXPECT_EQ(world.events[2].state, State::backing_off);
}

TEST(Probe, TheOthersWaitForTheStartupProbe) {
  TestWorld world;
  auto spec = replica_spec({"ready=500"});
  spec.startup_probe = http_probe("/readyz", 100ms);
  spec.startup_probe->failure_threshold = 100;
  spec.liveness_probe = http_probe("/readyz", 20ms);
  spec.liveness_probe->failure_threshold = 1;
  world.start(spec, 1);
  ASSERT_TRUE(world.run_until([&] { return world.all_ready(1); }));
  EXPECT_GE(*world.only().startup, 500ms);
  EXPECT_TRUE(world.said.empty()) << "liveness was not asked before";
}

TEST(Probe, OneThatWaitsAfterItWasStoppedCanBeStoppedForGood) {
  for (const bool all : {true, false}) {
    SCOPED_TRACE(all ? "Headroom ends" : "scaled down");
    TestWorld world;
    auto spec = replica_spec({"ready=60000"});
    spec.startup_probe = http_probe("/readyz", 20ms);
    spec.startup_probe->failure_threshold = 1;
    world.start(spec, 1);
    ASSERT_TRUE(world.run_until([&] { return world.count(State::backing_off) == 1; }));
    if (all) {
      world.process->stop([] {});
    } else {
      world.process->scale({0});
    }
    EXPECT_TRUE(world.run_until([&] { return world.happened("gone") == 1; }, 10s));
    EXPECT_TRUE(world.process->replicas().empty());
  }
}

TEST(Probe, AFailedStartupRestarts) {
  TestWorld world;
  auto spec = replica_spec({"ready=60000"});
  spec.startup_probe = http_probe("/readyz", 100ms);
  world.start(spec, 1);
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_TRUE(world.run_until([&] { return !world.said.empty(); }));
  EXPECT_THAT(world.said[0], HasSubstr("startup probe failed: GET /readyz: status 503"));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 200ms) << "three periods, not three tries";
}

}  // namespace
}  // namespace headroom::target::test
