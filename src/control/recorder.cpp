#include "control/recorder.h"

#include "base/log.h"

namespace headroom::control {

bool Recorder::flush() {
  while (!waiting_.empty()) {
    const auto& late = waiting_.front();
    if (!journal_.record(late.autoscaler, late.observation, late.decision, late.memory)) return false;
    waiting_.pop_front();
  }
  return true;
}

void Recorder::failed(const Error& error, Instant now) {
  if (complained_ != Instant{} && now - complained_ < 60s) return;
  complained_ = now;
  log::error("journal: {}; scaling goes on, {} decisions wait to be written{}", to_string(error),
             waiting_.size(), dropped_ > 0 ? fmt::format(", {} were dropped", dropped_) : "");
}

void Recorder::record(const std::string& autoscaler, const decide::Observation& observation,
                      const decide::Decision& decision, const decide::Memory& memory) {
  if (!waiting_.empty() && flush()) {
    log::info("journal: writable again; all decisions are written{}",
              dropped_ > 0 ? fmt::format(" but {} that were dropped", dropped_) : "");
    dropped_ = 0;
    complained_ = {};
  }
  if (waiting_.empty()) {
    const auto written = journal_.record(autoscaler, observation, decision, memory);
    if (written) return;
    waiting_.push_back({autoscaler, observation, decision, memory});
    failed(written.error(), observation.now);
    return;
  }
  // Decisions that change nothing make room for those that do.
  if (!decision.rescales() && waiting_.back().autoscaler == autoscaler &&
      !waiting_.back().decision.rescales()) {
    waiting_.pop_back();
  }
  if (waiting_.size() >= kKept) {
    waiting_.pop_front();
    ++dropped_;
  }
  waiting_.push_back({autoscaler, observation, decision, memory});
  failed({Code::unavailable, "still cannot be written"}, observation.now);
}

void Recorder::startup(const std::string& autoscaler, Millis took) {
  // Losing one start-up time changes no decision; a failure shows with the next record.
  static_cast<void>(journal_.startup(autoscaler, took));
}

}  // namespace headroom::control
