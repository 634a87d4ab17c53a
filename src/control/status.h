#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/objective_meter.h"
#include "control/step_meter.h"
#include "decide/decision.h"
#include "decide/memory.h"
#include "decide/observation.h"
#include "gateway/gateway.h"
#include "target/process.h"

namespace headroom::control {

/// A replica at one look.
struct ReplicaStatus {
  target::ReplicaId id = 0;
  target::Replica::State state = target::Replica::State::starting;
  pid_t pid = 0;                  // 0 while backing off
  Millis age{};                   // since its start
  std::optional<Millis> startup;  // of that, until it was ready; none: it has not been
  int restarts = 0;
  decide::Reading cpu;           // cores
  decide::Reading memory;        // bytes
  std::int64_t outstanding = 0;  // requests at it now
};

/// A latency objective, and how it is kept. It decides nothing.
struct ObjectiveStatus {
  policy::Objective wanted;
  std::optional<double> at_percentile_ms;  // of the last 5 to 10 s; none: no request
  Judged all;                              // since the start of this process
  Judged recent;                           // of the last ObjectiveMeter::kRecent
  /// Fewer of the recent ones were within it than are to be.
  bool missed() const {
    // Less a hair: 99.9 is no number of a computer's.
    return static_cast<double>(recent.within) * 100 <
           wanted.percentile * static_cast<double>(recent.requests) * (1 - 1e-12);
  }
};

/// One autoscaler at its newest look.
struct Status {
  static constexpr Millis kRecent = 1min;  // for failures

  std::string name;
  std::string listening;  // the gateway's address; empty: it has none
  Replicas minimum, maximum;
  /// Requests (or requests per second, where `by_rate`) that a ready replica is meant to have;
  /// 0: it is not scaled by them.
  double target = 0;
  bool by_rate = false;
  decide::Observation seen;
  decide::Decision decided;
  std::optional<std::int64_t> entry;         // of the decision in the journal; none: it waits
  std::optional<decide::Hold> hold;          // by an operator
  std::optional<gateway::Snapshot> traffic;  // counters since the start of this process
  std::uint64_t failed_recently = 0;         // of requests, by no doing of their clients
  std::optional<Latency> latency;            // of the last 5 to 10 s
  std::optional<ObjectiveStatus> objective;  // none: the policy has none
  std::uint64_t decisions = 0, ups = 0, downs = 0;  // since then: all, those that rescaled
  std::vector<ReplicaStatus> replicas;
  Millis watched{};  // for so long by this process
  /// When its counters began, by the wall clock of then: one that left the document and came back
  /// counts anew.
  std::int64_t begun_unix_ms = 0;
  bool ending = false;  // it was told to stop
};

/// The newest Status of each autoscaler. Written by the loop, read by any thread; a Status that
/// was handed out never changes.
class Board {
 public:
  void put(std::shared_ptr<const Status> status);
  void remove(const std::string& name);
  /// Of the journal: decisions that could not be written yet.
  void set_late(std::size_t decisions);
  /// Of the document: why what it says now is not what runs, as much as an event has room for; "":
  /// it is.
  void set_refused(std::string_view why);
  /// From now on the gateway refuses what is new. There is no way back.
  void set_stopping();

  std::vector<std::shared_ptr<const Status>> all() const;             // by name
  std::shared_ptr<const Status> find(const std::string& name) const;  // null: none of that name
  std::size_t late() const;
  std::string refused() const;
  bool stopping() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const Status>> statuses_;
  std::size_t late_ = 0;
  std::string refused_;
  bool stopping_ = false;
};

}  // namespace headroom::control
