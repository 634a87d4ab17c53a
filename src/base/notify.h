#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/time.h"

namespace headroom {

/// What a service manager is told (systemd's sd_notify(3)), over the socket that $NOTIFY_SOCKET
/// names; nothing where there is none.
class Notify {
 public:
  static constexpr const char* kSocket = "NOTIFY_SOCKET";
  /// One message to the socket of that name.
  static void send(const std::string& socket, const std::string& what);

  /// Takes what the environment says out of it: the replicas are not to speak for us. `through`:
  /// who sends what we tell (a manager may listen to its own child only); none: we do.
  explicit Notify(std::function<void(const std::string&)> through = {});

  void ready() const { tell("READY=1"); }
  void reloading() const;  // ready() ends it
  /// It may take so long, whatever the unit's TimeoutStopSec says.
  void stopping(Millis at_most) const;
  void alive() const { tell("WATCHDOG=1"); }
  /// One line of what goes on; told where it is another than before.
  void status(const std::string& text);

  /// How often alive() is to be called; none where nobody watches.
  std::optional<Millis> watchdog() const { return watchdog_; }

 private:
  void tell(const std::string& what) const;

  std::string socket_;
  std::function<void(const std::string&)> through_;
  std::optional<Millis> watchdog_;
  std::string status_;
};

}  // namespace headroom
