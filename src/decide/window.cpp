#include "decide/window.h"

#include <algorithm>
#include <cmath>

namespace headroom::decide {
namespace {

/// The first second of a window that was emptied: the next sample of another second is its first.
constexpr std::int64_t kLongAgo = -(std::int64_t{1} << 50);

std::int64_t length(const Window& window) {
  return static_cast<std::int64_t>(window.buckets.size());
}

std::size_t index(std::int64_t second, std::int64_t length) {
  return static_cast<std::size_t>(((second % length) + length) % length);
}

/// Makes room for a sample of `second` and gives its bucket; none where it is too old.
double* bucket_for(Window& window, std::int64_t second) {
  const std::int64_t n = length(window);
  if (n == 0) return nullptr;
  if (!window.written || second - window.last >= n) {
    std::ranges::fill(window.buckets, 0.0);
    window.first = window.last = second;
    window.written = true;
  } else if (second <= window.last - n) {
    return nullptr;
  }
  if (window.first == kLongAgo && second != window.last) window.first = second;
  while (window.last < second) window.buckets[index(++window.last, n)] = 0.0;
  window.first = std::min(window.first, second);
  return &window.buckets[index(second, n)];
}

}  // namespace

std::int64_t second_of(Instant at) {
  return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
}

void resize(Window& window, std::int64_t seconds, std::int64_t now) {
  const std::int64_t wanted = std::clamp<std::int64_t>(seconds, 1, kMostBuckets);
  const std::int64_t had = length(window);
  if (wanted == had) return;
  std::vector<double> buckets(static_cast<std::size_t>(wanted), 0.0);
  if (window.written) {
    const bool runs = now - window.last <= had;
    const std::int64_t kept = runs ? std::min(had, wanted) : 0;
    for (std::int64_t back = 0; back < kept; ++back) {
      const std::int64_t second = window.last - back;
      buckets[index(second, wanted)] = window.buckets[index(second, had)];
    }
    window.first = runs ? window.last - (had - 1) : kLongAgo;
  }
  window.buckets = std::move(buckets);
}

void record(Window& window, std::int64_t second, double value) {
  if (double* const bucket = bucket_for(window, second)) *bucket = value;
}

void add(Window& window, std::int64_t second, double value) {
  if (double* const bucket = bucket_for(window, second)) *bucket += value;
}

std::optional<double> value_at(const Window& window, std::int64_t second) {
  const std::int64_t n = length(window);
  if (!window.written || second > window.last || second <= window.last - n) return std::nullopt;
  return window.buckets[index(second, n)];
}

bool empty(const Window& window, std::int64_t now) {
  return !window.written || now - window.last > length(window);
}

std::int64_t covered(const Window& window, std::int64_t now) {
  if (!window.written) return 0;
  const std::int64_t n = length(window);
  const std::int64_t age = std::max<std::int64_t>(0, now - window.last);
  if (age >= n) return 0;
  return std::min(window.last - window.first + 1, n - age);
}

double linear_average(const Window& window, std::int64_t now) {
  const std::int64_t seconds = covered(window, now);
  if (seconds == 0) return 0;
  const std::int64_t n = length(window);
  const std::int64_t oldest = std::max(now, window.last) - n + 1;
  double sum = 0;
  for (std::int64_t second = oldest; second <= window.last; ++second) {
    sum += window.buckets[index(second, n)];
  }
  return std::round(sum / static_cast<double>(seconds) * 1e6) / 1e6;
}

double weighted_average(const Window& window, std::int64_t now) {
  const std::int64_t n = length(window);
  if (!window.written || now - window.last >= n) return 0;
  const double k = std::max(0.2, 1 - std::pow(0.0001, 1.0 / static_cast<double>(n)));
  double sum = 0;
  const std::int64_t newest = std::max(now, window.last);
  for (std::int64_t back = newest - window.last; back < n; ++back) {
    const std::int64_t second = newest - back;
    sum += k * std::pow(1 - k, static_cast<double>(back)) * window.buckets[index(second, n)];
  }
  return sum;
}

double average(const Window& window, bool weighted, std::int64_t now) {
  return weighted ? weighted_average(window, now) : linear_average(window, now);
}

}  // namespace headroom::decide
