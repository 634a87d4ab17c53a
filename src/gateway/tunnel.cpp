#include <cerrno>

#include <sys/socket.h>

#include "gateway/worker.h"

namespace headroom::gateway {
namespace {

constexpr std::size_t kTurn = 64 << 10;

}  // namespace

/// After 101: bytes pass both ways, whatever they are (C6).
bool Worker::open_tunnel(Exchange& exchange) {
  exchange.tunnel = true;
  exchange.slot->tunnels.fetch_add(1);
  auto& counters = exchange.service->counters;
  bump<std::int64_t>(counters.tunnels);
  bump<std::uint64_t>(counters.completed);
  exchange.request.clear();
  exchange.sent = 0;
  exchange.until_body = exchange.until_rate = exchange.until_whole = kNever;
  set_deadline(*exchange.upstream, kNever);
  return true;
}

bool Worker::pump_tunnel(Exchange& exchange) {
  auto& client = *exchange.client;
  if (client.broken || !carry(exchange, true) || !carry(exchange, false) ||
      (exchange.client_done && exchange.upstream_done && client.out.empty() &&
       exchange.request.empty())) {
    fail(exchange, Failure::client_abort);
    return false;
  }
  set_deadline(client, now_ + exchange.service->settings->timeouts.tunnel_idle);
  exchange.until_sent = client.timer.deadline;
  return true;
}

/// Moves what it can from one side to the other; a FIN passes on when all before it has gone.
/// False where the tunnel is over.
bool Worker::carry(Exchange& exchange, bool to_replica) {
  auto& client = *exchange.client;
  auto& upstream = *exchange.upstream;
  Connection& from = to_replica ? static_cast<Connection&>(client) : upstream;
  Connection& to = to_replica ? static_cast<Connection&>(upstream) : client;
  Buffer& left = to_replica ? exchange.request : client.out;
  bool& done = to_replica ? exchange.client_done : exchange.upstream_done;

  for (std::size_t moved = 0;;) {
    if (to_replica && left.empty() && !client.in.empty()) {
      // What the client sent behind its head, before it knew that there is a tunnel.
      buffers_.give(left);
      left = std::exchange(client.in, {});
    }
    if (!left.empty()) {
      if (!to.writable) return true;
      const auto sent = ::send(to.fd, left.data + left.begin, left.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
      if (sent > 0) left.begin += static_cast<std::uint32_t>(sent);
      if (!left.empty()) {
        to.writable = false;
        if (to_replica) wait_writable(upstream);
        return true;
      }
      buffers_.give(left);
      if (done) ::shutdown(to.fd, SHUT_WR);
    }
    if (done || !from.readable) return true;
    if (moved >= kTurn) {
      enqueue(client);
      return true;
    }
    const auto got = ::recv(from.fd, in_.get(), kScratch, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) {
      from.readable = false;
      return true;
    }
    if (got < 0) return false;
    if (got == 0) {
      done = true;
      from.readable = false;
      ::shutdown(to.fd, SHUT_WR);
      return true;
    }
    const auto size = static_cast<std::size_t>(got);
    moved += size;
    if (size < kScratch && !from.hangup) from.readable = false;
    buffers_.append(left, {in_.get(), size});
  }
}

}  // namespace headroom::gateway
