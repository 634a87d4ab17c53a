#include "gateway/worker.h"

namespace headroom::gateway {
namespace {

constexpr std::int32_t kUntilFirstAnswer = 64;  // Z4: a replica gets at most this many before it
constexpr std::int32_t kFailuresInRow = 3;      // B5
constexpr Micros kRefusedAlone = 1s;
constexpr Micros kOnlyRefusedAlone = 50ms;  // the only replica: nothing else can answer
constexpr Micros kEjectedFor = 5s, kEjectedAtMost = 60s;
constexpr Micros kPanicEvery = 100ms;

std::int64_t micros(Time time) { return time.time_since_epoch().count(); }

}  // namespace

bool Replica::acquire() {
  auto most = limit.load(std::memory_order_relaxed);
  if (!answered.load(std::memory_order_relaxed)) {
    most = most == 0 ? kUntilFirstAnswer : std::min(most, kUntilFirstAnswer);
  }
  if (most == 0) {
    outstanding.fetch_add(1);
    return true;
  }
  auto now = outstanding.load();
  while (now < most) {
    if (outstanding.compare_exchange_weak(now, now + 1)) return true;
  }
  return false;
}

RetryBudget::Second& RetryBudget::at(Time now) {
  const auto second = now.time_since_epoch() / Micros{1s};
  auto& slot = seconds_[static_cast<std::size_t>(second % kSeconds)];
  if (slot.second != second) slot = {second, 0, 0};
  return slot;
}

bool RetryBudget::allow(Time now, const Settings::Retries& limits) {
  const auto second = now.time_since_epoch() / Micros{1s};
  std::int64_t requests = 0, retries = 0;
  for (const auto& each : seconds_) {
    if (second - each.second >= kSeconds) continue;
    requests += each.requests;
    retries += each.retries;
  }
  const auto share = requests * limits.budget_percent / 100;
  if (retries >= std::max<std::int64_t>(share, limits.budget_minimum * kSeconds)) return false;
  ++at(now).retries;
  return true;
}

/// Neither left alone nor ejected. An ejected replica whose time is over gets one trial.
bool Worker::usable(WorkerService& service, Replica& replica) {
  if (micros(now_) < replica.left_alone_until.load(std::memory_order_relaxed)) return false;
  const auto ejected_until = replica.ejected_until.load(std::memory_order_relaxed);
  if (ejected_until == 0 || service.candidates.size() == 1) return true;
  if (now_ - service.panic_counted >= kPanicEvery) count_panic(service);
  if (service.panic) return true;
  if (micros(now_) < ejected_until) return false;
  return !replica.trying.load(std::memory_order_relaxed);
}

/// B6: whether so few would remain that ejection is ignored.
void Worker::count_panic(WorkerService& service) {
  service.panic_counted = now_;
  std::size_t ejected = 0;
  for (const auto* local : service.candidates) {
    if (local->shared->ejected_until.load(std::memory_order_relaxed) > micros(now_)) ++ejected;
  }
  const auto all = service.candidates.size();
  const bool panic = ejected > 0 && (all == 1 || (all - ejected) * 2 < all);
  if (panic && !service.panic) bump<std::uint64_t>(service.counters.panics);
  service.panic = panic;
}

/// B1: two distinct random draws, the one with fewer outstanding; where neither has room, any
/// that has. The slot is taken. Null: nobody has room but, perhaps, `avoid`.
LocalReplica* Worker::choose(WorkerService& service, const Replica* avoid) {
  const auto& all = service.candidates;
  if (all.empty()) return nullptr;
  const auto take = [&](LocalReplica* local) {
    auto& shared = *local->shared;
    if (!usable(service, shared) || !shared.acquire()) return false;
    if (shared.ejected_until.load(std::memory_order_relaxed) != 0) shared.trying.store(true);
    return true;
  };
  const auto count = all.size();
  if (count == 1) return all[0]->shared.get() != avoid && take(all[0]) ? all[0] : nullptr;

  const std::uint64_t draw = random_();
  const auto first = draw % count;
  auto second = (draw / count) % (count - 1);
  if (second >= first) ++second;
  auto *one = all[first], *other = all[second];
  if (other->shared->outstanding.load(std::memory_order_relaxed) <
      one->shared->outstanding.load(std::memory_order_relaxed)) {
    std::swap(one, other);
  }
  if (one->shared.get() != avoid && take(one)) return one;
  if (other->shared.get() != avoid && take(other)) return other;
  for (std::size_t i = 0; i < count; ++i) {
    auto* const any = all[(first + i) % count];
    if (any->shared.get() != avoid && take(any)) return any;
  }
  return nullptr;
}

void Worker::leave_alone(Replica& replica, Micros time) {
  replica.left_alone_until.store(micros(now_ + time), std::memory_order_relaxed);
}

void Worker::failed(WorkerService& service, Replica& replica, Failure failure) {
  if (failure == Failure::refused) {
    leave_alone(replica, service.candidates.size() > 1 ? kRefusedAlone : kOnlyRefusedAlone);
  }
  replica.trying.store(false);
  const bool again = replica.ejected_until.load(std::memory_order_relaxed) != 0;
  if (replica.failures_in_row.fetch_add(1) + 1 < kFailuresInRow && !again) return;
  if (micros(now_) < replica.ejected_until.load(std::memory_order_relaxed)) return;
  replica.failures_in_row.store(0);
  const auto times = replica.times_ejected.fetch_add(1) + 1;
  const auto time = std::min<Micros>(kEjectedFor * times, kEjectedAtMost);
  replica.ejected_until.store(micros(now_ + time), std::memory_order_relaxed);
  bump<std::uint64_t>(service.counters.ejections);
  count_panic(service);
}

void Worker::succeeded(Replica& replica) {
  if (!replica.answered.load(std::memory_order_relaxed)) replica.answered.store(true);
  if (replica.failures_in_row.load(std::memory_order_relaxed) != 0)
    replica.failures_in_row.store(0);
  if (replica.ejected_until.load(std::memory_order_relaxed) != 0) {
    replica.ejected_until.store(0);
    replica.times_ejected.store(0);
    replica.trying.store(false);
  }
}

/// Into the queue, at its end or, where it had a slot before, at its head. False: it is full.
bool Worker::hold(Exchange& exchange, bool in_front) {
  auto& service = *exchange.service;
  auto& hold = service.shared->hold;
  const auto& limits = service.settings->hold;
  const auto size = static_cast<std::int64_t>(exchange.request.size());
  bool first = false;
  {
    const std::lock_guard lock(hold.mutex);
    const auto count = hold.count.load(std::memory_order_relaxed);
    if (!in_front &&
        (count >= limits.max_requests || hold.bytes.load() + size > limits.max_bytes)) {
      return false;
    }
    first = count == 0;
    exchange.worker = this;
    exchange.granted.reset();
    if (in_front) {
      hold.queue.push_front(exchange);
    } else {
      hold.queue.push_back(exchange);
    }
    hold.count.fetch_add(1);
  }
  hold.bytes.fetch_add(size);
  exchange.hold_bytes = size;
  exchange.waiting = true;
  exchange.waits_since = now_;
  enter(exchange, service.candidates.empty() ? Exchange::Phase::held : Exchange::Phase::queued);
  if (exchange.hold_deadline == kNever) exchange.hold_deadline = now_ + limits.timeout;
  exchange.until_hold = exchange.hold_deadline;
  plan_deadline(exchange);
  ++waiting_;
  bump<std::int64_t>(service.counters.waiting);
  if (first && common_.demand) {
    demanded_ = now_;
    common_.demand(service.shared->id);
  }
  pump_hold(service);  // a slot may have come free since we looked
  return true;
}

/// Out of the queue, wherever it is: waiting, or with a slot that it has not heard of yet.
void Worker::unhold(Exchange& exchange) {
  if (!exchange.waiting) return;
  auto& service = *exchange.service;
  auto& hold = service.shared->hold;
  std::shared_ptr<Replica> slot;
  {
    const std::lock_guard lock(hold.mutex);
    if (exchange.linked()) {
      exchange.unlink();
      hold.count.fetch_sub(1);
    }
    slot = std::move(exchange.granted);
    exchange.granted.reset();
  }
  hold.bytes.fetch_sub(exchange.hold_bytes);
  exchange.hold_bytes = 0;
  exchange.waiting = false;
  exchange.until_hold = kNever;
  --waiting_;
  bump<std::int64_t>(service.counters.waiting, -1);
  if (slot) release(service, slot);
}

/// A slot is free again: it goes straight to the head of the queue.
void Worker::release(WorkerService& service, std::shared_ptr<Replica>& slot) {
  // A trial that ended without a verdict lets another one try.
  if (slot->ejected_until.load(std::memory_order_relaxed) != 0) slot->trying.store(false);
  slot->release();
  slot.reset();
  if (service.shared->hold.count.load() > 0) pump_hold(service);
}

/// Gives free slots to those that wait, in order.
void Worker::pump_hold(WorkerService& service) {
  auto& hold = service.shared->hold;
  if (hold.count.load() == 0) return;
  const std::lock_guard lock(hold.mutex);
  while (hold.queue.linked()) {
    auto* const local = choose(service, nullptr);
    if (local == nullptr) return;
    auto& head = static_cast<Exchange&>(*static_cast<Waiting*>(hold.queue.next));
    head.unlink();
    hold.count.fetch_sub(1);
    head.granted = local->shared;
    const auto generation = head.generation;
    if (head.worker == this) {
      grants_.emplace_back(&head, generation);
    } else {
      head.worker->post(
          [there = head.worker, &head, generation] { there->granted(head, generation); });
    }
  }
}

/// Its turn has come. It may have ended meanwhile: then unhold() gave the slot back.
void Worker::granted(Exchange& exchange, std::uint32_t generation) {
  if (exchange.generation != generation || !exchange.waiting) return;
  auto& service = *exchange.service;
  std::shared_ptr<Replica> slot;
  {
    const std::lock_guard lock(service.shared->hold.mutex);
    slot = std::move(exchange.granted);
    exchange.granted.reset();
  }
  if (!slot) return;  // an older grant of the same exchange, which waits again
  unhold(exchange);
  service.counters.hold.record(now_ - exchange.waits_since);
  auto& local = service.replicas[slot->id];
  // Another thread may have heard of it before us.
  if (!local) local = std::make_unique<LocalReplica>(&service, slot);
  exchange.slot = std::move(slot);
  assign(exchange, *local);
}

}  // namespace headroom::gateway
