#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "target/cgroup.h"
#include "target/spawn.h"

namespace headroom::target {

struct Started {
  Child child;
  Cgroup cgroup;  // empty: metered from /proc
};

/// Starts replicas from a thread that waits in the cgroup of the next one: moving a process into
/// a cgroup costs the kernel a grace period (around 10 ms), which a request that woke the service
/// would otherwise wait for.
class Spawner {
 public:
  /// `parent`: whose children they shall be, as SpawnOptions has it.
  Spawner(Cgroups cgroups, pid_t parent);
  ~Spawner();  // removes the cgroups, and kills what is left in them
  Spawner(const Spawner&) = delete;
  Spawner& operator=(const Spawner&) = delete;

  /// Waits until the program runs. Errors: as spawn().
  Result<Started> start(const Command& command);
  /// The cgroup of a replica that a predecessor started.
  Cgroup existing(const std::vector<std::string>& directories) const {
    return Cgroups(handed_).existing(directories);
  }
  const HandedCgroups& cgroups() const { return handed_; }
  /// Starts no more; the cgroups are another's now.
  void let_go();

 private:
  void run();
  void prepare();
  void end_thread();

  Cgroups cgroups_;  // the thread's, once it runs
  Cgroup next_;      // likewise
  const HandedCgroups handed_;
  const pid_t parent_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace headroom::target
