#include "cli/handover.h"

#include <array>
#include <future>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/message.h"

namespace headroom::cli {
namespace {

using std::chrono::steady_clock;

struct Pair {
  Pair() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    before = Fd(ends[0]);
    after = Fd(ends[1]);
  }
  Fd before, after;
};

/// A descriptor that can be told from others: the read end of a pipe with one letter in it.
Fd marked(char letter) {
  int ends[2] = {-1, -1};
  EXPECT_EQ(::pipe(ends), 0);
  EXPECT_EQ(::write(ends[1], &letter, 1), 1);
  ::close(ends[1]);
  return Fd(ends[0]);
}
char mark_of(const Fd& fd) {
  char letter = '-';
  static_cast<void>(!::read(fd.get(), &letter, 1));
  return letter;
}

Handover everything() {
  Handover all;
  auto& scaler = all.scalers.emplace_back();
  scaler.document = std::string(300 << 10, 'd');
  scaler.listener = marked('L');
  scaler.process.last_id = 7;
  scaler.process.cgroups = {2, {"/a", "/b"}, {"/home"}};
  scaler.process.directory = {"/run", "/sockets", marked('K')};
  auto& replica = scaler.process.replicas.emplace_back();
  replica.id = 5;
  replica.pid = 4321;
  replica.pidfd = marked('P');
  replica.ready = true;
  replica.started = steady_clock::time_point(123456789ns);
  replica.state_since = steady_clock::time_point(223456789ns);
  replica.startup = 12ms;
  replica.restarts = 2;
  replica.port = 10241;
  replica.cpu_before = 99us;
  replica.cgroups = {"/a/1-1"};
  replica.output = {.lines = {"not \xff UTF-8", "a\ttab"},
                    .begun_out = "half a li",
                    .written = 1000,
                    .of_this_life = 1,
                    .err = marked('E')};
  auto& socket = scaler.process.replicas.emplace_back();
  socket.id = 6;
  socket.pid = 4322;
  socket.pidfd = marked('Q');
  socket.stale = true;
  socket.socket = "/run/6.sock";
  all.scalers.emplace_back().document = "another, with no gateway";
  all.admin.tcp = marked('T');
  all.told = 17;
  all.level = log::Level::debug;
  for (char mark = 'a'; mark < 'k'; ++mark) all.passed.push_back(marked(mark));
  return all;
}

TEST(Handover, BringsAllOfItAcross) {
  Pair pair;
  auto received = std::async(std::launch::async, [&] {
    auto got = take_over(pair.after.get());
    EXPECT_TRUE(confirm(pair.after.get()));
    return got;
  });
  const auto version = read_hello(pair.before.get());
  ASSERT_TRUE(version) << version.error().what;
  EXPECT_FALSE(version->empty());
  const auto sent = hand_over(pair.before.get(), everything());
  ASSERT_TRUE(sent) << sent.error().what;
  const auto got = received.get();
  ASSERT_TRUE(got) << got.error().what;
  ASSERT_EQ(got->scalers.size(), 2u);
  const auto& scaler = got->scalers[0];
  EXPECT_EQ(scaler.document, std::string(300 << 10, 'd')) << "in pieces";
  EXPECT_EQ(mark_of(scaler.listener), 'L');
  EXPECT_EQ(scaler.process.last_id, 7u);
  EXPECT_EQ(scaler.process.cgroups.kind, 2);
  EXPECT_EQ(scaler.process.cgroups.parents, (std::vector<std::string>{"/a", "/b"}));
  EXPECT_EQ(scaler.process.cgroups.home, std::vector<std::string>{"/home"});
  EXPECT_EQ(scaler.process.directory.path, "/run");
  EXPECT_EQ(scaler.process.directory.sockets, "/sockets");
  EXPECT_EQ(mark_of(scaler.process.directory.lock), 'K');
  ASSERT_EQ(scaler.process.replicas.size(), 2u);
  const auto& replica = scaler.process.replicas[0];
  EXPECT_EQ(replica.id, 5u);
  EXPECT_EQ(replica.pid, 4321);
  EXPECT_EQ(mark_of(replica.pidfd), 'P');
  EXPECT_TRUE(replica.ready);
  EXPECT_FALSE(replica.stale);
  EXPECT_EQ(replica.started.time_since_epoch(), 123456789ns);
  EXPECT_EQ(replica.state_since.time_since_epoch(), 223456789ns);
  EXPECT_EQ(replica.startup, 12ms);
  EXPECT_EQ(replica.restarts, 2);
  EXPECT_EQ(replica.port, 10241);
  EXPECT_EQ(replica.cpu_before, 99us);
  EXPECT_EQ(replica.cgroups, std::vector<std::string>{"/a/1-1"});
  EXPECT_EQ(replica.output.lines, (std::vector<std::string>{"not \xff UTF-8", "a\ttab"}));
  EXPECT_EQ(replica.output.begun_out, "half a li");
  EXPECT_EQ(replica.output.written, 1000u);
  EXPECT_EQ(replica.output.of_this_life, 1u);
  EXPECT_FALSE(replica.output.out) << "it was closed";
  EXPECT_EQ(mark_of(replica.output.err), 'E');
  const auto& other = scaler.process.replicas[1];
  EXPECT_TRUE(other.stale);
  EXPECT_EQ(other.startup, std::nullopt);
  EXPECT_EQ(other.socket, "/run/6.sock");
  EXPECT_FALSE(got->scalers[1].listener);
  EXPECT_TRUE(got->scalers[1].process.replicas.empty());
  EXPECT_FALSE(got->admin.local);
  EXPECT_EQ(mark_of(got->admin.tcp), 'T');
  EXPECT_EQ(got->told, 17);
  EXPECT_EQ(got->level, log::Level::debug);
  ASSERT_EQ(got->passed.size(), 10u) << "more than a message takes";
  EXPECT_EQ(mark_of(got->passed[0]), 'a');
  EXPECT_EQ(mark_of(got->passed[9]), 'j');
}

TEST(Handover, OutputThatIsTooMuchIsLeftOut) {
  Pair pair;
  Handover all = everything();
  auto& output = all.scalers[0].process.replicas[0].output;
  output.lines.assign(50, std::string(8 << 10, '\x01'));  // six bytes each, in JSON
  auto received = std::async(std::launch::async, [&] {
    auto got = take_over(pair.after.get());
    EXPECT_TRUE(confirm(pair.after.get()));
    return got;
  });
  ASSERT_TRUE(read_hello(pair.before.get()));
  ASSERT_TRUE(hand_over(pair.before.get(), all));
  const auto got = received.get();
  ASSERT_TRUE(got);
  EXPECT_TRUE(got->scalers[0].process.replicas[0].output.lines.empty());
  EXPECT_EQ(got->scalers[0].process.replicas[0].output.written, 1000u) << "and that it was there";
}

TEST(Handover, NothingChangesHandsUnlessBothSayIt) {
  {
    Pair pair;
    pair.after.reset();
    EXPECT_FALSE(read_hello(pair.before.get())) << "the new one ended";
    EXPECT_FALSE(hand_over(pair.before.get(), everything()));
  }
  {
    Pair pair;
    EXPECT_TRUE(send_message(pair.after.get(), "failed", 1s));
    EXPECT_FALSE(read_hello(pair.before.get())) << "another protocol";
    EXPECT_TRUE(send_message(pair.after.get(), "failed", 1s));
    EXPECT_FALSE(hand_over(pair.before.get(), everything())) << "it was not taken";
  }
  {
    Pair pair;
    pair.before.reset();
    EXPECT_FALSE(confirm(pair.after.get())) << "the old one ended";
  }
  {
    Pair pair;
    EXPECT_TRUE(send_message(pair.before.get(), "no", 1s));
    EXPECT_FALSE(confirm(pair.after.get())) << "the old one goes on";
  }
}

TEST(Handover, TheLastWord) {
  Pair pair;
  EXPECT_FALSE(is_over(pair.before.get())) << "not yet";
  say_over(pair.after.get());
  EXPECT_TRUE(is_over(pair.before.get()));
  pair.after.reset();
  EXPECT_FALSE(is_over(pair.before.get())) << "it ended";
}

TEST(Handover, AnotherVersionsWordsAreAnErrorAndNoCrash) {
  for (const char* text :
       {"scaler", "scaler {", "scaler []", "scaler {}", "replica {}", "rest {}", "rest 1",
        R"(rest {"local": true, "tcp": false, "told": null})",  // without the descriptor
        R"(scaler {"last_id": "x"})"}) {
    SCOPED_TRACE(text);
    Pair pair;
    ASSERT_TRUE(send_message(pair.before.get(), text, 1s));
    EXPECT_FALSE(take_over(pair.after.get()));
  }
  Pair pair;
  for (const char* text : {"something new {}", "end"}) {
    ASSERT_TRUE(send_message(pair.before.get(), text, 1s));
  }
  EXPECT_FALSE(take_over(pair.after.get())) << "what it does not know may matter";
}

}  // namespace
}  // namespace headroom::cli
