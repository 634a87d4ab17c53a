#include "base/histogram.h"

#include <numeric>

namespace headroom {

std::uint64_t Histogram::upper_bound(std::size_t index) {
  if (index < 16) return index;
  const auto octave = (index - 16) / 16;
  const auto step = (index - 16) % 16;
  return ((16 + step + 1) << octave) - 1;
}

Histogram::Counts Histogram::counts() const {
  Counts copy;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    copy.bucket[i] = counts_[i].load(std::memory_order_relaxed);
  }
  return copy;
}

Histogram::Counts& Histogram::Counts::operator+=(const Counts& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) bucket[i] += other.bucket[i];
  return *this;
}

Histogram::Counts& Histogram::Counts::operator-=(const Counts& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) bucket[i] -= other.bucket[i];
  return *this;
}

std::uint64_t Histogram::Counts::total() const {
  return std::accumulate(bucket.begin(), bucket.end(), std::uint64_t{0});
}

std::chrono::microseconds Histogram::Counts::quantile(double q) const {
  const auto all = total();
  if (all == 0) return std::chrono::microseconds{0};
  const auto wanted = static_cast<std::uint64_t>(q * static_cast<double>(all - 1)) + 1;
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += bucket[i];
    if (seen >= wanted) return std::chrono::microseconds{upper_bound(i)};
  }
  return std::chrono::microseconds{upper_bound(kBuckets - 1)};
}

}  // namespace headroom
