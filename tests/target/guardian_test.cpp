#include "target/guardian.h"

#include <cstdio>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "target/proc.h"
#include "target/run_directory.h"
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
      worker = pids.back();
      pids.pop_back();
    }
  }
  ~Victim() {
    if (child_.pid != 0) kill_guardian();
  }
  void kill_guardian() {
    ::kill(child_.pid, SIGKILL);
    wait();
  }
  void stop_guardian() const {
    ::kill(child_.pid, SIGSTOP);
    ::waitpid(child_.pid, nullptr, WUNTRACED);
  }
  /// Its exit code; of one that was killed, 128 + the signal.
  int wait() {
    int status = 0;
    ::waitpid(std::exchange(child_.pid, 0), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  pid_t guardian() const { return child_.pid; }

  bool up = false;
  std::vector<pid_t> pids;  // each replica, its child, its daemon
  pid_t worker = 0;

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

/// What becomes of a process of its own, in which `what` runs.
int in_a_process(const std::function<void()>& what) {
  const pid_t child = ::fork();
  if (child == 0) {
    what();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

TEST(Guardian, WhoeverIsKilledLeavesNoOrphan) {
  for (const bool guardian : {false, true}) {
    SCOPED_TRACE(guardian ? "the guardian, which is the process that was started" : "the worker");
    TemporaryDirectory state;
    Victim victim(state.path);
    ASSERT_TRUE(victim.up);
    ASSERT_EQ(victim.pids.size(), 6u);
    for (const auto pid : victim.pids) EXPECT_TRUE(lives(pid));
    const auto cgroup = cgroup_of(victim.pids[0]);
    if (guardian) {
      victim.kill_guardian();
    } else {
      ::kill(victim.worker, SIGKILL);
      EXPECT_EQ(victim.wait(), 128 + SIGKILL) << "who waits for us hears of it";
    }
    for (const auto pid : victim.pids) EXPECT_TRUE(dies(pid)) << pid;
    EXPECT_TRUE(dies(victim.worker));
    EXPECT_TRUE(cgroup.empty() || !any_process_in(cgroup));
  }
}

TEST(Guardian, PassesSignalsOnAndEndsAsTheWorkerDoes) {
  TemporaryDirectory state;
  Victim victim(state.path);
  ASSERT_TRUE(victim.up);
  ::kill(victim.guardian(), SIGUSR1);  // means nothing
  ::kill(victim.guardian(), SIGINT);   // the worker has no handler: it dies of it
  EXPECT_EQ(victim.wait(), 128 + SIGINT);
  for (const auto pid : victim.pids) EXPECT_TRUE(dies(pid)) << pid;
}

TEST(Guardian, ForgetsWhatItIsTold) {
  const std::vector<std::string> env{"PATH=/usr/bin:/bin"};
  for (const bool forgotten : {true, false}) {
    auto stranger = spawn({{"sleep", "60"}, env, ""}, {.pipes = false});
    ASSERT_TRUE(stranger);
    EXPECT_EQ(in_a_process([&] {
                auto guardian = Guardian::start();
                if (!guardian) ::_exit(1);
                guardian->watch(stranger->pid, "", "");
                if (forgotten) guardian->forget(stranger->pid);
              }),
              0);
    const auto seen = see_process(stranger->pid);
    ASSERT_TRUE(seen);
    EXPECT_EQ(lives(stranger->pid), forgotten);
    ::kill(stranger->pid, SIGKILL);
    ::waitpid(stranger->pid, nullptr, 0);
  }
}

TEST(Guardian, ReapsReplicasWhenToldAndStraysOfItself) {
  const std::vector<std::string> env{"PATH=/usr/bin:/bin"};
  EXPECT_EQ(
      in_a_process([&] {
        ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // every orphan comes to the guardian
        auto guardian = Guardian::start();
        if (!guardian) ::_exit(1);
        auto replica =
            spawn({{"sh", "-c", "exit 3"}, env, ""}, {.pipes = false, .parent = guardian->pid()});
        if (!replica) ::_exit(2);
        guardian->watch(replica->pid, "", "");
        int told[2];
        if (::pipe(told) != 0) ::_exit(3);
        const pid_t between = ::fork();
        if (between == 0) {
          const pid_t orphan = ::fork();
          if (orphan == 0) ::_exit(0);
          ::_exit(::write(told[1], &orphan, sizeof orphan) == sizeof orphan ? 0 : 1);
        }
        ::waitpid(between, nullptr, 0);
        pid_t stray = 0;
        if (::read(told[0], &stray, sizeof stray) != sizeof stray) ::_exit(3);
        const auto zombies_of_guardian = [&] {
          std::vector<pid_t> found;
          for_each_process([&](const ProcessSeen& seen) {
            if (seen.parent == guardian->pid() && seen.state == 'Z') found.push_back(seen.pid);
          });
          return found;
        };
        const auto settled = [&] {
          return !see_process(stray) && zombies_of_guardian() == std::vector<pid_t>{replica->pid};
        };
        for (int tries = 0; tries < 3000 && !settled(); ++tries) ::usleep(10'000);
        if (!settled()) ::_exit(3);
        const auto info = guardian->reap(replica->pid);
        if (info.si_pid != replica->pid || info.si_code != CLD_EXITED) ::_exit(4);
        if (info.si_status != 3) ::_exit(5);
        if (guardian->reap(replica->pid).si_pid != 0) ::_exit(6);
      }),
      0);
}

TEST(Guardian, TheNextRunRemovesWhatBothLeftBehind) {
  TemporaryDirectory state;
  Victim victim(state.path);
  ASSERT_TRUE(victim.up);
  // At once: neither is there to end what the other leaves.
  victim.stop_guardian();
  ::kill(victim.worker, SIGKILL);
  victim.kill_guardian();
  ASSERT_TRUE(dies(victim.worker));
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

/// Of a killed process one thread may hold what others have let go.
TEST(Guardian, ARunThatIsEndingIsWaitedFor) {
  TestWorld world;
  const auto run = world.state_directory + "/run-1-1";
  std::filesystem::create_directory(run);
  const auto lock = run + "/lock";
  std::ofstream(lock) << "run 1.1\n";  // no process of that id started then
  Fd held(::open(lock.c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_EQ(::flock(held.get(), LOCK_EX | LOCK_NB), 0);
  RunDirectory::clean_up(world.state_directory);
  EXPECT_TRUE(std::filesystem::exists(run)) << "it does not end: not for ever";
  std::thread ending([&] {
    ::usleep(50'000);
    held.reset();
  });
  world.start(replica_spec(), 0);
  ending.join();
  EXPECT_FALSE(std::filesystem::exists(run));
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
