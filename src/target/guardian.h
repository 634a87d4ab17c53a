#pragma once

#include <memory>
#include <string>

#include <sys/types.h>

#include "base/fd.h"
#include "base/result.h"

namespace headroom::target {

/// A small process of ours that outlives a kill -9 of Headroom just long enough to SIGKILL the
/// replicas' process groups and cgroups and remove the cgroups and sockets. It holds one end of
/// a pipe; the end of file tells it that Headroom is gone.
class Guardian {
 public:
  /// Forks it. Call before any thread is started.
  static Result<Guardian> start();
  Guardian(Guardian&&) = default;
  Guardian& operator=(Guardian&&) = default;

  /// From now on this group is killed if Headroom dies. `cgroup` (its directories, one a line)
  /// and `socket` may be empty.
  void watch(pid_t group, const std::string& cgroup, const std::string& socket);
  void forget(pid_t group);
  pid_t pid() const { return pid_; }

 private:
  Guardian(Fd pipe, pid_t pid) : pipe_(std::move(pipe)), pid_(pid) {}
  Fd pipe_;
  pid_t pid_ = 0;
};

}  // namespace headroom::target
