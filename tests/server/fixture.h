#pragma once

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "gateway/harness.h"
#include "journal/fixture.h"
#include "server/server.h"
#include "support/temporary.h"

/// A real server with both its doors, a journal on disk, a board that the test fills, and a
/// thread in place of the control loop's.
namespace headroom::server {

using gateway::testing::Message;
using gateway::testing::read_message;
using gateway::testing::Socket;

constexpr const char* kToken = "0123456789abcdef0123456789abcdef";

/// Whether it comes true, within a time that is long.
inline bool eventually(const std::function<bool()>& holds) {
  const auto until = std::chrono::steady_clock::now() + 20s;
  while (std::chrono::steady_clock::now() < until) {
    if (holds()) return true;
    std::this_thread::sleep_for(20ms);
  }
  return false;
}

/// Two replicas of three, under load.
inline control::Status status_of(const std::string& name) {
  const auto now = decide::make::kStart + 1h;
  control::Status status;
  status.name = name;
  status.listening = "127.0.0.1:8080";
  status.minimum = {1};
  status.maximum = {8};
  status.target = 7;
  status.seen = decide::make::observation(now, 2, 2);
  status.seen.load = decide::make::load(14.25, now, 3);
  status.decided.current = {2};
  status.decided.replicas = {3};
  status.decided.steps.push_back({.stage = decide::Step::Stage::recommend,
                                  .code = "Utilization",
                                  .before = {2},
                                  .after = {3},
                                  .inputs = {83, 60, 0, 1.5},
                                  .text = "cpu 83% of 60%\n→ \"3\" replicas"});
  status.decided.conditions.push_back({.type = "ScalingLimited",
                                       .status = decide::Truth::no,
                                       .reason = "DesiredWithinRange",
                                       .message = "within"});
  status.replicas.resize(3);
  status.replicas[0] = {.id = 4,
                        .state = target::Replica::State::ready,
                        .pid = 4711,
                        .age = 61s,
                        .cpu = decide::make::cores(0.5, now),
                        .memory = decide::Measured{{12'582'912'000}, now, 1s},
                        .outstanding = 3};
  status.replicas[1] = {.id = 5, .state = target::Replica::State::ready, .pid = 4712};
  status.replicas[2] = {.id = 6, .state = target::Replica::State::backing_off, .restarts = 2};
  for (std::size_t i = 1; i < 3; ++i) {
    status.replicas[i].cpu = status.replicas[i].memory = decide::make::none();
  }
  gateway::Snapshot traffic;
  traffic.arrived = 110;
  traffic.completed = 100;
  traffic.failed[0] = 7;
  traffic.codes[2] = 98;
  traffic.codes[5] = 9;
  traffic.waiting = 3;
  for (const int micros : {10, 900, 40'000, 2'000'000, 90'000'000}) {
    ++traffic.duration.bucket[Histogram::index(static_cast<std::uint64_t>(micros))];
  }
  status.traffic = traffic;
  status.decisions = 12;
  status.ups = 2;
  return status;
}

class ServerTest : public ::testing::Test {
 protected:
  ServerTest()
      : journal_(open_journal()),
        work_(boost::asio::make_work_guard(loop_)),
        loop_thread_([this] { loop_.run(); }) {
    put(status_of("shop"));
  }
  ~ServerTest() override {
    server_.reset();
    work_.reset();
    loop_.stop();
    loop_thread_.join();
  }

  std::string journal_path() const { return folder_ / "state/journal.db"; }
  journal::Journal open_journal() const {
    auto journal = journal::Journal::open(journal_path(), journal::Journal::Mode::write);
    if (!journal) std::abort();
    return std::move(*journal);
  }
  void put(control::Status status) {
    board_.put(std::make_shared<const control::Status>(std::move(status)));
  }
  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }
  Doors doors() {
    return {
        .board = board_,
        .journal = journal_path(),
        .loop = loop_,
        .hold = [this](const std::string& name, std::optional<Replicas> replicas,
                       std::optional<Millis> time) -> Result<void> {
          note(fmt::format("hold {} {} {}", name, replicas ? replicas->count : -1,
                           time ? time->count() : -1));
          if (name != "shop") return fail({Code::unavailable, "no such autoscaler", {}});
          if (replicas && replicas->count > 8) return fail({Code::invalid, "at most 8", {}});
          auto status = status_of(name);
          status.hold = decide::Hold{replicas.value_or(Replicas{3}), std::nullopt, !replicas};
          if (time) status.hold->until = status.seen.now + *time;
          put(std::move(status));
          return {};
        },
        .release = [this](const std::string& name) -> Result<void> {
          note("release " + name);
          if (!board_.find(name)->hold) return fail({Code::conflict, "nothing is held", {}});
          put(status_of(name));
          return {};
        },
        .written = [](const std::string& name, target::ReplicaId replica,
                      std::uint64_t after) -> Result<target::Written> {
          if (name != "shop" || (replica != 3 && replica != 4)) {
            return fail({Code::unavailable, "no such replica", {}});
          }
          return target::Written{after == 0 ? "one\ntwo\n" : "two\n", 8, after < 2, replica == 3};
        }};
  }
  /// Both doors, the TCP one on a free port; with a token unless the test says otherwise.
  void start(Options options = {}) {
    options.address = "127.0.0.1:0";
    options.version = "1.2.3";
    options.required = true;
    if (options.token_file.empty()) {
      options.token_file = file("token", std::string(kToken) + "\nmore");
      std::filesystem::permissions(options.token_file, std::filesystem::perms::owner_all);
    }
    auto server = Server::start(options, doors());
    ASSERT_TRUE(server) << server.error().what;
    server_ = std::move(*server);
    server_->answer();
  }

  Socket tcp(int receive_buffer = 0) const {
    return Socket::connect(*server_->listening(), receive_buffer);
  }
  Socket local() const { return Socket::connect(*unix_address(folder_ / "state/admin.sock")); }
  static std::string request(const std::string& line, const std::string& more = "") {
    return line + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + more + "\r\n";
  }
  static Message ask(Socket socket, const std::string& bytes) {
    if (!socket.open() || !socket.send(bytes)) return {};
    return read_message(socket, bytes.starts_with("HEAD"));
  }
  Message get(const std::string& target) const { return ask(local(), request("GET " + target)); }
  Message send(const std::string& line, const std::string& body,
               const std::string& type = "application/json") const {
    return ask(local(), request(line, fmt::format("Content-Type: {}\r\nContent-Length: {}\r\n",
                                                  type, body.size())) +
                            body);
  }

  void note(const std::string& what) {
    const std::lock_guard lock(mutex_);
    noted_.push_back(what);
  }
  std::vector<std::string> noted() {
    const std::lock_guard lock(mutex_);
    return noted_;
  }

  TemporaryFolder folder_;
  control::Board board_;
  journal::Journal journal_;
  boost::asio::io_context loop_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::thread loop_thread_;
  std::mutex mutex_;
  std::vector<std::string> noted_;
  std::unique_ptr<Server> server_;
};

}  // namespace headroom::server
