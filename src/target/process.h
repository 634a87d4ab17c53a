#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "base/address.h"
#include "base/time.h"
#include "base/units.h"
#include "policy/autoscaler.h"
#include "target/guardian.h"

namespace headroom::target {

struct HandedProcess;  // handed.h

using ReplicaId = std::uint64_t;  // unique within this run of Headroom, counting from 1

struct Usage {
  std::chrono::microseconds cpu{0};  // since its start, the whole group
  std::int64_t memory_bytes = 0;     // working set
};

struct Replica {
  enum class State { starting, ready, draining, backing_off };
  ReplicaId id = 0;
  State state = State::starting;
  pid_t pid = 0;    // 0 while backing off
  Address address;  // where it takes requests
  std::chrono::steady_clock::time_point started, state_since;
  std::optional<Millis> startup;  // start to first ready
  int restarts = 0;               // failures in a row
};

/// A part of a replica's output, by its bytes since the replica's first start.
struct Written {
  std::string text;       // whole lines, one a line
  std::uint64_t end = 0;  // what comes next is after this
  bool lost = false;      // some between `after` and `text` is not kept any more
  bool gone = false;      // the replica is: nothing comes any more
};

/// What the owner wants to hear. Called on the io_context's thread.
struct Hooks {
  std::function<void(const Replica&)> ready;    // may get traffic
  std::function<void(const Replica&)> unready;  // readiness failed, or it exited: no traffic now
  /// Take traffic from it: call `done` once nothing is outstanding (or the drain timed out).
  std::function<void(const Replica&, std::function<void()> done)> drain;
  std::function<void(ReplicaId)> gone;
  /// One line for people: "replica 3 exited with status 1 after 2.1 s; last output: …".
  std::function<void(const std::string& what)> said;
  /// Outstanding requests of a replica: the idlest is drained first. May be empty.
  std::function<std::int64_t(ReplicaId)> outstanding;
};

/// Runs 0..N copies of a command. Each replica has a process group and, where the system
/// allows, a cgroup of its own; PORT (or SOCKET) in its environment.
/// Lives on one io_context with one thread.
class Process {
 public:
  Process(boost::asio::io_context& io, const std::string& name, const policy::Process& spec,
          Guardian& guardian, const std::string& state_directory, Hooks hooks);
  /// Goes on with the predecessor's replicas, which run `spec`; no hook is called for what they
  /// are already.
  Process(boost::asio::io_context& io, const std::string& name, const policy::Process& spec,
          Guardian& guardian, const std::string& state_directory, HandedProcess handed,
          Hooks hooks);
  ~Process();  // SIGKILLs what is left

  /// What a successor goes on with: the replicas that run and stay. Nothing changes until
  /// let_go(), which must come before anything else runs here, if it comes.
  HandedProcess hand_over() const;
  /// Those are another's now. Those on their way out are ours still; stop() tells when they are
  /// gone.
  void let_go();

  /// Asks for n replicas: starts some at once, or drains the newest-starting and idlest first.
  void scale(Replicas n);
  /// Replicas started from now on follow `spec`; if what makes a process differs (command, env,
  /// working directory), running ones are replaced one by one, each after its successor is ready.
  void update(const policy::Process& spec);
  /// Drains and stops all; `done` when the last is gone.
  void stop(std::function<void()> done);

  std::vector<Replica> replicas() const;
  /// Cumulative use of one replica; an error where it cannot be read now.
  Result<Usage> usage(ReplicaId id) const;
  /// The last lines that a replica wrote (at most 50 lines, 8 KiB). Those of the 32 replicas that
  /// ended last are kept, too.
  std::string output(ReplicaId id) const;
  /// What it wrote after the first `after` bytes, as far as it is kept (as output()); none where
  /// there is no such replica.
  std::optional<Written> written(ReplicaId id, std::uint64_t after) const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace headroom::target
