#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <random>

#include "base/time.h"

namespace headroom::otlp {

/// When one that failed may be tried again: after 1 s, then twice as long each time, up to 30 s;
/// of that a random half may be missing, so that many do not come back at once.
class Backoff {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit Backoff(unsigned seed) : random_(seed) {}

  bool ready(Time now) const { return now >= retry_at_; }
  /// `told`: what the other side asked for.
  void failed(Time now, std::optional<Millis> told) {
    const auto least = wait_ / 2;
    std::uniform_int_distribution<Millis::rep> part(0, least.count());
    retry_at_ = now + told.value_or(least + Millis(part(random_)));
    wait_ = std::min<Millis>(2 * wait_, kMost);
  }
  void succeeded() {
    wait_ = kFirst;
    retry_at_ = {};
  }

 private:
  static constexpr Millis kFirst = 1s, kMost = 30s;
  std::minstd_rand random_;
  Millis wait_ = kFirst;
  Time retry_at_{};
};

}  // namespace headroom::otlp
