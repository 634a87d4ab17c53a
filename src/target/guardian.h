#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <signal.h>
#include <sys/types.h>

#include "base/fd.h"
#include "base/result.h"

namespace headroom::target {

/// Headroom is two processes. The one that was started stays as the *guardian*: a small loop
/// without threads that is the parent of the worker and of the replicas, passes signals and the
/// words for a service manager on, starts the worker's successor at an upgrade, and ends with the
/// worker's exit code. The worker, its child, does everything else.
///
/// Whichever of the two is killed, the other ends the replicas and what they left (their process
/// groups, cgroups, sockets); if both are, the kernel kills the replicas with the guardian. At an
/// upgrade the guardian stays, and with it the process id that others know.
///
/// This is the worker's end of the socket between them. For one thread.
class Guardian {
 public:
  /// Forks: the caller goes on as the worker. Call before any thread is started.
  static Result<Guardian> start();
  /// A successor's, which was started by the guardian; nullopt where this process was not.
  static std::optional<Guardian> inherited();
  Guardian(Guardian&&) = default;
  Guardian& operator=(Guardian&&) = default;

  /// From now on this group is killed if the worker dies. `cgroup` (its directories, one a line)
  /// and `socket` may be empty.
  void watch(pid_t group, const std::string& cgroup, const std::string& socket);
  void forget(pid_t group);
  /// Takes the status of a replica that has ended; `si_pid` is 0 where there is none to take.
  siginfo_t reap(pid_t pid);

  /// Tells the service manager, as the process that it knows.
  void tell_manager(const std::string& what);

  /// Starts the program anew, as it is on disk now and with the arguments we were started with.
  /// The end of a socket (SOCK_SEQPACKET) whose other one the new worker finds as predecessor().
  /// Errors: unavailable (no such program), conflict (a predecessor of ours is not reaped yet, or
  /// one is starting already).
  Result<Fd> start_successor();
  /// That one is not wanted any more.
  void abandon_successor();
  /// The new worker's: from now on signals come to us, and our end is the guardian's.
  void take_over();
  /// To the worker before us; empty where there is none. To be taken once.
  Fd predecessor() { return std::move(predecessor_); }

  pid_t pid() const { return pid_; }

  /// Calls `what` once, when somebody has killed the guardian: the worker has to end its replicas,
  /// of which it is not told any more, and itself.
  void when_gone(boost::asio::io_context& io, std::function<void()> what);

 private:
  Guardian(Fd socket, pid_t pid) : socket_(std::move(socket)), pid_(pid) {}
  bool gone() const;

  Fd socket_, predecessor_;
  std::shared_ptr<boost::asio::posix::stream_descriptor> end_;
  pid_t pid_ = 0;
};

}  // namespace headroom::target
