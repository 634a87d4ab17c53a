#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/histogram.h"

namespace headroom::bench {

using Nanos = std::int64_t;  // since the start of the run

/// Why a request got no answer.
enum class Failure : std::uint8_t {
  refused,              // no connection: refused, or failed otherwise
  reset_before_answer,  // reset or closed before any byte of an answer
  reset_in_answer,      // reset within it
  short_answer,         // closed in order before its end
  timeout,              // sent, not answered in time
  not_sent,             // the time was up before a connection was free
  bad_answer,           // not HTTP/1.1
  kCount
};
const char* name(Failure failure);

/// Times in whole microseconds: exact to 20 ms, within 6.25 % above.
class Latencies {
 public:
  void record(Nanos time);
  double quantile_micros(double q) const;
  double mean_micros() const { return total_ ? sum_ / static_cast<double>(total_) : 0; }
  double max_micros() const { return max_; }
  Histogram::Counts counts() const { return coarse_.counts(); }

 private:
  static constexpr std::size_t kFine = 20'000;
  std::vector<std::uint64_t> fine_ = std::vector<std::uint64_t>(kFine);
  Histogram coarse_;
  std::uint64_t total_ = 0;
  double sum_ = 0, max_ = 0;
};

/// Counts every request once: offered = answered + sum(failed) + open.
class Tally {
 public:
  struct Counts {
    std::uint64_t offered = 0, sent = 0, answered = 0;
    std::array<std::uint64_t, 600> status{};
    std::array<std::uint64_t, static_cast<std::size_t>(Failure::kCount)> failed{};
    std::uint64_t errors() const;    // answers with a status from 400 on
    std::uint64_t failures() const;  // without an answer
    Counts& operator+=(const Counts& other);
  };
  struct Replica {
    std::string id;
    Nanos first = 0;
    std::uint64_t answers = 0;
    std::int64_t slot = -1;  // the timeline's last slot it was seen in
  };
  struct Outcome {
    bool idempotent = true;
    int status = 0;
    Nanos latency = 0;  // since the request was due
    Nanos service = 0;  // since it was sent
    std::string_view replica, proxy_status;
  };

  void offered(bool idempotent) { ++of(idempotent).offered; }
  void sent(bool idempotent, Nanos now);
  void answered(const Outcome& outcome, Nanos now);
  void failed(bool idempotent, Failure failure, Nanos now);
  void connected() { ++connections_; }
  void closed_idle() { ++closed_idle_; }

  Counts total() const;
  bool clean() const;
  const Latencies& latency() const { return latency_; }
  std::size_t replicas() const { return replicas_.size(); }

  void print(std::FILE* to, double seconds, bool replicas) const;
  void print_json(std::FILE* to, double seconds) const;
  /// One line per 100 ms. False: the file cannot be written.
  bool write_timeline(const std::string& path) const;

 private:
  struct Slot {
    std::uint32_t sent = 0, answered = 0, failed = 0, replicas = 0;
  };
  static constexpr Nanos kSlot = 100'000'000;
  static constexpr std::size_t kMaxNames = 1000;  // replicas, kinds of errors

  Counts& of(bool idempotent) { return counts_[idempotent ? 0 : 1]; }
  Slot& slot(Nanos now);
  void seen(std::string_view replica, Nanos now);

  Counts counts_[2];
  Latencies latency_, service_;
  std::uint64_t connections_ = 0, closed_idle_ = 0;
  std::map<std::string, std::uint64_t, std::less<>> errors_;  // "503 <Proxy-Status>"
  std::map<std::string, std::size_t, std::less<>> replica_index_;
  std::vector<Replica> replicas_;
  std::vector<Slot> timeline_;
};

}  // namespace headroom::bench
