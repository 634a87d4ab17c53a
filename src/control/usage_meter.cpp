#include "control/usage_meter.h"

namespace headroom::control {

using decide::Absent;
using decide::Measured;

bool UsageMeter::due(Instant now) const {
  return samples_.empty() || now - samples_.back().at >= kSpacing;
}

void UsageMeter::add(Instant now, std::chrono::microseconds cpu, std::int64_t memory_bytes) {
  // Cumulative CPU that went back means another process: what was before says nothing of it.
  if (!samples_.empty() && cpu < samples_.back().cpu) samples_.clear();
  while (samples_.size() > 1 && samples_[1].at <= now - kWindow) samples_.pop_front();
  samples_.push_back({now, cpu, memory_bytes});
}

decide::Reading UsageMeter::cpu() const {
  if (samples_.size() < 2) return tl::unexpected<Absent>(Absent{Absent::Reason::no_data, ""});
  const auto& first = samples_.front();
  const auto& last = samples_.back();
  const Millis window = last.at - first.at;
  // µs of CPU per ms of time are thousandths of a core.
  return Measured{Quantity{(last.cpu - first.cpu).count() / window.count()}, last.at, window};
}

decide::Reading UsageMeter::memory() const {
  if (samples_.empty()) return tl::unexpected<Absent>(Absent{Absent::Reason::no_data, ""});
  return Measured{Quantity{samples_.back().memory_bytes * 1000}, samples_.back().at, 0ms};
}

}  // namespace headroom::control
