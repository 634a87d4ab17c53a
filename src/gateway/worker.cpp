#include "gateway/worker.h"

#include <cerrno>

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>

#include "base/check.h"

namespace headroom::gateway {
namespace {

constexpr int kEvents = 256;
constexpr Micros kHousekeeping = 20ms;
constexpr Micros kDrainLook = 2ms;
constexpr Micros kDemandEvery = 100ms;

}  // namespace

Worker::Worker(Common& common, int index)
    : common_(common),
      index_(index),
      tracer_(common.tracing ? &common.tracing->add() : nullptr),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      alarm_(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)),
      now_(steady_now()),
      wheel_(now_),
      in_(std::make_unique<char[]>(kScratch)),
      out_(std::make_unique<char[]>(4 * kScratch)),
      random_(std::random_device{}()) {
  check(epoll_ && wake_ && alarm_, "no descriptors for a gateway thread");
  epoll_event mail{EPOLLIN, {.ptr = &mailbox_source_}};
  epoll_event alarm{EPOLLIN | EPOLLET, {.ptr = &alarm_source_}};
  check(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &mail) == 0 &&
            ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, alarm_.get(), &alarm) == 0,
        "epoll_ctl");
}

Worker::~Worker() { stop(); }

void Worker::start() {
  thread_ = std::thread([this] { run(); });
  ::pthread_setname_np(thread_.native_handle(), ("gateway-" + std::to_string(index_)).c_str());
}

void Worker::stop() {
  if (!thread_.joinable()) return;
  stopping_.store(true);
  post([] {});
  thread_.join();
}

void Worker::post(std::function<void()> what) {
  bool first = false;
  {
    const std::lock_guard lock(mailbox_mutex_);
    first = mailbox_.empty();
    mailbox_.push_back(std::move(what));
  }
  if (!first) return;
  const std::uint64_t one = 1;
  static_cast<void>(::write(wake_.get(), &one, sizeof one));
}

void Worker::run() {
  while (!stopping_.load()) turn();
  for (auto& [id, service] : services_) {
    close_clients(id, Which::all);
    for (auto& [replica_id, replica] : service->replicas) {
      while (replica->open.linked()) close(owner_of<Upstream>(replica->open.next));
    }
    listen(*service, false);
  }
  bury();
}

/// Sees to it that the loop wakes when there is something to do by the clock; false where that is
/// now. A time limit given to epoll_wait would be set up and torn down for each request, which in
/// a virtual machine costs more than reading a head does; a timer that is already set for no
/// later costs nothing.
bool Worker::arm_timer() {
  if (!queue_.empty() || !grants_.empty()) return false;
  const int wait = wheel_.wait(now_);
  Time wanted = wait < 0 ? kNever : now_ + std::chrono::milliseconds(wait);
  if (waiting_ > 0 || paused_) wanted = std::min(wanted, now_ + kHousekeeping);
  if (!drains_.empty()) wanted = std::min(wanted, now_ + kDrainLook);
  if (!pauses_.empty()) wanted = std::min(wanted, pauses_.front().until);
  if (wanted >= armed_) return true;
  armed_ = wanted;
  const auto since_boot = wanted.time_since_epoch();
  itimerspec at{};
  at.it_value.tv_sec = since_boot / Micros{1s};
  at.it_value.tv_nsec = (since_boot % Micros{1s}).count() * 1000 + 1;
  check(::timerfd_settime(alarm_.get(), TFD_TIMER_ABSTIME, &at, nullptr) == 0, "timerfd_settime");
  return true;
}

void Worker::turn() {
  epoll_event events[kEvents];
  const int count = ::epoll_wait(epoll_.get(), events, kEvents, arm_timer() ? -1 : 0);
  now_ = steady_now();
  for (int i = 0; i < count; ++i) {
    on_event(events[i].events, *static_cast<Source*>(events[i].data.ptr));
  }
  run_queue();
  wheel_.advance(
      now_, [this](Timed& timed) { on_deadline(*static_cast<Connection::Timer&>(timed).owner); });
  housekeep();
  bury();
}

void Worker::on_event(std::uint32_t events, Source& source) {
  switch (source.kind) {
    case Source::Kind::mailbox:
      return read_mailbox();
    case Source::Kind::alarm:
      armed_ = kNever;
      return;
    case Source::Kind::listener:
      return accept(*static_cast<WorkerService::Listener&>(source).service);
    case Source::Kind::client:
    case Source::Kind::upstream:
      break;
  }
  auto& connection = static_cast<Connection&>(source);
  if (connection.closed) return;
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) connection.readable = true;
  if (events & EPOLLOUT) connection.writable = true;
  if (events & (EPOLLRDHUP | EPOLLHUP)) connection.hangup = true;
  // A client whose sides have both ended may still have bytes to be read.
  const bool replica = source.kind == Source::Kind::upstream;
  if (events & (replica ? EPOLLERR | EPOLLHUP : EPOLLERR)) connection.broken = true;
  enqueue(connection);
}

void Worker::enqueue(Connection& connection) {
  if (connection.queued) return;
  connection.queued = true;
  queue_.push_back(&connection);
}

void Worker::run_queue() {
  std::swap(queue_, running_);
  for (auto* connection : running_) {
    connection->queued = false;
    if (!connection->closed) process(*connection);
  }
  running_.clear();
  if (grants_.empty()) return;
  const auto grants = std::exchange(grants_, {});
  for (const auto& [exchange, generation] : grants) granted(*exchange, generation);
}

void Worker::process(Connection& connection) {
  if (connection.kind == Source::Kind::client) {
    on_client(static_cast<Client&>(connection));
  } else {
    on_upstream(static_cast<Upstream&>(connection));
  }
}

void Worker::on_deadline(Connection& connection) {
  if (connection.kind == Source::Kind::client) {
    on_client_deadline(static_cast<Client&>(connection));
  } else {
    on_upstream_deadline(static_cast<Upstream&>(connection));
  }
}

void Worker::read_mailbox() {
  std::uint64_t count = 0;
  static_cast<void>(::read(wake_.get(), &count, sizeof count));
  std::vector<std::function<void()>> letters;
  {
    const std::lock_guard lock(mailbox_mutex_);
    letters.swap(mailbox_);
  }
  for (const auto& letter : letters) letter();
}

/// What has to be looked at now and then, while there is any of it.
void Worker::housekeep() {
  if (!drains_.empty()) housekeep_drains();
  if (!pauses_.empty()) resume_paused();
  if ((waiting_ == 0 && !paused_) || now_ - housekept_ < kHousekeeping) return;
  housekept_ = now_;
  if (paused_) {
    paused_ = false;
    listen_again();
  }
  const bool demand = now_ - demanded_ >= kDemandEvery;
  if (demand) demanded_ = now_;
  for (auto& [id, service] : services_) {
    if (service->counters.waiting.load(std::memory_order_relaxed) == 0) continue;
    pump_hold(*service);
    if (demand && common_.demand) common_.demand(id);
  }
}

/// B7: all threads have confirmed → requests finish → tunnels close → done. At the deadline what
/// is left is cut.
void Worker::housekeep_drains() {
  std::erase_if(drains_, [this](Drain& drain) {
    using Phase = Drain::Phase;
    const auto to_all = [&](auto what) {
      for (auto& worker : common_.workers)
        worker->post([&worker = *worker, what] { what(worker); });
    };
    const auto service = drain.service;
    const auto id = drain.replica->id;
    if (drain.unconfirmed->load() > 0) return false;
    const auto open = drain.replica->outstanding.load();
    if (open == 0) {
      drain.done(drain.replica->cut.load());
      return true;
    }
    if (drain.phase != Phase::cut && std::chrono::steady_clock::now() >= drain.deadline) {
      drain.phase = Phase::cut;
      to_all([service, id](Worker& worker) { worker.cut(service, id); });
    } else if (drain.phase == Phase::requests && open == drain.replica->tunnels.load()) {
      drain.phase = Phase::tunnels;
      to_all([service, id](Worker& worker) { worker.close_tunnels(service, id); });
    }
    return false;
  });
}

/// Frees what was closed in this turn; until now an event of the same turn could still name it.
void Worker::bury() {
  for (auto* connection : dead_) {
    if (connection->queued) std::erase(queue_, connection);
    if (connection->kind == Source::Kind::client) {
      delete static_cast<Client*>(connection);
    } else {
      delete static_cast<Upstream*>(connection);
    }
  }
  dead_.clear();
  if (!std::exchange(forget_, false)) return;
  for (auto& [id, service] : services_) {
    std::erase_if(service->replicas, [](const auto& entry) {
      return !entry.second->current && !entry.second->open.linked();
    });
  }
}

bool Worker::watch(Connection& connection, std::uint32_t events) {
  epoll_event event{events | EPOLLET, {.ptr = static_cast<Source*>(&connection)}};
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connection.fd, &event) == 0;
}

std::string_view Worker::date() {
  const auto second = now_.time_since_epoch() / Micros{1s};
  if (second != date_second_) {
    date_second_ = second;
    const std::time_t wall = ::time(nullptr);
    std::tm utc{};
    ::gmtime_r(&wall, &utc);
    std::strftime(date_, sizeof date_, "%a, %d %b %Y %H:%M:%S GMT", &utc);
  }
  return {date_, 29};
}

WorkerService* Worker::find(ServiceId id) {
  const auto found = services_.find(id);
  return found == services_.end() ? nullptr : found->second.get();
}

// What control asks for.

void Worker::add(std::shared_ptr<WorkerService> service) {
  auto& added = *service;
  services_.emplace(added.shared->id, std::move(service));
  if (!common_.deaf) listen(added, true);
}

void Worker::listen_again() {
  if (common_.deaf) return;
  for (auto& [id, service] : services_) listen(*service, !service->closing);
}

void Worker::reconfigure(ServiceId id, std::shared_ptr<const Settings> settings,
                         std::shared_ptr<Fd> socket) {
  auto* const service = find(id);
  if (service == nullptr) return;
  service->settings = std::move(settings);
  service->trusted.clear();
  for (const auto& block : service->settings->trusted_proxies) {
    if (auto cidr = parse_cidr(block)) service->trusted.push_back(*cidr);
  }
  if (!socket) return;
  listen(*service, false);
  service->socket = std::move(socket);
  listen(*service, true);
}

void Worker::set_backends(ServiceId id, const Replicas& replicas) {
  auto* const service = find(id);
  if (service == nullptr) return;
  for (auto* const candidate : service->candidates) candidate->current = false;
  service->candidates.clear();
  for (const auto& shared : replicas) {
    auto& local = service->replicas[shared->id];
    if (!local) local = std::make_unique<LocalReplica>(service, shared);
    local->current = true;
    service->candidates.push_back(local.get());
  }
  for (auto& [replica_id, local] : service->replicas) {
    if (local->current) continue;
    while (local->idle.linked()) close(owner_of<Upstream>(local->idle.next));
    forget_ = true;
  }
  count_panic(*service);
  pump_hold(*service);
}

void Worker::gone(ServiceId id, ReplicaId replica) {
  auto* const service = find(id);
  if (service == nullptr) return;
  const auto found = service->replicas.find(replica);
  if (found == service->replicas.end()) return;
  auto& local = *found->second;
  for (Link* link = local.open.next; link != &local.open;) {
    auto& upstream = owner_of<Upstream>(link);
    link = link->next;
    auto* const exchange = upstream.exchange;
    if (exchange == nullptr) {
      close(upstream);
      continue;
    }
    // Its last bytes may be here already: what they complete has not failed. An answer that has
    // begun goes on to the end that the kernel gives it.
    upstream.readable = true;
    const auto generation = exchange->generation;
    pump(*exchange);
    if (upstream.closed || exchange->generation != generation || upstream.exchange != exchange ||
        exchange->answering) {
      continue;
    }
    upstream_failed(*exchange, upstream.connected ? Failure::reset_before_head : Failure::refused);
  }
  forget_ = true;
}

void Worker::close_listener(ServiceId id, bool patient) {
  auto* const service = find(id);
  if (service == nullptr || service->closing) return;
  // The whole backlog, which is taken in turns: who has connected is answered.
  for (int i = 0; i < 64 && !patient; ++i) accept(*service);
  service->closing = true;
  service->patient = patient;
  listen(*service, false);
  service->socket.reset();
}

std::uint64_t Worker::close_clients(ServiceId id, Which which) {
  auto* const service = find(id);
  if (service == nullptr) return 0;
  std::uint64_t cut = 0;
  const bool all = which == Which::all;
  service->patient = false;
  for (Link* link = service->clients.next; link != &service->clients;) {
    auto& client = owner_of<Client>(link);
    link = link->next;
    if (all && client.exchange != nullptr) {
      if (!client.exchange->tunnel) ++cut;
      fail(*client.exchange, Failure::drain_cut);
    } else if (all) {
      close(client);
    } else if (client.state == Client::State::idle) {
      client.readable = true;  // a request may be here that nobody has told us of yet
      enqueue(client);
    } else if (which == Which::idle_and_tunnels && client.exchange != nullptr &&
               client.exchange->tunnel) {
      fail(*client.exchange, Failure::drain_cut);
    }
  }
  return cut;
}

std::uint64_t Worker::refuse_waiting(ServiceId id) {
  auto* const service = find(id);
  if (service == nullptr) return 0;
  std::uint64_t refused = 0;
  for (Link* link = service->clients.next; link != &service->clients;) {
    auto* const exchange = owner_of<Client>(link).exchange;
    link = link->next;
    if (exchange == nullptr || !exchange->waiting) continue;
    ++refused;
    reply_and_end(*exchange, Failure::drain_cut,
                  {503, "destination_unavailable", "drain_cut", true});
  }
  return refused;
}

void Worker::close_tunnels(ServiceId id, ReplicaId replica) {
  auto* const service = find(id);
  if (service == nullptr) return;
  const auto found = service->replicas.find(replica);
  if (found == service->replicas.end()) return;
  for (Link* link = found->second->open.next; link != &found->second->open;) {
    auto& upstream = owner_of<Upstream>(link);
    link = link->next;
    if (upstream.exchange != nullptr && upstream.exchange->tunnel) {
      fail(*upstream.exchange, Failure::drain_cut);
    }
  }
}

void Worker::cut(ServiceId id, ReplicaId replica) {
  auto* const service = find(id);
  if (service == nullptr) return;
  const auto found = service->replicas.find(replica);
  if (found == service->replicas.end()) return;
  while (found->second->open.linked()) {
    auto& upstream = owner_of<Upstream>(found->second->open.next);
    if (upstream.exchange == nullptr) {
      close(upstream);
    } else {
      // Before it counts as gone: whoever sees that nothing is outstanding sees all that was cut.
      if (!upstream.exchange->tunnel) found->second->shared->cut.fetch_add(1);
      fail(*upstream.exchange, Failure::drain_cut);
    }
  }
}

}  // namespace headroom::gateway
