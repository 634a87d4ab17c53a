#pragma once

#include <atomic>
#include <cstdint>

#include "base/histogram.h"
#include "gateway/gateway.h"
#include "gateway/wheel.h"

namespace headroom::gateway {

/// Adds to a counter that one thread writes and any reads.
template <class T>
void bump(std::atomic<T>& counter, T by = 1) {
  counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

/// How many requests one thread has open, and the exact time integral of that. One writer;
/// readers see a consistent state (a sequence lock whose data are atomics of their own).
class InFlight {
 public:
  void change(int by, Time now) {
    const auto sequence = sequence_.load(std::memory_order_relaxed);
    sequence_.store(sequence + 1, std::memory_order_relaxed);
    const auto open = open_.load(std::memory_order_relaxed);
    const auto since = since_.load(std::memory_order_relaxed);
    const auto at = now.time_since_epoch().count();
    integral_.store(integral_.load(std::memory_order_relaxed) + open * (at - since),
                    std::memory_order_release);
    since_.store(at, std::memory_order_release);
    open_.store(open + by, std::memory_order_release);
    sequence_.store(sequence + 2, std::memory_order_release);
  }

  struct State {
    std::int64_t open = 0;
    double seconds = 0;  // of requests being open, up to `now`
  };
  State read(Time now) const {
    for (;;) {
      const auto before = sequence_.load(std::memory_order_acquire);
      const auto open = open_.load(std::memory_order_acquire);
      const auto since = since_.load(std::memory_order_acquire);
      const auto integral = integral_.load(std::memory_order_acquire);
      if (before % 2 != 0 || sequence_.load(std::memory_order_relaxed) != before) continue;
      const auto rest = std::max<std::int64_t>(0, now.time_since_epoch().count() - since);
      return {open, static_cast<double>(integral + open * rest) / 1e6};
    }
  }

 private:
  std::atomic<std::uint32_t> sequence_{0};
  std::atomic<std::int64_t> open_{0}, since_{0}, integral_{0};  // µs
};

/// What one thread counts of one service; written by it alone.
struct Counters {
  std::atomic<std::uint64_t> arrived{0}, completed{0}, rejected{0};
  std::atomic<std::uint64_t> retries{0}, retries_denied{0}, ejections{0}, panics{0};
  std::atomic<std::uint64_t> failed[static_cast<std::size_t>(Failure::kCount)] = {};
  std::atomic<std::uint64_t> codes[6] = {};
  std::atomic<std::int64_t> waiting{0}, tunnels{0}, clients{0}, upstreams{0};
  InFlight in_flight;
  Histogram duration, hold;

  void add_to(Snapshot& sum, Time now) const;
};

}  // namespace headroom::gateway
