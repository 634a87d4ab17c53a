#include <cerrno>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "gateway/worker.h"

namespace headroom::gateway {
namespace {

constexpr int kIdleAtMost = 32;       // kept connections per thread and replica
constexpr Micros kYoung = 1s;         // C4: what may not be repeated takes no older connection
constexpr Micros kContinueWait = 1s;  // C5
constexpr Micros kLater = 20ms;
constexpr Micros kPause = 50ms;

const char* proxy_error(Failure failure) {  // RFC 9209 §2.3
  switch (failure) {
    case Failure::refused:
      return "connection_refused";
    case Failure::connect_timeout:
      return "connection_timeout";
    case Failure::head_timeout:
      return "http_response_timeout";
    case Failure::bad_response:
      return "http_protocol_error";
    default:
      return "connection_terminated";
  }
}

}  // namespace

/// Sends the exchange to a replica on which it holds a slot.
void Worker::assign(Exchange& exchange, LocalReplica& replica) {
  int error = 0;
  auto* upstream = kept(exchange, replica);
  if (upstream == nullptr) {
    upstream = connect(replica, exchange.service->settings->timeouts.connect, error);
  }
  exchange.fresh = false;
  if (upstream == nullptr) {
    // Our own lack of descriptors, or a replica with a full backlog, is no failure of it: later.
    const bool later = error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS ||
                       error == EADDRNOTAVAIL || error == EAGAIN;
    if (later) {
      leave_alone(*exchange.slot, kLater);
    } else {
      failed(*exchange.service, *exchange.slot, Failure::refused);
    }
    leave(exchange);
    hold(exchange, true);
    return;
  }
  upstream->exchange = &exchange;
  exchange.upstream = upstream;
  exchange.sent = 0;
  if (exchange.sampled) exchange.span->replica = replica.shared->name;
  if (upstream->connected) {
    enter(exchange, Exchange::Phase::upstream);
    await_answer(exchange);
  } else {
    enter(exchange, Exchange::Phase::queued);
  }
  if (exchange.expecting && exchange.until_expect == kNever) {
    exchange.until_expect = now_ + kContinueWait;
    plan_deadline(exchange);
  }
  pump(exchange);
}

/// The newest kept connection that will do.
Upstream* Worker::kept(Exchange& exchange, LocalReplica& replica) {
  if (exchange.fresh) return nullptr;
  while (replica.idle.linked()) {
    auto& upstream = owner_of<Upstream>(replica.idle.next);
    if (upstream.readable || upstream.hangup || upstream.broken) {
      close(upstream);
      continue;
    }
    if (!exchange.idempotent && now_ - upstream.idle_since >= kYoung) return nullptr;
    upstream.idle.unlink();
    --replica.idle_count;
    upstream.reused = true;
    return &upstream;
  }
  return nullptr;
}

Upstream* Worker::connect(LocalReplica& replica, Micros timeout, int& error) {
  const auto& address = replica.shared->address;
  const bool local = address.family() == AF_UNIX;
  const int fd = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    error = errno;
    return nullptr;
  }
  if (!local) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  const bool connected = ::connect(fd, address.get(), address.length) == 0;
  if (!connected && errno != EINPROGRESS) {
    error = errno;
    ::close(fd);
    return nullptr;
  }
  auto* const upstream = new Upstream;
  upstream->fd = fd;
  upstream->replica = &replica;
  upstream->connected = upstream->writable = connected;
  upstream->watches_out = !(local && connected);
  replica.open.push_back(upstream->open);
  bump<std::int64_t>(replica.service->counters.upstreams);
  common_.connections.fetch_add(1, std::memory_order_relaxed);
  set_deadline(*upstream, now_ + timeout);
  if (!watch(*upstream, EPOLLIN | EPOLLRDHUP | (upstream->watches_out ? EPOLLOUT : 0u))) {
    error = errno;
    close(*upstream);
    return nullptr;
  }
  return upstream;
}

void Worker::wait_writable(Upstream& upstream) {
  if (upstream.watches_out) return;
  upstream.watches_out = true;
  epoll_event event{EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                    {.ptr = static_cast<Source*>(&upstream)}};
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, upstream.fd, &event);
}

/// From now on the replica has so long for its answer's head, or for more of its body.
void Worker::await_answer(Exchange& exchange) {
  const auto& timeouts = exchange.service->settings->timeouts;
  set_deadline(*exchange.upstream,
               now_ + (exchange.answering ? timeouts.response_idle : timeouts.response_head));
}

void Worker::on_upstream(Upstream& upstream) {
  auto* const exchange = upstream.exchange;
  if (exchange == nullptr) {
    // Nobody asked it anything: its end, or bytes that belong to no request (F6).
    if (upstream.readable || upstream.hangup || upstream.broken) close(upstream);
    return;
  }
  if (!upstream.connected) {
    if (upstream.broken) {
      int error = 0;
      socklen_t size = sizeof error;
      ::getsockopt(upstream.fd, SOL_SOCKET, SO_ERROR, &error, &size);
      return upstream_failed(*exchange,
                             error == ETIMEDOUT ? Failure::connect_timeout : Failure::refused);
    }
    if (!upstream.writable) return;
    upstream.connected = true;
    enter(*exchange, Exchange::Phase::upstream);
    await_answer(*exchange);
  }
  pump(*exchange);
}

/// For the next request, newest first.
void Worker::keep(Upstream& upstream, const Exchange& exchange) {
  auto& replica = *upstream.replica;
  if (!replica.current || replica.idle_count >= kIdleAtMost || upstream.readable ||
      upstream.hangup || upstream.broken) {
    return close(upstream);
  }
  upstream.idle_since = now_;
  replica.idle.push_front(upstream.idle);
  ++replica.idle_count;
  Micros time = exchange.service->settings->timeouts.upstream_idle;
  if (const auto said = exchange.answer.keep_alive_timeout; said > 0) {
    time = std::min<Micros>(time, std::chrono::seconds(said - 1));
  }
  set_deadline(upstream, now_ + time);
}

void Worker::close(Upstream& upstream) {
  if (upstream.closed) return;
  upstream.closed = true;
  wheel_.cancel(upstream.timer);
  if (upstream.idle.linked()) {
    upstream.idle.unlink();
    --upstream.replica->idle_count;
  }
  upstream.open.unlink();
  bump<std::int64_t>(upstream.replica->service->counters.upstreams, -1);
  if (!upstream.replica->current && !upstream.replica->open.linked()) forget_ = true;
  ::close(upstream.fd);
  common_.connections.fetch_sub(1, std::memory_order_relaxed);
  dead_.push_back(&upstream);
}

/// Gives the exchange's slot back, if it holds one.
void Worker::leave(Exchange& exchange) {
  if (!exchange.slot) return;
  auto slot = std::move(exchange.slot);
  exchange.slot.reset();
  release(*exchange.service, slot);
}

/// The replica failed it. Again, where that is safe and the client has seen nothing; else said.
void Worker::upstream_failed(Exchange& exchange, Failure failure) {
  auto& service = *exchange.service;
  auto* const upstream = std::exchange(exchange.upstream, nullptr);
  const bool stale = upstream->reused && failure == Failure::reset_before_head &&
                     exchange.response.empty() && exchange.interim == 0;
  const bool untouched = exchange.sent == 0;
  upstream->exchange = nullptr;
  close(*upstream);
  // A kept connection that was closed meanwhile is nobody's failure (C4).
  if (!stale) failed(service, *exchange.slot, failure);

  const bool unheard = failure == Failure::refused || failure == Failure::connect_timeout;
  const bool safe =
      unheard || (failure == Failure::reset_before_head && (exchange.idempotent || untouched));
  if (!exchange.answering && exchange.client->out.empty() && exchange.interim == 0 && safe &&
      exchange.repeatable && (unheard || stale || retry(exchange))) {
    return try_again(exchange, unheard, stale);
  }
  const auto code =
      failure == Failure::head_timeout || failure == Failure::connect_timeout ? 504 : 502;
  reply_and_end(exchange, failure, {code, proxy_error(failure), name(failure)});
}

/// To another replica, or once more to the same one: at once where only a kept connection was
/// lost, else after a moment, in which its end may become known. Where the replica has seen
/// nothing of it, it is as if it had never been sent, and waits where nobody else takes it (Z5).
void Worker::try_again(Exchange& exchange, bool unheard, bool stale) {
  auto& service = *exchange.service;
  const auto failed_one = exchange.slot;
  enter(exchange, Exchange::Phase::queued);
  leave(exchange);
  buffers_.give(exchange.response);
  exchange.fresh = stale;
  auto* const other = choose(service, stale ? nullptr : failed_one.get());
  if (other != nullptr) {
    exchange.slot = other->shared;
    return again(exchange, *other);
  }
  if (unheard || service.candidates.empty()) {
    hold(exchange, true);
    return;
  }
  pauses_.push_back({&exchange, exchange.generation, now_ + kPause});
}

/// Those whose pause is over.
void Worker::resume_paused() {
  while (!pauses_.empty() && pauses_.front().until <= now_) {
    const auto [exchange, generation, until] = pauses_.front();
    pauses_.pop_front();
    if (exchange->generation != generation) continue;
    auto* const any = choose(*exchange->service, nullptr);
    if (any != nullptr) {
      exchange->slot = any->shared;
      assign(*exchange, *any);
    } else {
      hold(*exchange, true);
    }
  }
}

/// Whether the limits allow another try.
bool Worker::retry(Exchange& exchange) {
  auto& service = *exchange.service;
  const auto& limits = service.settings->retries;
  if (exchange.retries >= limits.attempts || !service.budget.allow(now_, limits)) {
    bump<std::uint64_t>(service.counters.retries_denied);
    return false;
  }
  ++exchange.retries;
  bump<std::uint64_t>(service.counters.retries);
  return true;
}

/// Assigns it in the next turn: tries that fail at once must not nest.
void Worker::again(Exchange& exchange, LocalReplica& replica) {
  post([this, &exchange, &replica = *replica.shared, generation = exchange.generation] {
    if (exchange.generation != generation || !exchange.slot || exchange.upstream != nullptr ||
        exchange.slot.get() != &replica) {
      return;
    }
    const auto found = exchange.service->replicas.find(replica.id);
    if (found != exchange.service->replicas.end()) return assign(exchange, *found->second);
    leave(exchange);
    hold(exchange, true);
  });
}

void Worker::on_upstream_deadline(Upstream& upstream) {
  auto* const exchange = upstream.exchange;
  if (exchange == nullptr) return close(upstream);
  if (!upstream.connected) return upstream_failed(*exchange, Failure::connect_timeout);
  if (exchange->tunnel) return;
  // A client that does not read keeps its replica waiting: that is the client's deadline.
  if (!exchange->client->out.empty()) {
    return set_deadline(upstream, now_ + exchange->service->settings->timeouts.response_idle);
  }
  if (exchange->answering) return upstream_failed(*exchange, Failure::idle_timeout);
  if (exchange->body_done || exchange->sent < exchange->request.end) {
    return upstream_failed(*exchange, Failure::head_timeout);
  }
  await_answer(*exchange);
}

}  // namespace headroom::gateway
