#include "target/process.h"

#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include "target/handed.h"
#include "target/proc.h"
#include "target/world.h"

namespace headroom::target::test {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using State = Replica::State;

bool lives(pid_t pid) {
  const auto seen = see_process(pid);
  return seen && seen->state != 'Z';
}

bool dies(pid_t pid) {
  for (int tries = 0; tries < 3000 && lives(pid); ++tries) {
    std::this_thread::sleep_for(10ms);
  }
  return !lives(pid);
}

namespace {

/// Of the guardian's, whose children replicas are.
int zombies_of_ours() {
  int found = 0;
  for_each_process([&](const ProcessSeen& seen) {
    if (seen.state == 'Z' && seen.parent == ::getppid()) ++found;
  });
  return found;
}

TEST(Process, StartsAReplicaAndMeasuresItsStart) {
  TestWorld world;
  world.start(replica_spec({"delay=100"}), 1);
  EXPECT_EQ(world.only().state, State::starting);
  EXPECT_GT(world.only().pid, 0);
  ASSERT_TRUE(world.run_until([&] { return world.happened("ready") == 1; }));
  const auto replica = world.only();
  EXPECT_EQ(replica.state, State::ready);
  ASSERT_TRUE(replica.startup.has_value());
  EXPECT_GE(*replica.startup, 100ms);
  EXPECT_EQ(world.get(replica, "/"), "ok");
  EXPECT_EQ(::getpgid(replica.pid), replica.pid) << "a process group of its own";
}

TEST(Process, ScalesUpAndDownAndStops) {
  TestWorld world;
  world.start(replica_spec(), 3);
  ASSERT_TRUE(world.run_until([&] { return world.all_ready(3); }));
  std::vector<pid_t> pids;
  for (const auto& replica : world.process->replicas()) pids.push_back(replica.pid);
  world.process->scale({1});
  ASSERT_TRUE(world.run_until([&] { return world.all_ready(1); }));
  EXPECT_EQ(world.happened("drain"), 2);
  bool stopped = false;
  world.process->stop([&] { stopped = true; });
  ASSERT_TRUE(world.run_until([&] { return stopped; }));
  EXPECT_EQ(world.happened("gone"), 3);
  EXPECT_TRUE(world.process->replicas().empty());
  for (const auto pid : pids) EXPECT_TRUE(dies(pid));
  EXPECT_EQ(zombies_of_ours(), 0);
}

TEST(Process, DrainsTheNewestStartingAndThenTheIdlest) {
  TestWorld world;
  world.start(replica_spec(), 3);
  ASSERT_TRUE(world.run_until([&] { return world.all_ready(3); }));
  const auto first = world.process->replicas()[0].id;
  world.outstanding = [&](ReplicaId id) { return id == first + 1 ? 0 : 5; };
  world.process->scale({4});
  const auto newest = world.process->replicas()[3].id;
  world.process->scale({3});
  ASSERT_TRUE(world.run_until([&] { return world.happened("gone") == 1; }));
  EXPECT_EQ(world.events.back().id, newest) << "it served nobody yet";
  EXPECT_EQ(world.happened("drain"), 0) << "and so had nothing to drain";
  world.process->scale({2});
  ASSERT_TRUE(world.run_until([&] { return world.happened("gone") == 2; }));
  EXPECT_EQ(world.events.back().id, first + 1) << "the idlest";
}

TEST(Process, TakesTheTrafficOffBeforeItStops) {
  TestWorld world;
  world.hold_drain = true;
  world.start(replica_spec(), 1);
  ASSERT_TRUE(world.run_until([&] { return world.all_ready(1); }));
  const auto pid = world.only().pid;
  world.process->scale({0});
  ASSERT_TRUE(world.run_until([&] { return world.drains.size() == 1; }));
  world.run_for(100ms);
  EXPECT_TRUE(lives(pid)) << "requests are still open";
  EXPECT_EQ(world.only().state, State::draining);
  world.process->scale({1});
  ASSERT_TRUE(world.run_until([&] { return world.count(State::ready) == 1; }));
  EXPECT_EQ(world.process->replicas().size(), 2u) << "a draining one does not come back";
  world.drains.at(0)();
  ASSERT_TRUE(world.run_until([&] { return world.happened("gone") == 1; }));
  EXPECT_FALSE(lives(pid));
}

TEST(Process, KillsTheGroupAfterTheGracePeriod) {
  TestWorld world;
  auto spec = replica_spec({"term=ignore"});
  spec.termination_grace_period = 300ms;
  world.start(spec, 1);
  ASSERT_TRUE(world.run_until([&] { return world.all_ready(1); }));
  const auto replica = world.only();
  const auto child = std::stoi(world.get(replica, "/fork"));
  const auto daemon = std::stoi(world.get(replica, "/daemon"));
  const auto begin = std::chrono::steady_clock::now();
  world.process->scale({0});
  ASSERT_TRUE(world.run_until([&] { return world.happened("gone") == 1; }));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 300ms);
  EXPECT_TRUE(dies(replica.pid));
  EXPECT_TRUE(dies(child)) << "in the group";
  EXPECT_TRUE(dies(daemon)) << "in a session of its own";
}

TEST(Process, KeepsTheLastWordsOfThoseThatEndedLast) {
  TestWorld world;
  world.start(shell_spec("trap 'echo last words; exit' TERM; echo first; sleep 60 & wait"), 1);
  const auto first = world.only().id;
  ASSERT_TRUE(world.run_until([&] { return world.process->output(first) == "first"; }));
  const auto before = world.process->written(first, 0);
  ASSERT_TRUE(before);
  EXPECT_FALSE(before->gone);
  world.process->scale({0});
  ASSERT_TRUE(world.run_until([&] { return world.happened("gone") == 1; }));
  const auto after = world.process->written(first, before->end);
  ASSERT_TRUE(after);
  EXPECT_EQ(after->text, "last words\n");
  EXPECT_TRUE(after->gone);
  for (int others = 1; others <= 32; ++others) {
    EXPECT_TRUE(world.process->written(first, 0)) << others;
    world.process->scale({1});
    world.process->scale({0});
    ASSERT_TRUE(world.run_until([&] { return world.happened("gone") == 1 + others; }));
  }
  EXPECT_FALSE(world.process->written(first, 0)) << "32 ended after it";
}

TEST(Process, LetsTheGroupFinishWhenItsLeaderEndsAtOnce) {
  TestWorld world;
  const auto file = world.path + "/finished";
  // The shell dies at SIGTERM; what it started takes a moment longer.
  auto spec =
      shell_spec("(trap 'sleep 0.3; echo yes > " + file + "; exit' TERM; sleep 60 & wait) & " +
                 own_path() + " --replica $PORT & wait");
  world.start(spec, 1);
  ASSERT_TRUE(world.run_until([&] { return world.all_ready(1); }));
  world.run_for(200ms);
  world.process->scale({0});
  ASSERT_TRUE(world.run_until([&] { return world.happened("gone") == 1; }));
  EXPECT_TRUE(std::filesystem::exists(file));
}

TEST(Process, StartsACrashedReplicaAgainWithItsLastWords) {
  TestWorld world;
  world.start(replica_spec(), 1);
  ASSERT_TRUE(world.run_until([&] { return world.all_ready(1); }));
  const auto before = world.only();
  EXPECT_EQ(world.get(before, "/die"), "");
  ASSERT_TRUE(world.run_until([&] { return world.happened("ready") == 2; }));
  const auto after = world.only();
  EXPECT_EQ(after.id, before.id);
  EXPECT_NE(after.pid, before.pid);
  EXPECT_EQ(after.restarts, 1);
  ASSERT_EQ(world.events.size(), 3u);
  EXPECT_EQ(world.events[1].what, "unready");
  EXPECT_EQ(world.events[1].state, State::backing_off);
  ASSERT_EQ(world.said.size(), 1u);
  EXPECT_THAT(world.said[0], HasSubstr("exited with status 3 after"));
  EXPECT_THAT(world.said[0], HasSubstr("last output: about to die"));
  EXPECT_THAT(world.process->output(after.id), HasSubstr("about to die"));
}

TEST(Process, BacksOffLongerEachTime) {
  TestWorld world;
  world.start(shell_spec("echo no luck; exit 1"), 1);
  ASSERT_TRUE(world.run_until([&] { return world.said.size() == 4; }));
  EXPECT_THAT(world.said[0], HasSubstr("starts again in 0.1 s"));
  EXPECT_THAT(world.said[1], HasSubstr("starts again in 0.2 s"));
  EXPECT_THAT(world.said[3], HasSubstr("starts again in 0.8 s"));
  EXPECT_EQ(world.only().state, State::backing_off);
  EXPECT_EQ(world.only().pid, 0);
  EXPECT_FALSE(world.process->usage(world.only().id));
  world.process->scale({0});
  ASSERT_TRUE(world.run_until([&] { return world.happened("gone") == 1; }));
}

TEST(Process, SaysWhatCannotBeStarted) {
  struct Case {
    const char* why;
    std::vector<std::string> command;
    std::string directory, said;
  };
  TemporaryDirectory files;
  std::ofstream(files.path + "/text") << "no program";
  std::ofstream(files.path + "/script") << "#!/no/such/interpreter\n";
  for (const char* name : {"/text", "/script"}) {
    std::filesystem::permissions(files.path + name, std::filesystem::perms::owner_all);
  }
  std::ofstream(files.path + "/data") << "";
  const Case cases[] = {
      {"not in PATH",
       {"no-such-command"},
       "",
       "command \"no-such-command\" not found (looked in PATH /"},
      {"no such file", {"/no/such/file"}, "", "command \"/no/such/file\" not found"},
      {"relative to the working directory",
       {"./missing"},
       "/tmp",
       "not found from workingDirectory \"/tmp\""},
      {"no such directory", {"true"}, "/no/such", "workingDirectory \"/no/such\": No such file"},
      {"no program", {files.path + "/text"}, "", "is no program"},
      {"no interpreter", {files.path + "/script"}, "", "interpreter in its first line"},
      {"not executable", {files.path + "/data"}, "", "Permission denied"},
  };
  for (const auto& [why, command, directory, said] : cases) {
    SCOPED_TRACE(why);
    TestWorld world;
    auto spec = replica_spec();
    spec.command = command;
    spec.working_directory = directory;
    world.start(spec, 1);
    ASSERT_TRUE(world.run_until([&] { return world.said.size() == 2; })) << "and it is retried";
    EXPECT_THAT(world.said[0], HasSubstr("could not start"));
    EXPECT_THAT(world.said[0], HasSubstr(said));
    EXPECT_EQ(world.only().restarts, 2);
  }
  for (int tries = 0; tries < 3000 && zombies_of_ours() > 0; ++tries) ::usleep(10'000);
  EXPECT_EQ(zombies_of_ours(), 0);
}

TEST(Process, StopsWhatNeverBecomesReady) {
  TestWorld world;
  auto spec = shell_spec("echo waiting for godot; sleep 60");
  spec.start_timeout = 300ms;
  world.start(spec, 1);
  ASSERT_TRUE(world.run_until([&] { return world.said.size() == 2; }));
  EXPECT_THAT(world.said[0], HasSubstr("not ready after 0.3 s; last output: waiting for godot"));
  EXPECT_EQ(world.happened("ready"), 0);
}

TEST(Process, ListensOnAUnixSocketWhereTheCommandNamesIt) {
  TestWorld world;
  auto spec = replica_spec();
  spec.command[2] = "$(SOCKET)";
  spec.readiness_probe = http_probe("/readyz");
  world.start(spec, 1);
  ASSERT_TRUE(world.run_until([&] { return world.all_ready(1); }));
  const auto replica = world.only();
  EXPECT_EQ(replica.address.family(), AF_UNIX);
  EXPECT_EQ(world.get(replica, "/"), "ok");
  const auto file = to_string(replica.address).substr(5);
  world.process->scale({0});
  ASSERT_TRUE(world.run_until([&] { return world.happened("gone") == 1; }));
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST(Process, FindsAShortPlaceForSocketsBelowALongStateDirectory) {
  TestWorld world;
  world.state_directory += "/" + std::string(120, 'x');
  auto spec = replica_spec();
  spec.command[2] = "$(SOCKET)";
  world.start(spec, 1);
  EXPECT_TRUE(world.run_until([&] { return world.all_ready(1); }));
}

TEST(Process, GivesTheReplicaACleanStart) {
  TestWorld world;
  const Fd leaked(::dup2(STDERR_FILENO, 150));  // not close-on-exec
  ::signal(SIGUSR1, SIG_IGN);
  auto spec = shell_spec(
      "for fd in $(seq 3 200); do [ -e /proc/$$/fd/$fd ] && echo leaked $fd; done; grep SigIgn "
      "/proc/self/status; grep SigBlk /proc/self/status;"
      "pwd; readlink /proc/$$/fd/0; echo \"$GREETING\"; echo \"$HEADROOM_REPLICA\"; sleep 60");
  spec.working_directory = world.path;
  spec.env["GREETING"] = "port $(PORT) $(UNKNOWN) $$(PORT)";
  ::setenv("SOCKET", "ours", 1);
  world.start(spec, 1);
  const auto id = world.only().id;
  const auto written = [&] { return world.process->output(id); };
  ASSERT_TRUE(world.run_until([&] { return written().find("test/") != std::string::npos; }));
  ::signal(SIGUSR1, SIG_DFL);
  ::unsetenv("SOCKET");
  EXPECT_THAT(written(), StartsWith("SigIgn:\t0000000000000000\nSigBlk:\t0000000000000000\n"));
  EXPECT_THAT(written(), HasSubstr(world.path + "\n/dev/null\n"));
  const auto port = to_string(world.only().address).substr(10);
  EXPECT_THAT(written(), HasSubstr("port " + port + " $(UNKNOWN) $(PORT)\n"));
  EXPECT_THAT(written(), HasSubstr("test/" + std::to_string(id)));
}

TEST(Process, MetersWhatAReplicaUses) {
  TestWorld world;
  world.start(replica_spec(), 1);
  ASSERT_TRUE(world.run_until([&] { return world.all_ready(1); }));
  const auto replica = world.only();
  const auto before = world.process->usage(replica.id);
  ASSERT_TRUE(before) << before.error().what;
  EXPECT_GT(before->memory_bytes, 100'000);
  EXPECT_LT(before->memory_bytes, 4'000'000'000);
  EXPECT_EQ(world.get(replica, "/burn"), "ok");
  const auto after = world.process->usage(replica.id);
  ASSERT_TRUE(after);
  EXPECT_GE((after->cpu - before->cpu).count(), 50'000);
  EXPECT_EQ(world.get(replica, "/die"), "");
  ASSERT_TRUE(world.run_until([&] { return world.happened("ready") == 2; }));
  const auto later = world.process->usage(replica.id);
  ASSERT_TRUE(later);
  EXPECT_GE(later->cpu, after->cpu) << "cumulative over restarts";
  EXPECT_FALSE(world.process->usage(replica.id + 1000));
}

TEST(Process, ReplacesReplicasOneByOneWhenTheCommandChanges) {
  TestWorld world;
  world.start(replica_spec(), 3);
  ASSERT_TRUE(world.run_until([&] { return world.all_ready(3); }));
  std::vector<ReplicaId> old;
  for (const auto& replica : world.process->replicas()) old.push_back(replica.id);
  int least = 3;
  int most = 3;
  world.process->update(replica_spec({"ready=1"}));
  ASSERT_TRUE(world.run_until([&] {
    least = std::min(least, world.count(State::ready));
    const auto all = static_cast<int>(world.process->replicas().size());
    most = std::max(most, all - world.count(State::draining));
    return world.all_ready(3) && world.process->replicas()[0].id > old.back();
  }));
  EXPECT_GE(least, 3) << "never less than wanted";
  EXPECT_EQ(most, 4) << "one successor at a time; who leaves may take its time";
  EXPECT_EQ(world.happened("drain"), 3);
}

TEST(Process, KeepsReplicasWhereOnlyTheirCareChanges) {
  TestWorld world;
  auto spec = replica_spec();
  world.start(spec, 1);
  ASSERT_TRUE(world.run_until([&] { return world.all_ready(1); }));
  const auto pid = world.only().pid;
  spec.termination_grace_period = 1s;
  world.process->update(spec);
  world.run_for(200ms);
  EXPECT_EQ(world.only().pid, pid);
}

TEST(Process, ReplacesABrokenCommandAtOnce) {
  TestWorld world;
  world.start(shell_spec("exit 1"), 2);
  ASSERT_TRUE(world.run_until([&] { return world.said.size() > 3; }));
  world.process->update(replica_spec());
  EXPECT_TRUE(world.run_until([&] { return world.all_ready(2); }));
}

TEST(Process, MayBeScaledFromItsHooks) {
  TestWorld world;
  Hooks hooks = world.hooks();
  hooks.ready = [&](const Replica& replica) {
    world.events.push_back({"ready", replica.id, replica.state});
    world.process->scale({2});
  };
  hooks.gone = [&](ReplicaId) { world.process.reset(); };
  world.process = std::make_unique<Process>(world.io, "test", replica_spec(), world.guardian,
                                            world.path, std::move(hooks));
  world.process->scale({1});
  ASSERT_TRUE(world.run_until([&] { return world.all_ready(2); }));
  world.process->scale({0});
  ASSERT_TRUE(world.run_until([&] { return world.process == nullptr; }));
  const auto told = world.events.size();
  world.run_for(100ms);
  EXPECT_EQ(world.events.size(), told) << "no hook is called after its end";
  EXPECT_EQ(zombies_of_ours(), 0);
}

/// A successor in the same process: what matters is that nothing of the first is used any more.
class Succession : public ::testing::TestWithParam<bool> {};

TEST_P(Succession, AdoptsWhatRuns) {
  TestWorld first;
  auto spec = replica_spec();
  if (GetParam()) spec.command = {own_path(), "--replica", "$(SOCKET)"};
  first.start(spec, 2);
  ASSERT_TRUE(first.run_until([&] { return first.all_ready(2); }));
  const auto before = first.process->replicas();
  auto handed = first.process->hand_over();
  ASSERT_EQ(handed.replicas.size(), 2u);
  World second(first.guardian, first.path);
  second.process = std::make_unique<Process>(second.io, "test", spec, second.guardian, first.path,
                                             std::move(handed), second.hooks());
  bool gone = false;
  first.process->let_go();
  first.process->stop([&] { gone = true; });
  ASSERT_TRUE(first.run_until([&] { return gone; })) << "none is on its way out";
  first.process.reset();

  second.run_for(50ms);
  EXPECT_TRUE(second.events.empty()) << "nothing has happened";
  const auto after = second.process->replicas();
  ASSERT_EQ(after.size(), 2u);
  for (const auto n : {0u, 1u}) {
    EXPECT_EQ(after[n].pid, before[n].pid);
    EXPECT_EQ(after[n].id, before[n].id);
    EXPECT_EQ(after[n].address, before[n].address);
    EXPECT_EQ(after[n].startup, before[n].startup);
    EXPECT_EQ(second.get(after[n], "/"), "ok");
    EXPECT_TRUE(second.process->usage(after[n].id));
  }
  second.process->scale({3});
  ASSERT_TRUE(second.run_until([&] { return second.all_ready(3); }));
  EXPECT_GT(second.process->replicas().back().id, before.back().id) << "no id is used twice";
  second.get(after[0], "/die");
  ASSERT_TRUE(second.run_until([&] { return second.was_said("exited with status 3"); }));
  EXPECT_TRUE(second.was_said("about to die")) << "its pipes were handed over";
  ASSERT_TRUE(second.run_until([&] { return second.all_ready(3); }));
  second.process->stop([&] { gone = false; });
  ASSERT_TRUE(second.run_until([&] { return !gone; }));
  EXPECT_TRUE(dies(before[1].pid));
  second.process.reset();
  EXPECT_TRUE(std::filesystem::is_empty(first.path)) << "the first has left it to the second";
}
INSTANTIATE_TEST_SUITE_P(BySocket, Succession, ::testing::Bool());

TEST(Process, HandsOverOnlyWhatStays) {
  TestWorld first;
  first.start(replica_spec({"term=ignore"}), 2);
  ASSERT_TRUE(first.run_until([&] { return first.all_ready(2); }));
  first.hold_drain = true;
  first.process->scale({1});
  ASSERT_TRUE(first.run_until([&] { return first.drains.size() == 1; }));
  const auto handed = first.process->hand_over();
  ASSERT_EQ(handed.replicas.size(), 1u);
  bool gone = false;
  first.process->let_go();
  first.process->stop([&] { gone = true; });
  first.run_for(50ms);
  EXPECT_FALSE(gone) << "the one that drains is ours to the end";
  EXPECT_EQ(first.process->replicas().size(), 1u);
  EXPECT_TRUE(lives(handed.replicas[0].pid));
  first.drains[0]();
  ASSERT_TRUE(first.run_until([&] { return gone; }));
  ::kill(-handed.replicas[0].pid, SIGKILL);
}

TEST(Process, AnAdoptedReplicaThatIsUnreadyNowStartsNoMore) {
  TestWorld first;
  auto spec = replica_spec();
  spec.readiness_probe = http_probe("/readyz", 50ms);
  first.start(spec, 1);
  ASSERT_TRUE(first.run_until([&] { return first.all_ready(1); }));
  const auto replica = first.only();
  EXPECT_EQ(first.get(replica, "/fail"), "ok");
  ASSERT_TRUE(first.run_until([&] { return first.happened("unready") == 1; }));
  World second(first.guardian, first.path);
  spec.start_timeout = 1ms;  // long over
  second.process = std::make_unique<Process>(second.io, "test", spec, second.guardian, first.path,
                                             first.process->hand_over(), second.hooks());
  first.process->let_go();
  first.process.reset();
  second.run_for(100ms);
  EXPECT_EQ(second.only().state, State::starting);
  EXPECT_EQ(second.get(replica, "/ok"), "ok");
  ASSERT_TRUE(second.run_until([&] { return second.all_ready(1); }));
  EXPECT_EQ(second.only().pid, replica.pid) << "it was not started again";
}

TEST(Process, AnAdoptedReplicaOfAnOlderCommandIsReplaced) {
  TestWorld first;
  first.start(replica_spec(), 1);
  ASSERT_TRUE(first.run_until([&] { return first.all_ready(1); }));
  const auto old = first.only().pid;
  World second(first.guardian, first.path);
  second.process =
      std::make_unique<Process>(second.io, "test", replica_spec(), second.guardian, first.path,
                                first.process->hand_over(), second.hooks());
  first.process->let_go();
  first.process.reset();
  second.process->update(replica_spec({"delay=1"}));
  ASSERT_TRUE(second.run_until([&] { return second.all_ready(1) && second.only().pid != old; }));
  EXPECT_TRUE(dies(old));
}

TEST(Process, LeavesNothingBehindWhenDestroyed) {
  TestWorld world;
  world.start(replica_spec({"term=ignore"}), 2);
  ASSERT_TRUE(world.run_until([&] { return world.all_ready(2); }));
  std::vector<pid_t> pids;
  for (const auto& replica : world.process->replicas()) {
    pids.push_back(replica.pid);
    pids.push_back(std::stoi(world.get(replica, "/fork")));
    pids.push_back(std::stoi(world.get(replica, "/daemon")));
  }
  world.process.reset();
  for (const auto pid : pids) EXPECT_TRUE(dies(pid));
  EXPECT_EQ(zombies_of_ours(), 0);
  EXPECT_TRUE(std::filesystem::is_empty(world.path));
}

}  // namespace
}  // namespace headroom::target::test
