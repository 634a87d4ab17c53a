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

void ObjectiveMeter::resume(Instant at, const policy::Objective& objective, Judged judged) {
  if (objective_ != objective) recent_.forget();
  objective_ = objective;
  recent_.add(at, counted_);
  counted_ += judged;
}

void ObjectiveMeter::add(Instant now, const std::optional<policy::Objective>& objective,
                         const gateway::Snapshot& traffic) {
  const auto failed = traffic.service_failures();
  if (looked_ && objective) {
    auto since = traffic.duration;
    since -= duration_;
    const Judged judged{since.total() + (failed - failed_), within(since, objective->latency)};
    all_ += judged;
    counted_ += judged;
  }
  looked_ = true;
  duration_ = traffic.duration;
  failed_ = failed;
  if (objective_ != objective) recent_.forget();
  objective_ = objective;
  recent_.add(now, counted_);
}

}  // namespace headroom::control
