#include "base/listeners.h"

#include <algorithm>
#include <cstdlib>

#include <fcntl.h>
#include <unistd.h>

namespace headroom {
namespace {

constexpr int kFirst = 3;            // SD_LISTEN_FDS_START
constexpr long kMostSockets = 1000;  // none of it is ours if there were more

long number_of(const char* variable) {
  const char* const value = std::getenv(variable);
  return value == nullptr ? 0 : std::strtol(value, nullptr, 10);
}

bool listens(int fd) {
  int yes = 0;
  socklen_t size = sizeof yes;
  return ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &size) == 0 && yes != 0;
}

}  // namespace

Address local_address(int socket) {
  Address address;
  address.length = sizeof address.storage;
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address.storage), &address.length);
  return address;
}

Listeners Listeners::from_environment(pid_t others) {
  Listeners found;
  const auto pid = number_of("LISTEN_PID");
  const auto count = number_of("LISTEN_FDS");
  for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(name);
  if (pid == 0 || (pid != ::getpid() && pid != others) || count < 1 || count > kMostSockets) {
    return found;
  }
  for (int fd = kFirst; fd < kFirst + count; ++fd) {
    // Not a number that nobody gave us, and that we may have opened since.
    if (listens(fd)) found.add(Fd(fd));
  }
  return found;
}

void Listeners::add(Fd socket) {
  ::fcntl(socket.get(), F_SETFD, FD_CLOEXEC);
  ::fcntl(socket.get(), F_SETFL, ::fcntl(socket.get(), F_GETFL) | O_NONBLOCK);
  all_.push_back({std::move(socket)});
}

std::vector<Listeners::Kept>::iterator Listeners::find(const Address& address) {
  return std::ranges::find_if(all_, [&](const Kept& each) {
    return to_string(local_address(each.socket.get())) == to_string(address);
  });
}

Fd Listeners::lend(const Address& address) {
  const auto found = find(address);
  if (found == all_.end()) return Fd();
  found->lent = true;
  return found->socket.duplicate();
}

Fd Listeners::take(const Address& address) {
  const auto found = find(address);
  if (found == all_.end() || found->lent) return Fd();
  Fd taken = std::move(found->socket);
  all_.erase(found);
  return taken;
}

std::vector<std::string> Listeners::left() const {
  std::vector<std::string> addresses;
  for (const auto& [socket, lent] : all_) {
    if (!lent) addresses.push_back(to_string(local_address(socket.get())));
  }
  return addresses;
}

std::vector<Fd> Listeners::hand_over() const {
  std::vector<Fd> sockets;
  for (const auto& each : all_) sockets.push_back(each.socket.duplicate());
  return sockets;
}

}  // namespace headroom
