#include "target/guardian.h"

#include <cstdio>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include "target/proc.h"
#include "target/spawn.h"
#include "target/world.h"

namespace headroom::target::test {
namespace {

/// A small Headroom of its own process: see test_replica.h.
class Victim {
 public:
  explicit Victim(const std::string& state_directory) {
    const std::vector<std::string> env{"PATH=/usr/bin:/bin"};
    auto started = spawn({{own_path(), "--headroom", state_directory}, env, ""});
    if (!started) return;
    child_ = std::move(*started);
    ::fcntl(child_.out.get(), F_SETFL, 0);
    std::string line;
    for (char c = 0; ::read(child_.out.get(), &c, 1) == 1 && c != '\n';) line += c;
    up = line.ends_with("up");
    std::istringstream numbers(line);
    for (pid_t pid = 0; numbers >> pid;) pids.push_back(pid);
    if (!pids.empty()) {
      guardian = pids.back();
      pids.pop_back();
    }
  }
  ~Victim() { kill(); }
  void kill() {
    if (child_.pid == 0) return;
    ::kill(child_.pid, SIGKILL);
    ::waitpid(child_.pid, nullptr, 0);
    child_.pid = 0;
  }
  pid_t pid() const { return child_.pid; }

  bool up = false;
  std::vector<pid_t> pids;  // each replica, its child, its daemon
  pid_t guardian = 0;

 private:
  Child child_;
};

/// Where the kernel says that a process is metered; "" outside of a cgroup of ours.
std::string cgroup_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/cgroup");
  for (std::string line; std::getline(file, line);) {
    const auto at = line.find("/headroom-");
    if (at != std::string::npos) return line.substr(at);
  }
  return "";
}

bool any_process_in(const std::string& cgroup) {
  bool found = false;
  for_each_process([&](const ProcessSeen& seen) {
    found = found || (seen.state != 'Z' && cgroup_of(seen.pid) == cgroup);
  });
  return found;
}

TEST(Guardian, LeavesNoOrphanOfAKilledHeadroom) {
  TemporaryDirectory state;
  Victim victim(state.path);
  ASSERT_TRUE(victim.up);
  ASSERT_EQ(victim.pids.size(), 6u);
  for (const auto pid : victim.pids) EXPECT_TRUE(lives(pid));
  std::ifstream file("/proc/" + std::to_string(victim.guardian) + "/cmdline");
  std::string title;
  std::getline(file, title, '\0');
  EXPECT_EQ(title, "headroom-guardian") << "what ps shows";
  const auto cgroup = cgroup_of(victim.pids[0]);
  victim.kill();
  for (const auto pid : victim.pids) EXPECT_TRUE(dies(pid)) << pid;
  EXPECT_TRUE(dies(victim.guardian)) << "it goes when its work is done";
  EXPECT_TRUE(cgroup.empty() || !any_process_in(cgroup));
}

TEST(Guardian, WithstandsTheSignalsOfATerminal) {
  auto guardian = Guardian::start();
  ASSERT_TRUE(guardian);
  const auto pid = guardian->pid();
  EXPECT_EQ(::getsid(pid) == ::getsid(0), false);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) ::kill(pid, signal);
  ::usleep(50'000);
  EXPECT_TRUE(lives(pid));
  { const auto ended = std::move(*guardian); }
  EXPECT_TRUE(dies(pid)) << "the end of the pipe is its end";
}

TEST(Guardian, ForgetsWhatItIsTold) {
  const std::vector<std::string> env{"PATH=/usr/bin:/bin"};
  auto stranger = spawn({{"sleep", "60"}, env, ""}, {.pipes = false});
  ASSERT_TRUE(stranger);
  auto guardian = Guardian::start();
  ASSERT_TRUE(guardian);
  const auto pid = guardian->pid();
  guardian->watch(stranger->pid, "", "");
  guardian->forget(stranger->pid);
  { const auto ended = std::move(*guardian); }
  ASSERT_TRUE(dies(pid));
  EXPECT_TRUE(lives(stranger->pid)) << "it was forgotten";
  ::kill(stranger->pid, SIGKILL);
  ::waitpid(stranger->pid, nullptr, 0);
}

TEST(Guardian, TheNextRunRemovesWhatBothLeftBehind) {
  TemporaryDirectory state;
  Victim victim(state.path);
  ASSERT_TRUE(victim.up);
  ::kill(victim.guardian, SIGKILL);
  ASSERT_TRUE(dies(victim.guardian));
  victim.kill();
  for (const auto n : {0, 3}) EXPECT_TRUE(dies(victim.pids[static_cast<std::size_t>(n)]));
  EXPECT_TRUE(lives(victim.pids[1])) << "nobody was there to kill the replica's child";
  EXPECT_FALSE(std::filesystem::is_empty(state.path));
  TestWorld world;
  world.state_directory = state.path;
  world.start(replica_spec(), 0);
  for (const auto pid : victim.pids) EXPECT_TRUE(dies(pid)) << pid;
  world.process.reset();
  EXPECT_TRUE(std::filesystem::is_empty(state.path));
}

TEST(Guardian, ARunThatLivesIsLeftAlone) {
  TestWorld world, other;
  world.start(replica_spec(), 1);
  ASSERT_TRUE(world.run_until([&] { return world.all_ready(1); }));
  other.state_directory = world.path;
  other.start(replica_spec(), 1);
  ASSERT_TRUE(other.run_until([&] { return other.all_ready(1); }));
  EXPECT_TRUE(lives(world.only().pid));
}

}  // namespace
}  // namespace headroom::target::test
