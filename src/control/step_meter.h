#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/histogram.h"
#include "journal/journal.h"

namespace headroom::control {

/// An autoscaler at one look. Reals: none is unknown.
struct Look {
  std::int64_t unix_ms = 0;
  std::int32_t wanted = 0, ready = 0;
  std::int64_t waiting = 0;
  std::optional<double> concurrency, rate, cpu, memory;  // cpu, memory: of all replicas
  std::uint64_t failed = 0;                              // cumulative
  Histogram::Counts duration;                            // cumulative
  // What is aimed at, as the samples have it; `judged` and `within` are cumulative.
  std::optional<double> target;
  bool by_rate = false;
  std::optional<double> objective_ms, objective_percentile;
  std::uint64_t judged = 0, within = 0;
};

struct Latency {
  double p50_ms = 0, p95_ms = 0, p99_ms = 0;
  bool operator==(const Latency&) const = default;
};

/// Turns looks at any spacing into the journal's samples.
class StepMeter {
 public:
  /// Longer without a look is a gap; shorter (asleep at zero one looks rarely), and it was as
  /// the last look had it.
  static constexpr Millis kGap = 60s;

  /// What an earlier life wrote last: where its step goes on, it is part of it.
  void resume(const journal::Sample& earlier) { earlier_ = earlier; }

  /// The samples of the steps that this look ends: mostly none or one.
  std::vector<journal::Sample> add(const Look& look);
  /// Of the step that goes on, as far as it has come.
  std::optional<journal::Sample> so_far() const;

  /// Of the requests answered in this step and the one before; none where none was.
  std::optional<Latency> latency() const;
  /// The same, at one quantile (0..1).
  std::optional<double> latency_at(double quantile) const;

 private:
  struct Mean {
    double sum = 0;
    int count = 0;
    void add(std::optional<double> value);
    std::optional<double> get() const;
  };
  /// A step that goes on: its looks, and the counters when it began.
  struct Step {
    std::int64_t unix_ms = 0;
    std::int32_t wanted = 0, ready = 0;
    std::int64_t waiting = 0;
    Mean concurrency, rate, cpu, memory;
    std::uint64_t failed = 0, judged = 0, within = 0;
    Histogram::Counts duration;
  };

  void begin(std::int64_t unix_ms);
  journal::Sample ended() const;
  void fill(std::int64_t until, std::vector<journal::Sample>& samples) const;

  std::optional<Step> step_;
  Histogram::Counts before_;  // when the step before began
  Look last_;
  std::optional<journal::Sample> earlier_;
};

}  // namespace headroom::control
