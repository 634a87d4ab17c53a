#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "gateway/worker.h"

namespace headroom::gateway {
namespace {

constexpr int kAcceptsPerTurn = 64;

/// The client's address as X-Forwarded-For wants it: no port, IPv4 unmapped.
std::uint8_t write_peer(const Address& peer, char (&text)[46]) {
  if (peer.family() == AF_INET) {
    const auto& in4 = reinterpret_cast<const sockaddr_in&>(peer.storage);
    ::inet_ntop(AF_INET, &in4.sin_addr, text, sizeof text);
  } else if (peer.family() == AF_INET6) {
    const auto& in6 = reinterpret_cast<const sockaddr_in6&>(peer.storage);
    if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
      ::inet_ntop(AF_INET, in6.sin6_addr.s6_addr + 12, text, sizeof text);
    } else {
      ::inet_ntop(AF_INET6, &in6.sin6_addr, text, sizeof text);
    }
  } else {
    std::strcpy(text, "unknown");  // RFC 7239's word for it
  }
  return static_cast<std::uint8_t>(std::strlen(text));
}

}  // namespace

/// Level-triggered, and woken alone: one socket serves all threads.
void Worker::listen(WorkerService& service, bool on) {
  if (on == service.accepting || !service.socket) return;
  service.accepting = on;
  epoll_event event{EPOLLIN | EPOLLEXCLUSIVE, {.ptr = &service.listener}};
  ::epoll_ctl(epoll_.get(), on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, service.socket->get(), &event);
}

void Worker::accept(WorkerService& service) {
  if (!service.accepting) return;
  const int own_limit = service.settings->limits.connections;
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    const bool full =
        common_.connections.load(std::memory_order_relaxed) >= common_.most_connections ||
        (own_limit > 0 && service.counters.clients.load(std::memory_order_relaxed) *
                                  static_cast<std::int64_t>(common_.workers.size()) >=
                              own_limit);
    Address peer;
    peer.length = sizeof peer.storage;
    const int fd =
        full && !close_oldest_idle()
            ? (errno = EMFILE, -1)
            : ::accept4(service.socket->get(), reinterpret_cast<sockaddr*>(&peer.storage),
                        &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      // The kernel gives to whoever wakes first; connections that stay must not all be one's.
      Worker* least = this;
      for (const auto& worker : common_.workers) {
        if (worker->clients() + 1 < least->clients()) least = worker.get();
      }
      if (least == this) {
        adopt(service, fd, peer);
      } else {
        least->clients_.fetch_add(1, std::memory_order_relaxed);
        least->post([least, id = service.shared->id, fd, peer] {
          least->clients_.fetch_sub(1, std::memory_order_relaxed);
          auto* const there = least->find(id);
          if (there != nullptr) {
            least->adopt(*there, fd, peer);
          } else {
            ::close(fd);
          }
        });
      }
      continue;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      paused_ = true;
      for (auto& [id, each] : services_) listen(*each, false);
    }
    if (errno != ECONNABORTED && errno != EINTR) return;
  }
}

void Worker::adopt(WorkerService& service, int fd, const Address& peer) {
  auto* const client = new Client;
  client->fd = fd;
  client->service = &service;
  client->readable = client->writable = true;
  client->address_size = write_peer(peer, client->address);
  for (const auto& block : service.trusted)
    client->trusted = client->trusted || block.contains(peer);
  service.clients.push_back(client->open);
  clients_.fetch_add(1, std::memory_order_relaxed);
  common_.connections.fetch_add(1, std::memory_order_relaxed);
  bump<std::int64_t>(service.counters.clients);
  if (!watch(*client, EPOLLIN | EPOLLOUT | EPOLLRDHUP)) return close(*client);
  become_idle(*client);
}

/// Room for a new client (errno is left alone where there is none).
bool Worker::close_oldest_idle() {
  if (!idle_clients_.linked()) return false;
  close(owner_of<Client>(idle_clients_.next));
  return true;
}

}  // namespace headroom::gateway
