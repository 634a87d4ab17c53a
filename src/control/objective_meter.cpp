#include "control/objective_meter.h"

namespace headroom::control {
namespace {

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
  if (objective_ != objective) recent_.forget();
  objective_ = objective;
  recent_.add(now, all_);
}

}  // namespace headroom::control
