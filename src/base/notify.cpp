#include "base/notify.h"

#include <cstddef>
#include <cstdlib>
#include <ctime>
#include <utility>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"

namespace headroom {
namespace {

std::string taken(const char* name) {
  const char* const value = std::getenv(name);
  std::string text = value == nullptr ? "" : value;
  ::unsetenv(name);
  return text;
}

}  // namespace

Notify::Notify(std::function<void(const std::string&)> through)
    : socket_(taken(kSocket)), through_(std::move(through)) {
  const auto micros = taken("WATCHDOG_USEC");
  const auto whose = taken("WATCHDOG_PID");
  // The parent is our guardian, and what the manager knows.
  const bool ours =
      whose.empty() || whose == std::to_string(::getpid()) || whose == std::to_string(::getppid());
  const auto period = Millis(std::strtoll(micros.c_str(), nullptr, 10) / 1000);
  if (ours && period > 0ms) watchdog_ = period / 2;  // as sd_watchdog_enabled(3) advises
}

void Notify::reloading() const {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  tell("RELOADING=1\nMONOTONIC_USEC=" +
       std::to_string(std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000));
}

void Notify::stopping(Millis at_most) const {
  tell("STOPPING=1\nEXTEND_TIMEOUT_USEC=" + std::to_string(at_most.count() * 1000));
}

void Notify::status(const std::string& text) {
  if (std::exchange(status_, text) != text) tell("STATUS=" + text);
}

void Notify::tell(const std::string& what) const {
  if (socket_.empty()) return;
  if (through_) return through_(what);
  send(socket_, what);
}

void Notify::send(const std::string& name, const std::string& what) {
  sockaddr_un to{};
  if (name.size() >= sizeof to.sun_path) return;
  to.sun_family = AF_UNIX;
  name.copy(to.sun_path, name.size());
  if (to.sun_path[0] == '@') to.sun_path[0] = '\0';  // an abstract one
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // Told for its good; what it does not take, it does without.
  static_cast<void>(::sendto(socket.get(), what.data(), what.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&to), length));
}

}  // namespace headroom
