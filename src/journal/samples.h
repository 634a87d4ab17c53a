#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "journal/journal.h"
#include "journal/store.h"

namespace headroom::journal {

/// The journal's samples, in a store of the journal's. `store` and `bounds` outlive it.
class Samples {
 public:
  Samples(Store& store, const Bounds& bounds) : store_(store), bounds_(bounds) {}

  /// True: what was taken before has been written.
  Result<bool> take(const std::string& autoscaler, Sample sample);
  /// Writes what was taken, in one transaction unless it is much, and makes room.
  Result<void> flush();
  Result<History> history(const std::string& autoscaler, std::int64_t since, std::int64_t until,
                          std::size_t most) const;
  /// The oldest leave until the bounds hold.
  Result<void> trim_by_size();

 private:
  /// The averages, and how many of the finest steps each is of.
  static constexpr std::array kAverages = {&Sample::concurrency, &Sample::rate, &Sample::cpu,
                                           &Sample::memory};
  static constexpr std::array kAims = {&Sample::target, &Sample::objective_ms,
                                       &Sample::objective_percentile};
  struct Row {
    Sample sample;
    std::array<std::int64_t, kAverages.size()> known{};
  };
  /// Of one autoscaler's at one level: those that begin at `from` or later, before `below`.
  struct Range {
    std::int64_t level = 0;
    const std::string& autoscaler;
    std::int64_t from = 0, below = 0;
  };
  static void fold(const Row& finer, Row& into);

  template <class Each>
  Result<void> each(const Range& range, const Each& take) const;
  /// Of their times the first and the last; none where there are none.
  struct Span {
    std::int64_t first = 0, last = 0;
  };
  Result<std::optional<Span>> span(const Range& range) const;
  /// Counts no further than `most` + 1.
  Result<std::int64_t> count(const Range& range, std::int64_t most) const;
  /// No coarser level has something older than this one, of `since` or later.
  Result<bool> reaches(std::int64_t level, const std::string& autoscaler, std::int64_t since) const;
  /// A step for at most `most` samples, of the coarsest level or folded further.
  Result<std::int64_t> step_for(const Range& range, std::int64_t most) const;
  Result<void> write(std::int64_t level, const std::string& autoscaler, const Row& row);
  Result<void> put(const std::string& autoscaler, const Sample& sample);
  Result<void> trim_by_age(std::int64_t now_unix_ms);

  Store& store_;
  const Bounds& bounds_;
  std::deque<std::pair<std::string, Sample>> taken_;  // not written yet, in order
  std::int64_t tried_ = -1;  // the step with whose first sample writing was tried
};

}  // namespace headroom::journal
