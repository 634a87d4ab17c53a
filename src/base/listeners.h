#pragma once

#include <string>
#include <vector>

#include "base/address.h"
#include "base/fd.h"

namespace headroom {

/// Sockets that listen already when we start, because a service manager made them (socket
/// activation). What nobody takes is closed with this.
class Listeners {
 public:
  /// What LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES say (sd_listen_fds(3)), which it takes out of
  /// the environment. `others`: a process id that counts as ours, beside our own.
  static Listeners from_environment(pid_t others = 0);

  void add(Fd socket);
  /// The one that is bound to the address; empty where there is none. Non-blocking, closed on exec.
  Fd take(const Address& address);
  /// The addresses of those that nobody took.
  std::vector<std::string> left() const;

 private:
  std::vector<Fd> all_;
};

/// What a socket is bound to.
Address local_address(int socket);

}  // namespace headroom
