#pragma once

#include <algorithm>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/time.h"
#include "target/process.h"
#include "target/troubles.h"

namespace headroom::target::test {

inline std::string own_path() { return std::filesystem::read_symlink("/proc/self/exe").string(); }

/// A policy that runs this program as a replica.
inline policy::Process replica_spec(std::vector<std::string> settings = {}) {
  policy::Process spec;
  spec.command = {own_path(), "--replica", "$(PORT)"};
  for (auto& setting : settings) spec.command.push_back(std::move(setting));
  spec.output.to = policy::Output::To::none;
  spec.termination_grace_period = 5s;
  spec.start_timeout = 30s;
  return spec;
}

inline policy::Process shell_spec(const std::string& script) {
  policy::Process spec = replica_spec();
  spec.command = {"/bin/sh", "-c", script};
  return spec;
}

inline policy::Probe http_probe(const std::string& path, Millis period = 100ms) {
  policy::Probe probe;
  probe.http_get = policy::HttpGet{.path = path};
  probe.period = period;
  return probe;
}

/// GET over a connection of its own; the body.
inline std::string get(const Address& address, const std::string& path) {
  const Fd socket(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(socket.get(), address.get(), address.length) != 0) return "no connection";
  const timeval limit{10, 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  const auto request = "GET " + path + " HTTP/1.1\r\nHost: test\r\n\r\n";
  if (::write(socket.get(), request.data(), request.size()) < 0) return "not written";
  std::string all;
  char buffer[4096];
  for (ssize_t got = 0; (got = ::read(socket.get(), buffer, sizeof buffer)) > 0;) {
    all.append(buffer, static_cast<std::size_t>(got));
  }
  const auto body = all.find("\r\n\r\n");
  return body == std::string::npos ? all : all.substr(body + 4);
}

struct TemporaryDirectory {
  TemporaryDirectory() {
    std::string made = "/tmp/target-test-XXXXXX";
    path = ::mkdtemp(made.data());
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::string path;
};

/// The page of reasons has what is in troubles.h, and nothing else may be told.
inline bool is_documented(const std::string& trouble) {
  for (int i = 0;; ++i) {
    const auto name = name_of(static_cast<Trouble>(i));
    if (name.empty()) return false;
    if (trouble.find(name) != std::string::npos) return true;
  }
}

/// A Process with its loop, and what its hooks were told.
struct World {
  World(Guardian& its_guardian, std::string state)
      : guardian(its_guardian), state_directory(std::move(state)) {}

  struct Event {
    std::string what;
    ReplicaId id = 0;
    Replica::State state = Replica::State::starting;
  };

  Hooks hooks() {
    Hooks hooks;
    hooks.ready = [this](const Replica& r) { events.push_back({"ready", r.id, r.state}); };
    hooks.unready = [this](const Replica& r) { events.push_back({"unready", r.id, r.state}); };
    hooks.drain = [this](const Replica& r, std::function<void()> done) {
      events.push_back({"drain", r.id, r.state});
      if (hold_drain)
        drains.push_back(std::move(done));
      else
        done();
    };
    hooks.gone = [this](ReplicaId id) { events.push_back({"gone", id, {}}); };
    hooks.said = [this](const std::string& what) {
      said.push_back(what);
      EXPECT_TRUE(is_documented(what)) << what << ": none of troubles.h";
    };
    hooks.outstanding = [this](ReplicaId id) { return outstanding ? outstanding(id) : 0; };
    return hooks;
  }

  void start(const policy::Process& spec, int replicas) {
    process = std::make_unique<Process>(io, "test", spec, guardian, state_directory, hooks());
    process->scale({replicas});
  }

  /// Runs the loop until `holds`; false after a generous time.
  template <class Holds>
  bool run_until(Holds holds, Millis most = 60s) {
    const auto end = std::chrono::steady_clock::now() + most;
    while (!holds()) {
      if (std::chrono::steady_clock::now() > end) return false;
      io.restart();
      io.run_one_for(5ms);
    }
    return true;
  }
  void run_for(Millis time) {
    io.restart();
    io.run_for(time);
  }

  int count(Replica::State state) const {
    const auto all = process->replicas();
    return static_cast<int>(
        std::ranges::count_if(all, [&](const Replica& r) { return r.state == state; }));
  }
  bool all_ready(int n) const {
    return count(Replica::State::ready) == n && process->replicas().size() == std::size_t(n);
  }
  int happened(const std::string& what) const {
    return static_cast<int>(
        std::ranges::count_if(events, [&](const Event& e) { return e.what == what; }));
  }
  bool was_said(const std::string& part) const {
    return std::ranges::any_of(
        said, [&](const std::string& s) { return s.find(part) != std::string::npos; });
  }
  Replica only() const { return process->replicas().at(0); }
  /// The loop goes on meanwhile: the replica serves one connection after the other, and a probe's
  /// may be before ours.
  std::string get(const Replica& replica, const std::string& path) {
    auto body = std::async(std::launch::async, test::get, replica.address, path);
    run_until([&] { return body.wait_for(0s) == std::future_status::ready; });
    return body.get();
  }

  boost::asio::io_context io;
  Guardian& guardian;
  std::string state_directory;
  std::vector<Event> events;
  std::vector<std::string> said;
  std::vector<std::function<void()>> drains;
  bool hold_drain = false;
  std::function<std::int64_t(ReplicaId)> outstanding;
  std::unique_ptr<Process> process;  // last: it goes first
};

inline Guardian& shared_guardian() {
  static auto started = [] {
    auto guardian = Guardian::start();
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that is stopped leaves nothing
    return guardian;
  }();
  return *started;
}

/// A World for a test: with a state directory of its own.
struct TestWorld : TemporaryDirectory, World {
  TestWorld() : World(shared_guardian(), path) {}
};

/// Whether the process exists and is no zombie.
bool lives(pid_t pid);
/// Waits until it does not; false after a generous time.
bool dies(pid_t pid);

}  // namespace headroom::target::test
