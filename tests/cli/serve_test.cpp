#include <fstream>
#include <regex>

#include <arpa/inet.h>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "places.h"
#include "support/program.h"
#include "support/temporary.h"

/// `headroom run` as a whole: the real program, the example service, sockets.
namespace headroom {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Serve : public testing::Test {
 protected:
  std::vector<std::string> run(std::vector<std::string> flags,
                               const std::vector<std::string>& command = {}) {
    std::vector<std::string> words = {HEADROOM_PROGRAM, "run", "--journal", journal_};
    words.insert(words.end(), flags.begin(), flags.end());
    if (!command.empty()) {
      words.push_back("--");
      words.insert(words.end(), command.begin(), command.end());
    }
    return words;
  }
  std::vector<std::string> service() { return {EXAMPLE_SERVICE, "--port", "$(PORT)"}; }

  std::string document(const std::string& name, const std::string& more,
                       const std::string& listen = "127.0.0.1:0") {
    return "apiVersion: headroom.dev/v1alpha1\nkind: Autoscaler\nmetadata: { name: " + name +
           " }\nspec:\n  target: { process: { command: [\"" EXAMPLE_SERVICE
           "\", --port, $(PORT)], output: { to: none } } }\n"
           "  gateway: { listen: \"" +
           listen + "\" }\n" + more;
  }
  std::string policy_events(const std::string& name) {
    Program events({HEADROOM_PROGRAM, "events", name, "--kind", "policy", "--journal", journal_});
    EXPECT_EQ(events.wait(), 0) << events.err();
    return events.out();
  }
  void write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

  TemporaryFolder folder_;
  std::string journal_ = folder_ / "journal.db";
};

int port_of(Program& program, const std::string& name) {
  EXPECT_NE(program.wait_for(name + ": listening on "), std::string::npos) << program.err();
  program.wait_for("\n", program.wait_for(name + ": listening on "));
  std::smatch match;
  const std::regex line(name + ": listening on [^\\n]*:([0-9]+)");
  const std::string said = program.err();
  return std::regex_search(said, match, line) ? std::stoi(match[1]) : 0;
}

/// An address that somebody else listens on.
class Taken {
 public:
  Taken() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof at;
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&at), length), 0);
    EXPECT_EQ(::listen(socket_.get(), 1), 0);
    ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&at), &length);
    port_ = ntohs(at.sin_port);
  }
  int port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  void free() { socket_ = {}; }

 private:
  Fd socket_;
  int port_ = 0;
};

/// One GET on a connection of its own; "" where there is no answer.
std::string get(int port) {
  const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) return "";
  const std::string request = "GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
  if (::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return "";
  std::string answer;
  char buffer[4096];
  for (;;) {
    const auto got = ::recv(socket.get(), buffer, sizeof buffer, 0);
    if (got <= 0) return answer;
    answer.append(buffer, static_cast<std::size_t>(got));
  }
}

TEST_F(Serve, FromZeroAndBackAndSaysWhy) {
  Program headroom(run({"--name", "shop", "--listen", "127.0.0.1:0", "--min", "0", "--max", "2",
                        "--window", "6s", "--cooldown", "1s", "--output", "none"},
                       service()));
  const int port = port_of(headroom, "shop");
  EXPECT_THAT(get(port), HasSubstr("HTTP/1.1 200 OK"));
  EXPECT_NE(headroom.wait_for("shop: 0 → 1 replica: "), std::string::npos) << headroom.err();
  EXPECT_NE(headroom.wait_for("shop: replica 1 ready after "), std::string::npos);
  EXPECT_NE(headroom.wait_for("shop: 1 → 0 replicas: "), std::string::npos) << headroom.err();
  EXPECT_NE(headroom.wait_for("shop: replica 1 gone"), std::string::npos) << headroom.err();

  // From another process, while this one runs.
  Program explain({HEADROOM_PROGRAM, "explain", "shop", "--rescales", "--last", "10", "-o", "json",
                   "--journal", journal_});
  EXPECT_EQ(explain.wait(), 0) << explain.err();
  boost::system::error_code error;
  const auto entries = boost::json::parse(explain.out(), error);
  ASSERT_FALSE(error) << explain.out();
  ASSERT_EQ(entries.as_array().size(), 2u) << explain.out();
  EXPECT_EQ(entries.at(0).at("autoscaler"), "shop");
  EXPECT_THAT(std::string(entries.at(0).at("outcome").as_string()), HasSubstr("reached after"));
  Program text({HEADROOM_PROGRAM, "explain", "--journal", journal_});
  EXPECT_EQ(text.wait(), 0) << text.err();
  EXPECT_THAT(text.out(), HasSubstr("shop at "));

  headroom.signal(SIGTERM);
  EXPECT_EQ(headroom.wait(), 0) << headroom.err();
  EXPECT_THAT(headroom.err(), HasSubstr("stopped"));
}

TEST_F(Serve, ASecondSignalKills) {
  // A service that takes no SIGTERM, and has 30 s for it.
  Program headroom(
      run({"--name", "deaf", "--listen", "127.0.0.1:0", "--output", "none"},
          {"/bin/sh", "-c",
           "trap '' TERM; " EXAMPLE_SERVICE " --port $PORT & while :; do sleep 1; done"}));
  ASSERT_NE(headroom.wait_for("deaf: replica 1 ready"), std::string::npos) << headroom.err();
  headroom.signal(SIGTERM);
  headroom.wait_for("SIGTERM: ");
  headroom.signal(SIGTERM);
  EXPECT_EQ(headroom.wait(), 143) << headroom.err();
}

TEST_F(Serve, SaysWhatKeepsItFromStarting) {
  const Taken taken;
  Program busy(run({"--name", "shop", "--listen", taken.address()}, service()));
  EXPECT_EQ(busy.wait(), 1);
  EXPECT_THAT(busy.err(), HasSubstr("shop: gateway.listen: "));
  EXPECT_THAT(busy.err(), HasSubstr(taken.address()));

  write(folder_ / "file", "");
  journal_ = folder_ / "file/journal.db";
  Program nowhere(run({"--listen", "127.0.0.1:0"}, service()));
  EXPECT_EQ(nowhere.wait(), 1);
  EXPECT_THAT(nowhere.err(), HasSubstr(folder_ / "file"));
}

TEST_F(Serve, OneJournalHasOneWriter) {
  Program first(run({"--name", "shop", "--listen", "127.0.0.1:0", "--min", "0"}, service()));
  port_of(first, "shop");
  Program second(run({"--name", "shop", "--listen", "127.0.0.1:0", "--min", "0"}, service()));
  EXPECT_EQ(second.wait(), 1);
  EXPECT_THAT(second.err(), HasSubstr("journal"));
  first.signal(SIGINT);
  EXPECT_EQ(first.wait(), 0);
}

TEST_F(Serve, ReloadsAndKeepsWhatRunsWhereTheFileIsBad) {
  const auto file = folder_ / "app.yaml";
  write(file, document("shop", "  minReplicas: 1\n  maxReplicas: 4\n"));
  Program headroom(run({file}));
  const int port = port_of(headroom, "shop");
  auto at = headroom.wait_for("replica 1 ready");
  ASSERT_NE(at, std::string::npos) << headroom.err();

  write(file, document("shop", "  minReplicas: 1\n  maxReplica: 4\n"));
  at = headroom.wait_for("app.yaml:8:3: unknown field \"maxReplica\"", at);
  ASSERT_NE(at, std::string::npos) << headroom.err();
  at = headroom.wait_for("not taken", at);
  EXPECT_THAT(get(port), HasSubstr(" 200 "));

  write(file, document("shop", "  minReplicas: 2\n  maxReplicas: 4\n"));
  at = headroom.wait_for("changed, taken", at);
  ASSERT_NE(at, std::string::npos) << headroom.err();
  EXPECT_NE(headroom.wait_for("shop: 1 → 2 replicas", at), std::string::npos) << headroom.err();
  EXPECT_NE(headroom.wait_for("replica 2 ready", at), std::string::npos) << headroom.err();

  headroom.signal(SIGHUP);
  at = headroom.wait_for("read again, nothing changed", at);
  EXPECT_NE(at, std::string::npos) << headroom.err();

  write(file, document("mail", "  maxReplicas: 1\n"));
  EXPECT_NE(headroom.wait_for("shop: stops: it is no longer in the document", at),
            std::string::npos);
  const int mail = port_of(headroom, "mail");
  EXPECT_THAT(get(mail), HasSubstr(" 200 "));
  EXPECT_NE(headroom.wait_for("shop: replica 1 gone", at), std::string::npos) << headroom.err();
  EXPECT_EQ(get(port), "") << "nobody listens there any more";

  headroom.signal(SIGTERM);
  EXPECT_EQ(headroom.wait(), 0) << headroom.err();
  EXPECT_THAT(policy_events("shop"),
              AllOf(HasSubstr("its document is refused, what ran before goes on: "),
                    HasSubstr("app.yaml:8:3: unknown field \"maxReplica\""),
                    HasSubstr("its document changed, taken: minReplicas 1 → 2")));
}

TEST_F(Serve, WhatCouldNotBeAppliedIsTriedAgain) {
  const auto file = folder_ / "app.yaml";
  write(file, document("shop", "  minReplicas: 1\n  maxReplicas: 4\n"));
  Program headroom(run({file}));
  port_of(headroom, "shop");
  Taken taken;
  write(file, document("shop", "  minReplicas: 1\n  maxReplicas: 5\n", taken.address()));
  auto at = headroom.wait_for("shop: gateway.listen: ");
  ASSERT_NE(at, std::string::npos) << headroom.err();
  at = headroom.wait_for("app.yaml: not all of it taken; SIGHUP tries again", at);
  ASSERT_NE(at, std::string::npos) << headroom.err();
  taken.free();
  headroom.signal(SIGHUP);
  at = headroom.wait_for(
      "shop: its document changed, taken: gateway.listen changed, "
      "maxReplicas 4 → 5",
      at);
  ASSERT_NE(at, std::string::npos) << headroom.err();
  EXPECT_THAT(get(taken.port()), HasSubstr(" 200 "));
  headroom.signal(SIGTERM);
  EXPECT_EQ(headroom.wait(), 0) << headroom.err();

  EXPECT_THAT(policy_events("shop"), HasSubstr("its document is refused, what ran before goes on: "
                                               "gateway.listen: "));
}

TEST_F(Serve, GoesOnWhereItWasKilled) {
  const std::vector<std::string> flags = {"--name",     "shop", "--listen", "127.0.0.1:0",
                                          "--min",      "0",    "--max",    "2",
                                          "--cooldown", "10m",  "--output", "none"};
  {
    Program headroom(run(flags, service()));
    EXPECT_THAT(get(port_of(headroom, "shop")), HasSubstr(" 200 "));
    ASSERT_NE(headroom.wait_for("shop: replica 1 ready"), std::string::npos);
    headroom.signal(SIGKILL);
    EXPECT_EQ(headroom.wait(), 128 + SIGKILL);
  }
  Program again(run(flags, service()));
  EXPECT_NE(again.wait_for("shop: started with 1 replica, as the journal says"), std::string::npos)
      << again.err();
  EXPECT_NE(again.wait_for("shop: replica 1 ready"), std::string::npos) << again.err();
  again.signal(SIGTERM);
  EXPECT_EQ(again.wait(), 0);
}

}  // namespace
}  // namespace headroom
