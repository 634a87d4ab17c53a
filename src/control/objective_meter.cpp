#include "control/objective_meter.h"

namespace headroom::control {
namespace {

constexpr Millis kMarkEvery = 5s;

std::uint64_t within(const Histogram::Counts& counts, Millis latency) {
  const auto most = static_cast<std::uint64_t>(std::chrono::microseconds(latency).count());
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < Histogram::kBuckets && Histogram::upper_bound(i) <= most; ++i) {
    sum += counts.bucket[i];
  }
  return sum;
}

}  // namespace

void ObjectiveMeter::add(Instant now, const std::optional<policy::Objective>& objective,
                         const gateway::Snapshot& traffic) {
  const auto failed = traffic.service_failures();
  if (looked_ && objective) {
    auto since = traffic.duration;
    since -= duration_;
    all_.requests += since.total() + (failed - failed_);
    all_.within += within(since, objective->latency);
  }
  looked_ = true;
  duration_ = traffic.duration;
  failed_ = failed;
  if (objective_ != objective) marks_.clear();
  objective_ = objective;
  // A mark is of what had been counted by then, so that what comes after it can be told.
  if (marks_.empty() || now - marks_.back().at >= kMarkEvery) marks_.push_back({now, all_});
  while (marks_.size() > 1 && now - marks_[1].at >= kRecent) marks_.pop_front();
}

Judged ObjectiveMeter::recent() const {
  if (marks_.empty()) return {};
  const auto& begin = marks_.front().before;
  return {all_.requests - begin.requests, all_.within - begin.within};
}

}  // namespace headroom::control
