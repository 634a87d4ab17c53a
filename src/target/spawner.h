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

/// Starts replicas from a thread that lives until this is destroyed, so that SIGKILL on the
/// parent thread's death means what it should. It also waits in the cgroup of the next replica:
/// moving a process into a cgroup costs the kernel a grace period (around 10 ms), which a
/// request that woke the service would otherwise wait for.
class Spawner {
 public:
  explicit Spawner(Cgroups cgroups);
  ~Spawner();  // the thread's children die with it, and their cgroups are removed
  Spawner(const Spawner&) = delete;
  Spawner& operator=(const Spawner&) = delete;

  /// Waits until the program runs. Errors: as spawn().
  Result<Started> start(const Command& command);
  const std::vector<std::string>& cgroup_parents() const { return parents_; }

 private:
  void run();
  void prepare();

  Cgroups cgroups_;  // the thread's, once it runs
  Cgroup next_;      // likewise
  std::vector<std::string> parents_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace headroom::target
