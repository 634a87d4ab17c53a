#include "control/load_meter.h"

#include <algorithm>

namespace headroom::control {
namespace {

constexpr Millis kOver = 1s;
constexpr Millis kSpacing = 50ms;

}  // namespace

decide::Load LoadMeter::add(const LoadSample& sample) {
  // The oldest kept sample is the newest that is a whole second old, so the difference to it
  // covers the last second and no less.
  while (samples_.size() > 1 && samples_[1].at <= sample.at - kOver) samples_.pop_front();
  // After a gap, what happened since an idle sample happened just now: where nothing runs, the
  // gateway tells of the first request at once. Averaged over the gap a burst would vanish.
  if (!samples_.empty() && samples_[0].waiting + samples_[0].running == 0) {
    samples_[0].at = std::max(samples_[0].at, sample.at - kOver);
  }
  const LoadSample first = samples_.empty() ? sample : samples_.front();
  const LoadSample last = samples_.empty() ? sample : samples_.back();
  if (samples_.empty() || sample.at - last.at >= kSpacing) samples_.push_back(sample);

  const Millis over = sample.at - first.at;
  decide::Load load;
  load.waiting = sample.waiting;
  load.running = sample.running;
  load.over = std::max(over, 1ms);
  if (over > 0ms) {
    const double seconds = std::chrono::duration<double>(over).count();
    load.rate = static_cast<double>(sample.arrived - first.arrived) / seconds;
    load.concurrency =
        std::max(0.0, (sample.concurrency_seconds - first.concurrency_seconds) / seconds);
  } else {
    load.concurrency = static_cast<double>(sample.waiting + sample.running);
  }
  const bool active =
      sample.waiting + sample.running > 0 || (!samples_.empty() && sample.arrived > last.arrived);
  if (active) last_active_ = sample.at;
  load.last_active = last_active_;
  return load;
}

}  // namespace headroom::control
