#include "control/usage_meter.h"

#include <string>

namespace headroom::control {

using decide::Absent;
using decide::Measured;

namespace {

auto absent(Absent::Reason reason, const std::string& answer) {
  return tl::unexpected<Absent>(Absent{reason, answer});
}

}  // namespace

bool UsageMeter::due(Instant now) const {
  return samples_.empty() || now - samples_.back().at >= kSpacing;
}

void UsageMeter::add(Instant now, std::chrono::microseconds cpu, std::int64_t memory_bytes) {
  if (!due(now)) return;
  // Cumulative CPU that went back means another process: what was before says nothing of it.
  if (!samples_.empty() && cpu < samples_.back().cpu) samples_.clear();
  while (samples_.size() > 1 && samples_[1].at <= now - kWindow) samples_.pop_front();
  samples_.push_back({now, cpu, memory_bytes});
}

decide::Reading UsageMeter::cpu(Instant now) const {
  if (samples_.size() < 2) return absent(Absent::Reason::no_data, "not yet measured twice");
  const auto& first = samples_.front();
  const auto& last = samples_.back();
  if (now - last.at > kStale) {
    return absent(Absent::Reason::stale, "last read " + span_of(now - last.at) + " ago");
  }
  const Millis window = last.at - first.at;
  // µs of CPU per ms of time are thousandths of a core.
  return Measured{Quantity{(last.cpu - first.cpu).count() / window.count()}, last.at, window};
}

decide::Reading UsageMeter::memory(Instant now) const {
  if (samples_.empty()) return absent(Absent::Reason::no_data, "not yet measured");
  const auto& last = samples_.back();
  if (now - last.at > kStale) {
    return absent(Absent::Reason::stale, "last read " + span_of(now - last.at) + " ago");
  }
  return Measured{Quantity{last.memory_bytes * 1000}, last.at, 0ms};
}

}  // namespace headroom::control
