// headroom-relay: the floor that the gateway is measured against. It passes bytes between clients
// and backends with the four calls per request that any proxy makes (receive, send, receive,
// send) and knows nothing of HTTP: what it costs is what the kernel costs.

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/address.h"
#include "base/fd.h"

namespace headroom::bench {
namespace {

/// One direction's bytes that the other side has not taken yet.
struct Pending {
  std::string bytes;
  std::size_t sent = 0;
  bool empty() const { return sent == bytes.size(); }
};

/// One end of a relayed connection; the ends know each other by descriptor.
struct End {
  Fd fd;
  int peer = -1;
  bool readable = false;
  Pending out;  // to be sent on this end
};

class Relay {
 public:
  Relay(Fd listener, std::vector<Address> backends)
      : listener_(std::move(listener)), backends_(std::move(backends)) {}
  int run();

 private:
  void accept_all();
  bool add(Fd fd, int peer);
  bool move(End& from);
  bool flush(End& to);
  void close(int fd);

  Fd listener_;
  Fd epoll_{::epoll_create1(EPOLL_CLOEXEC)};
  std::vector<Address> backends_;
  std::size_t next_ = 0;
  std::vector<End> ends_;  // by descriptor
  std::string scratch_ = std::string(64 << 10, '\0');
};

int Relay::run() {
  epoll_event events[256];
  events[0] = {.events = EPOLLIN, .data = {.fd = listener_.get()}};
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, listener_.get(), &events[0]);
  for (;;) {
    const int count = ::epoll_wait(epoll_.get(), events, std::size(events), -1);
    if (count < 0 && errno != EINTR) return 1;
    for (int i = 0; i < count; ++i) {
      const int fd = events[i].data.fd;
      if (fd == listener_.get()) {
        accept_all();
        continue;
      }
      End& end = ends_[static_cast<std::size_t>(fd)];
      if (!end.fd) continue;
      const int peer = end.peer;
      bool good = !(events[i].events & (EPOLLERR | EPOLLHUP));
      if (good && (events[i].events & EPOLLOUT)) good = flush(end);
      if (events[i].events & (EPOLLIN | EPOLLRDHUP)) end.readable = true;
      good = good && move(end) && move(ends_[static_cast<std::size_t>(peer)]);
      if (!good) close(fd);
    }
  }
}

void Relay::accept_all() {
  for (;;) {
    Fd client{::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
    if (!client) return;
    const Address& backend = backends_[next_++ % backends_.size()];
    Fd upstream{::socket(backend.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (!upstream || ::connect(upstream.get(), backend.get(), backend.length) != 0) continue;
    const int from = client.get(), to = upstream.get();
    if (add(std::move(client), to) && !add(std::move(upstream), from)) close(from);
  }
}

bool Relay::add(Fd fd, int peer) {
  const auto at = static_cast<std::size_t>(fd.get());
  if (ends_.size() <= at) ends_.resize(at * 2 + 1);
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.fd = fd.get()}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd.get(), &event) != 0) return false;
  ends_[at] = End{.fd = std::move(fd), .peer = peer};
  return true;
}

/// Passes on what `from` has sent, as far as its peer takes it. False: close both.
bool Relay::move(End& from) {
  End& to = ends_[static_cast<std::size_t>(from.peer)];
  while (from.readable && to.out.empty()) {
    const ssize_t got = ::recv(from.fd.get(), scratch_.data(), scratch_.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) {
      from.readable = false;
      return true;
    }
    if (got <= 0) return false;
    from.readable = static_cast<std::size_t>(got) == scratch_.size();
    const auto length = static_cast<std::size_t>(got);
    const ssize_t sent = ::send(to.fd.get(), scratch_.data(), length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN) return false;
    const auto taken = static_cast<std::size_t>(std::max<ssize_t>(sent, 0));
    if (taken < length) to.out = {.bytes = scratch_.substr(taken, length - taken)};
  }
  return true;
}

bool Relay::flush(End& to) {
  Pending& out = to.out;
  while (!out.empty()) {
    const ssize_t sent = ::send(to.fd.get(), out.bytes.data() + out.sent,
                                out.bytes.size() - out.sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) return errno == EAGAIN;
    out.sent += static_cast<std::size_t>(sent);
  }
  return true;
}

void Relay::close(int fd) {
  End& end = ends_[static_cast<std::size_t>(fd)];
  if (end.peer >= 0) ends_[static_cast<std::size_t>(end.peer)] = {};
  end = {};
}

int run(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr,
               "usage: headroom-relay LISTEN BACKEND...\n"
               "example: headroom-relay 127.0.0.1:8080 127.0.0.1:9000\n");
    return 2;
  }
  std::vector<Address> addresses;
  for (int i = 1; i < argc; ++i) {
    const auto address = resolve(argv[i]);
    if (!address) {
      fmt::print(stderr, "headroom-relay: {}\n", to_string(address.error()));
      return 2;
    }
    addresses.push_back(*address);
  }
  const rlimit files{20000, 20000};
  ::setrlimit(RLIMIT_NOFILE, &files);
  const Address& at = addresses[0];
  Fd listener{::socket(at.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  const int on = 1;
  ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(listener.get(), at.get(), at.length) != 0 || ::listen(listener.get(), 4096) != 0) {
    fmt::print(stderr, "headroom-relay: {}: {}\n", to_string(at), std::strerror(errno));
    return 1;
  }
  return Relay(std::move(listener), {addresses.begin() + 1, addresses.end()}).run();
}

}  // namespace
}  // namespace headroom::bench

int main(int argc, char** argv) { return headroom::bench::run(argc, argv); }
