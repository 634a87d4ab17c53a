#pragma once

#include <cstdint>
#include <optional>

#include "base/histogram.h"
#include "base/time.h"
#include "control/lately.h"
#include "gateway/gateway.h"
#include "policy/autoscaler.h"

namespace headroom::control {

/// How many requests were held against a latency objective, and how many of them were within.
struct Judged {
  std::uint64_t requests = 0, within = 0;
  bool operator==(const Judged&) const = default;
  Judged operator-(const Judged& before) const {
    return {requests - before.requests, within - before.within};
  }
  Judged& operator+=(const Judged& more) {
    requests += more.requests;
    within += more.within;
    return *this;
  }
};

/// Holds the gateway's cumulative counters against the objective there is at each look: what came
/// since the look before. A request is within where it was answered, and the bucket of its
/// duration ends at the latency or below (so one up to 6 % faster may count as above). One that
/// failed is not, unless it was its client that ended or spoilt it: that one does not count.
/// Bounded: keeps a mark per 5 s of the last 5 min.
class ObjectiveMeter {
 public:
  static constexpr Millis kRecent = 5min;

  /// What an earlier life judged from `at` on, before the first look: recent, too. In order of
  /// time.
  void resume(Instant at, const policy::Objective& objective, Judged judged);

  /// Looks come in order of time. Those without an objective are of no request.
  void add(Instant now, const std::optional<policy::Objective>& objective,
           const gateway::Snapshot& traffic);

  Judged all() const { return all_; }  // since the first look
  /// Of the last 5 min before the newest look, 5 s more or less; of those since the objective is
  /// what it is.
  Judged recent() const { return recent_.grown(); }

 private:
  bool looked_ = false;
  std::optional<policy::Objective> objective_;
  Histogram::Counts duration_;
  std::uint64_t failed_ = 0;
  Judged all_;
  Judged counted_;  // with what was resumed
  Lately<Judged> recent_{kRecent, 5s};
};

}  // namespace headroom::control
