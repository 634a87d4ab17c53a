#include "target/ports.h"

#include <fstream>
#include <mutex>
#include <set>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"

namespace headroom::target {
namespace {

struct Range {
  int low = 0, high = 0;  // both included
  int size() const { return high - low + 1; }
};

constexpr int kLowest = 10240;  // below are the ports that services are usually given
constexpr int kEnough = 512;

Range replica_ports() {
  int low = 32768, high = 60999;
  std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> low >> high;
  const Range below{kLowest, low - 1}, above{high + 1, 65535};
  if (below.size() >= kEnough) return below;
  if (above.size() >= kEnough) return above;
  return {kLowest, 65535};
}

bool bindable(int family, int port) {
  const Fd socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return family == AF_INET6;  // no IPv6 here: nobody can hold the port there
  // No SO_REUSEADDR: a replica that does not set it must find the port free as well.
  if (family == AF_INET6) {
    const int only = 1;
    ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    any.sin6_port = htons(static_cast<std::uint16_t>(port));
    return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0 ||
           errno == EADDRNOTAVAIL;
  }
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_port = htons(static_cast<std::uint16_t>(port));
  return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0;
}

struct Book {
  std::mutex mutex;
  Range range = replica_ports();
  // Two Headrooms that start together begin at different places.
  int next = static_cast<int>(static_cast<long>(::getpid()) * 61 % range.size());
  std::set<int> taken;
};

Book& book() {
  static Book made;
  return made;
}

}  // namespace

Port::~Port() {
  if (number_ == 0) return;
  const std::lock_guard lock(book().mutex);
  book().taken.erase(number_);
}

Result<Port> take_port() {
  Book& all = book();
  const std::lock_guard lock(all.mutex);
  for (int tried = 0; tried < all.range.size(); ++tried) {
    const int port = all.range.low + all.next;
    all.next = (all.next + 1) % all.range.size();
    if (all.taken.contains(port) || !bindable(AF_INET6, port) || !bindable(AF_INET, port)) continue;
    all.taken.insert(port);
    return Port(static_cast<std::uint16_t>(port));
  }
  return fail({Code::unavailable, "no free TCP port for a replica"});
}

Port take_port(std::uint16_t number) {
  const std::lock_guard lock(book().mutex);
  book().taken.insert(number);
  return Port(number);
}

}  // namespace headroom::target
