#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "target/process.h"

/// What a worker hands to its successor at an upgrade: plain data, and descriptors. Times are the
/// monotonic clock's, which both have.
namespace headroom::target {

struct HandedOutput {
  std::vector<std::string> lines;    // the tail
  std::string begun_out, begun_err;  // of a line
  std::uint64_t written = 0;         // all that ever came
  std::uint64_t of_this_life = 0;    // of `lines`
  Fd out, err;                       // the pipes' ends; empty where closed
};

struct HandedReplica {
  ReplicaId id = 0;
  pid_t pid = 0;
  Fd pidfd;
  bool ready = false;
  bool stale = false;  // of an older command: to be replaced
  std::chrono::steady_clock::time_point started, state_since;
  std::optional<Millis> startup;
  int restarts = 0;
  std::uint16_t port = 0;  // or
  std::string socket;
  std::chrono::microseconds cpu_before{0};  // of its earlier lives
  std::vector<std::string> cgroups;
  HandedOutput output;
};

struct HandedCgroups {
  int kind = 0;  // Cgroups::Kind
  std::vector<std::string> parents, home;
};

struct HandedDirectory {
  std::string path, sockets;
  Fd lock;
};

struct HandedProcess {
  ReplicaId last_id = 0;
  HandedCgroups cgroups;
  HandedDirectory directory;
  std::vector<HandedReplica> replicas;
};

}  // namespace headroom::target
