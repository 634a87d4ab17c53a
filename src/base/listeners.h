#pragma once

#include <string>
#include <vector>

#include "base/address.h"
#include "base/fd.h"

namespace headroom {

/// Sockets that listen already when we start, because a service manager made them (socket
/// activation). The manager keeps them, and so do we: an address that a service gives up may be
/// wanted again, or for the first time later on.
class Listeners {
 public:
  /// What LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES say (sd_listen_fds(3)), which it takes out of
  /// the environment. `others`: a process id that counts as ours, beside our own.
  static Listeners from_environment(pid_t others = 0);

  void add(Fd socket);
  /// Another descriptor of the one that is bound to the address; empty where there is none.
  /// Non-blocking, closed on exec.
  Fd lend(const Address& address);
  /// The one itself, for good; empty where there is none, or where it was lent.
  Fd take(const Address& address);
  /// The addresses of those that nobody has wanted yet.
  std::vector<std::string> left() const;
  /// Other descriptors of all that are here, for a successor.
  std::vector<Fd> hand_over() const;

 private:
  struct Kept {
    Fd socket;
    bool lent = false;
  };
  std::vector<Kept>::iterator find(const Address& address);

  std::vector<Kept> all_;
};

/// What a socket is bound to.
Address local_address(int socket);

}  // namespace headroom
