#include "load/client.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

namespace headroom::bench {
namespace {

constexpr Nanos kSecond = 1'000'000'000;
constexpr Nanos kSweep = 50'000'000;
constexpr std::uint64_t kSignal = ~std::uint64_t{0};
constexpr std::uint64_t kOpening = 64;  // idle: at once, so that no backlog overflows

std::int64_t monotonic() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kSecond + now.tv_nsec;
}

}  // namespace

Nanos Client::clock() const { return monotonic() - start_; }

Result<void> Client::open_epoll() {
  epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGINT);
  sigaddset(&stop, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  signals_.reset(::signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK));
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kSignal;
  if (!epoll_ || !signals_ || ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, signals_.get(), &event)) {
    return headroom::fail({Code::unavailable, fmt::format("epoll: {}", std::strerror(errno))});
  }
  return {};
}

Result<void> Client::run() {
  if (auto opened = open_epoll(); !opened) return opened;
  ::prctl(PR_SET_TIMERSLACK, 1000);  // the default wakes 50 us late
  connections_ = std::vector<Connection>(static_cast<std::size_t>(plan_.connections));
  for (auto i = connections_.size(); i-- > 0;) free_.push_back(static_cast<std::uint32_t>(i));
  if (plan_.schedule) due_ = plan_.schedule->next();
  start_ = monotonic();
  issue();
  while (!done()) turn();
  now_ = clock();
  return {};
}

bool Client::done() const {
  if (cut_) return true;
  if (open_requests_ > 0 || !queue_.empty()) return false;
  if (stopped_) return true;
  if (plan_.mode == Plan::Mode::open) return !due_;
  return plan_.mode == Plan::Mode::closed && plan_.requests > 0 && issued_ >= plan_.requests;
}

Nanos Client::next_wake() const {
  Nanos wake = swept_ + kSweep;
  if (due_ && !stopped_) wake = std::min(wake, *due_);
  return std::max<Nanos>(wake - clock(), 0);
}

void Client::turn() {
  epoll_event events[256];
  const Nanos wait = next_wake();
  const timespec timeout{.tv_sec = wait / kSecond, .tv_nsec = wait % kSecond};
  const int count = ::epoll_pwait2(epoll_.get(), events, std::size(events), &timeout, nullptr);
  now_ = clock();
  for (int i = 0; i < count; ++i) on_event(events[i]);
  if (plan_.duration > 0 && now_ >= plan_.duration) stopped_ = true;
  issue();
  if (now_ - swept_ < kSweep) return;
  swept_ = now_;
  expire();
  if (plan_.mode == Plan::Mode::idle && open_requests_ == 0 && !std::exchange(said_idle_, true)) {
    fmt::print(stderr, "idle: {} connections are open\n", open_connections_);
  }
  if (!plan_.quiet && now_ - reported_ >= kSecond) report();
}

/// Starts what is due.
void Client::issue() {
  if (stopped_) return;
  if (plan_.mode == Plan::Mode::open) {
    while (due_ && *due_ <= now_) {
      start(make(*due_));
      due_ = plan_.schedule->next();
    }
    return;
  }
  const bool idle = plan_.mode == Plan::Mode::idle;
  const auto connections = static_cast<std::uint64_t>(plan_.connections);
  const std::uint64_t total = idle ? connections : plan_.requests;
  const std::uint64_t at_once = idle ? kOpening : connections;
  while ((total == 0 || issued_ < total) && open_requests_ < at_once) {
    const std::uint64_t before = open_requests_;
    start(make(now_));
    if (open_requests_ == before) return;  // refused at once: the next sweep tries again
  }
}

Client::Request Client::make(Nanos due) {
  Request request{.due = due};
  post_credit_ += plan_.post_share;
  if (post_credit_ >= 1) {
    post_credit_ -= 1;
    request.idempotent = false;
  }
  ++issued_;
  tally_.offered(request.idempotent);
  return request;
}

void Client::start(const Request& request) {
  while (!idle_.empty()) {
    const auto [at, generation] = idle_.back();
    idle_.pop_back();
    Connection& c = connections_[at];
    if (c.state == State::idle && c.generation == generation) {
      ++open_requests_;
      return begin(c, request);
    }
  }
  if (free_.empty()) {
    queue_.push_back(request);
    return;
  }
  open(request);
}

void Client::open(const Request& request) {
  Connection& c = connections_[free_.back()];
  free_.pop_back();
  ++open_requests_;
  ++open_connections_;
  ++c.generation;
  c.state = State::connecting;
  c.request = request;
  c.offset = 0;
  c.answer.start();
  const int family = plan_.address.family();
  c.fd.reset(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  if (family != AF_UNIX) ::setsockopt(c.fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const int connected =
      c.fd ? ::connect(c.fd.get(), plan_.address.get(), plan_.address.length) : -1;
  if (connected != 0 && errno != EINPROGRESS) return fail(c, Failure::refused);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u64 = std::uint64_t{c.generation} << 32 | index(c);
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, c.fd.get(), &event);
  if (connected == 0) on_connected(c);
}

void Client::on_event(const epoll_event& event) {
  if (event.data.u64 == kSignal) return on_signal();
  Connection& c = connections_[event.data.u64 & 0xffffffff];
  if (c.state == State::closed || c.generation != event.data.u64 >> 32) return;
  if (c.state == State::connecting) {
    int error = 0;
    socklen_t length = sizeof error;
    ::getsockopt(c.fd.get(), SOL_SOCKET, SO_ERROR, &error, &length);
    errno = error;
    if (error != 0) return fail(c, Failure::refused);
    if (event.events & EPOLLOUT) on_connected(c);
  } else if ((event.events & EPOLLOUT) && c.state == State::busy) {
    send(c);
  }
  const bool closing = event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
  if (c.state != State::closed && (closing || (event.events & EPOLLIN))) receive(c, closing);
}

void Client::on_connected(Connection& c) {
  tally_.connected();
  begin(c, c.request);
}

void Client::begin(Connection& c, const Request& request) {
  c.state = State::busy;
  c.request = request;
  c.request.sent = plan_.mode == Plan::Mode::open ? clock() : now_;
  c.offset = 0;
  c.answer.start();
  tally_.sent(request.idempotent, c.request.sent);
  send(c);
}

void Client::send(Connection& c) {
  const std::string& request = bytes(c.request);
  while (c.offset < request.size()) {
    const ssize_t n =
        ::send(c.fd.get(), request.data() + c.offset, request.size() - c.offset, MSG_NOSIGNAL);
    if (n > 0) {
      c.offset += static_cast<std::size_t>(n);
    } else if (errno != EINTR) {
      // Blocked: an event follows. Failed: an answer may lie in the socket all the same (413);
      // reading, which the failure's event brings about, tells what it was.
      return;
    }
  }
}

void Client::receive(Connection& c, bool closing) {
  for (;;) {
    const ssize_t got = ::recv(c.fd.get(), scratch_.data(), scratch_.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (c.state == State::idle) {  // closed by the server, or bytes nobody asked for
      tally_.closed_idle();
      return close(c);
    }
    if (got < 0) {
      return fail(c, c.answer.begun() ? Failure::reset_in_answer : Failure::reset_before_answer);
    }
    if (got == 0) {
      if (c.answer.closed() == Answer::Progress::done) return finish(c, false);
      return fail(c, c.answer.begun() ? Failure::short_answer : Failure::reset_before_answer);
    }
    const auto progress = c.answer.read({scratch_.data(), static_cast<std::size_t>(got)});
    if (progress == Answer::Progress::bad) return fail(c, Failure::bad_answer);
    if (progress == Answer::Progress::done) return finish(c, !closing);
    if (static_cast<std::size_t>(got) < scratch_.size() && !closing) return;
  }
}

void Client::finish(Connection& c, bool reuse) {
  const Nanos now = plan_.mode == Plan::Mode::open ? clock() : now_;
  tally_.answered({.idempotent = c.request.idempotent,
                   .status = c.answer.status(),
                   .latency = now - c.request.due,
                   .service = now - c.request.sent,
                   .replica = c.answer.replica(),
                   .proxy_status = c.answer.proxy_status()},
                  now);
  --open_requests_;
  if (!reuse || !c.answer.keep_alive() || c.offset < bytes(c.request).size()) {
    close(c);
  } else {
    c.state = State::idle;
    if (plan_.mode != Plan::Mode::idle) idle_.emplace_back(index(c), c.generation);
  }
  next_from_queue();
}

void Client::fail(Connection& c, Failure failure) {
  if (failure == Failure::refused && !std::exchange(said_error_, true) && !plan_.quiet) {
    fmt::print(stderr, "cannot connect to {}: {}\n", to_string(plan_.address),
               std::strerror(errno));
  }
  tally_.failed(c.request.idempotent, failure, now_);
  --open_requests_;
  close(c);
  // Not on a refusal: each request in the queue would be refused in the same turn, one inside
  // the other. The sweep goes on with it.
  if (failure != Failure::refused) next_from_queue();
}

void Client::close(Connection& c) {
  c.fd.reset();
  c.state = State::closed;
  free_.push_back(index(c));
  --open_connections_;
}

void Client::next_from_queue() {
  if (queue_.empty()) return;
  const Request request = queue_.front();
  queue_.pop_front();
  start(request);
}

/// Gives up what has waited too long.
void Client::expire() {
  while (!queue_.empty() && now_ - queue_.front().due >= plan_.timeout) {
    tally_.failed(queue_.front().idempotent, Failure::not_sent, now_);
    queue_.pop_front();
  }
  for (Connection& c : connections_) {
    const bool open = c.state == State::busy || c.state == State::connecting;
    if (open && now_ - c.request.due >= plan_.timeout) fail(c, Failure::timeout);
  }
  for (auto room = std::min(queue_.size(), free_.size()); room > 0; --room) next_from_queue();
}

void Client::on_signal() {
  signalfd_siginfo info;
  while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
    cut_ = stopped_;
    stopped_ = true;
  }
}

void Client::report() {
  const double seconds = static_cast<double>(now_ - std::exchange(reported_, now_)) / 1e9;
  const Tally::Counts total = tally_.total();
  const Histogram::Counts latency = tally_.latency().counts();
  Histogram::Counts recent = latency;
  recent -= last_latency_;
  const auto per_second = [&](std::uint64_t now, std::uint64_t before) {
    return static_cast<double>(now - before) / seconds;
  };
  const auto millis = [&](double q) {
    return static_cast<double>(recent.quantile(q).count()) / 1000;
  };
  fmt::print(stderr,
             "{:5.0f} s  {:7.0f}/s sent  {:7.0f}/s answered  {:3} failed  p50 {:8.2f} ms  p99 "
             "{:8.2f} ms  {:4} connections  {:2} replicas seen{}\n",
             static_cast<double>(now_) / 1e9, per_second(total.sent, last_.sent),
             per_second(total.answered, last_.answered), total.failures() + total.errors(),
             millis(0.5), millis(0.99), open_connections_, tally_.replicas(),
             queue_.empty() ? "" : fmt::format("  {} wait for a connection", queue_.size()));
  last_ = total;
  last_latency_ = latency;
}

}  // namespace headroom::bench
