#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace headroom {

/// A latency distribution: log-linear buckets, 16 steps per octave (error at most
/// 6.25 %), 1 µs to 1 h. Cumulative: readers take two copies and subtract.
/// One writer, any number of readers (relaxed stores).
class Histogram {
 public:
  static constexpr std::size_t kBuckets = 16 + 16 * 28;  // 0..15 µs exactly, then octaves to > 1 h

  void record(std::chrono::microseconds value) {
    auto& bucket =
        counts_[index(static_cast<std::uint64_t>(value.count() < 0 ? 0 : value.count()))];
    bucket.store(bucket.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  /// A copy to compute on; adds and subtracts bucket by bucket.
  struct Counts {
    std::array<std::uint64_t, kBuckets> bucket{};
    Counts& operator+=(const Counts& other);
    Counts& operator-=(const Counts& other);
    std::uint64_t total() const;
    /// The upper bound of the bucket that holds quantile q (0..1); 0 where empty.
    std::chrono::microseconds quantile(double q) const;
  };
  Counts counts() const;

  static std::size_t index(std::uint64_t micros) {
    if (micros < 16) return micros;
    const int octave = 63 - __builtin_clzll(micros);  // >= 4
    const std::size_t at =
        16 + static_cast<std::size_t>(octave - 4) * 16 + ((micros >> (octave - 4)) & 15);
    return at < kBuckets ? at : kBuckets - 1;
  }
  /// The largest value that falls into the bucket.
  static std::uint64_t upper_bound(std::size_t index);

 private:
  std::array<std::atomic<std::uint64_t>, kBuckets> counts_{};
};

}  // namespace headroom
