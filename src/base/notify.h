#pragma once

#include <optional>
#include <string>

#include "base/time.h"

namespace headroom {

/// What a service manager is told (systemd's sd_notify(3)), over the socket that $NOTIFY_SOCKET
/// names; nothing where there is none.
class Notify {
 public:
  /// Takes what the environment says out of it: the replicas are not to speak for us.
  Notify();

  void ready() const { tell("READY=1"); }
  void reloading() const;  // ready() ends it
  void stopping() const { tell("STOPPING=1"); }
  void alive() const { tell("WATCHDOG=1"); }
  /// One line of what goes on.
  void status(const std::string& text) const { tell("STATUS=" + text); }

  /// How often alive() is to be called; none where nobody watches.
  std::optional<Millis> watchdog() const { return watchdog_; }

 private:
  void tell(const std::string& what) const;

  std::string socket_;
  std::optional<Millis> watchdog_;
};

}  // namespace headroom
