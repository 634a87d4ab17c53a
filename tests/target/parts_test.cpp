#include <set>
#include <thread>

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include "target/cgroup.h"
#include "target/expand.h"
#include "target/ports.h"
#include "target/proc.h"
#include "target/spawner.h"
#include "target/world.h"

namespace headroom::target::test {
namespace {

TEST(Expand, FillsInWhatOnlyTheReplicaKnows) {
  const Environment variables{{"PORT", "8080"}, {"HOME", "/root"}};
  struct Case {
    const char *why, *text, *expected;
  };
  const Case cases[] = {
      {"a variable", "--port=$(PORT)", "--port=8080"},
      {"twice", "$(PORT)$(PORT)", "80808080"},
      {"the others were the reader's", "$(HOME) $$(HOME)", "$(HOME) $$(HOME)"},
      {"no socket was given", "$(SOCKET)", "$(SOCKET)"},
      {"escaped", "$$(PORT)", "$(PORT)"},
      {"escaped, then a variable", "$$(PORT)$(PORT)", "$(PORT)8080"},
      {"a shell's own", "$PORT ${PORT} $$ $", "$PORT ${PORT} $$ $"},
      {"never closed", "$(PORT", "$(PORT"},
      {"nothing", "", ""},
  };
  for (const auto& [why, text, expected] : cases) {
    SCOPED_TRACE(why);
    EXPECT_EQ(expand(text, variables), expected);
  }
}

TEST(Expand, TheSocketIsWantedWhereItIsNamed) {
  policy::Process spec;
  spec.command = {"server", "--port", "$(PORT)"};
  EXPECT_FALSE(wants_socket(spec));
  spec.command = {"server", "$$(SOCKET)"};
  EXPECT_FALSE(wants_socket(spec)) << "escaped";
  spec.env["LISTEN"] = "unix:$(SOCKET)";
  EXPECT_TRUE(wants_socket(spec));
}

TEST(Expand, AVariableMayNameThePort) {
  policy::Process spec;
  spec.env = {{"LISTEN", ":$(PORT)"}, {"PATH", "/opt"}};
  const auto all = replica_environment({{"PATH", "/bin"}, {"SOCKET", "ours"}, {"PORT", "1"}},
                                       {{"PORT", "8080"}}, spec);
  EXPECT_EQ(all.at("LISTEN"), ":8080");
  EXPECT_EQ(all.at("PATH"), "/opt");
  EXPECT_FALSE(all.contains("SOCKET"));
}

TEST(Ports, NoneIsGivenTwice) {
  std::set<std::uint16_t> numbers;
  std::vector<Port> ports;
  for (int n = 0; n < 200; ++n) {
    auto port = take_port();
    ASSERT_TRUE(port);
    numbers.insert(port->number());
    ports.push_back(std::move(*port));
  }
  EXPECT_EQ(numbers.size(), 200u);
}

TEST(Spawn, ManyThreadsAtOnce) {
  const std::vector<std::string> env{"PATH=/usr/bin:/bin"};
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int n = 0; n < 4; ++n) {
    threads.emplace_back([&] {
      for (int m = 0; m < 10; ++m) {
        auto child = spawn({{"sh", "-c", "exit 5"}, env, ""});
        if (!child) continue;
        siginfo_t info{};
        ::waitid(P_PID, static_cast<id_t>(child->pid), &info, WEXITED);
        if (info.si_status == 5) ++good;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 40);
}

TEST(Spawn, TheChildDiesWithTheThreadThatStartedIt) {
  const std::vector<std::string> env{"PATH=/usr/bin:/bin"};
  pid_t pid = 0;
  std::thread([&] {
    if (auto child = spawn({{"sleep", "60"}, env, ""}, {.pipes = false})) pid = child->pid;
  }).join();
  ASSERT_GT(pid, 0);
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED);
  EXPECT_EQ(info.si_status, SIGKILL);
}

TEST(Cgroup, MetersAndKillsInEachHierarchyThereIs) {
  for (const auto kind : {Cgroups::Kind::v1, Cgroups::Kind::v2}) {
    SCOPED_TRACE(kind == Cgroups::Kind::v1 ? "v1" : "v2");
    auto cgroups = Cgroups::open("test", 0, kind);
    if (cgroups.kind() == Cgroups::Kind::none) continue;  // not on this system, or not ours
    const auto parents = cgroups.parents();
    {
      Spawner spawner(std::move(cgroups), 0);
      const std::vector<std::string> env{"PATH=/usr/bin:/bin"};
      auto started = spawner.start(
          {{"sh", "-c", "setsid sh -c 'while :; do :; done' & while :; do :; done"}, env, ""});
      ASSERT_TRUE(started) << started.error().what;
      ASSERT_TRUE(started->cgroup);
      const auto used = [&] { return started->cgroup.cpu().value_or(0us); };
      for (int tries = 0; tries < 1000 && used() < 20ms; ++tries) {
        std::this_thread::sleep_for(10ms);
      }
      EXPECT_GE(used(), 20ms);
      EXPECT_GT(started->cgroup.memory().value_or(1 << 20), 10'000) << "where it is metered";
      kill_cgroups(started->cgroup.directories());
      siginfo_t info{};
      ::waitid(P_PID, static_cast<id_t>(started->child.pid), &info, WEXITED);
      EXPECT_EQ(info.si_status, SIGKILL);
    }
    for (const auto& parent : parents) EXPECT_FALSE(std::filesystem::exists(parent)) << parent;
  }
}

TEST(Proc, SeesAGroupAndFindsTheMarked) {
  const std::vector<std::string> env{"PATH=/usr/bin:/bin", "MARK=" + run_token()};
  auto child = spawn({{"setsid", "--fork", "sleep", "60"}, env, ""}, {.pipes = false});
  ASSERT_TRUE(child);
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(child->pid), &info, WEXITED);
  EXPECT_TRUE(see_groups().contains(::getpgrp()));
  EXPECT_EQ(kill_marked({"MARK=" + run_token(), "OTHER=1"}), 0);
  int killed = 0;
  for (int tries = 0; tries < 1000 && killed == 0; ++tries) {
    killed = kill_marked({"MARK=" + run_token()});
  }
  EXPECT_EQ(killed, 1);
}

}  // namespace
}  // namespace headroom::target::test
