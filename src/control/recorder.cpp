#include "control/recorder.h"

#include <algorithm>

#include "base/log.h"
#include "control/clock.h"
#include "journal/life.h"

namespace headroom::control {

/// Writes what waits, as far as the journal takes it.
void Recorder::flush() {
  while (!waiting_.empty()) {
    const auto& late = waiting_.front();
    if (!journal_->record(late.autoscaler, late.observation, late.decision, late.memory)) return;
    waiting_.pop_front();
  }
  log::info("journal: writable again; all decisions are written{}",
            dropped_ > 0 ? fmt::format(" but {} that were dropped", dropped_) : "");
  dropped_ = 0;
  complained_.reset();
}

void Recorder::keep(Late late) {
  // Decisions that change nothing make room for those that do.
  if (!waiting_.empty() && waiting_.back().autoscaler == late.autoscaler &&
      !waiting_.back().decision.rescales() && !late.decision.rescales()) {
    waiting_.pop_back();
  }
  if (waiting_.size() >= kKept) {
    waiting_.pop_front();
    ++dropped_;
  }
  waiting_.push_back(std::move(late));
}

void Recorder::failed(const Error& error, Instant now) {
  if (complained_ && now - *complained_ < 60s) return;
  complained_ = now;
  log::error("journal: {}; scaling goes on, decisions that wait to be written: {}{}",
             to_string(error), waiting_.size(),
             dropped_ > 0 ? fmt::format(", dropped: {}", dropped_) : "");
}

std::optional<std::int64_t> Recorder::record(const std::string& autoscaler,
                                             const decide::Observation& observation,
                                             const decide::Decision& decision,
                                             const decide::Memory& memory) {
  if (!journal_) {
    keep({autoscaler, observation, decision, memory});
    return std::nullopt;
  }
  if (!waiting_.empty() && observation.now >= retry_at_) {
    flush();
    retry_at_ = observation.now + kRetry;
  }
  Error error{Code::unavailable, "still cannot be written", {}};
  if (waiting_.empty()) {
    const auto written = journal_->record(autoscaler, observation, decision, memory);
    if (written) return *written;
    error = written.error();
    retry_at_ = observation.now + kRetry;
  }
  keep({autoscaler, observation, decision, memory});
  failed(error, observation.now);
  return std::nullopt;
}

void Recorder::outcome(std::int64_t entry, const std::string& what) {
  // An outcome is told for people; a journal that fails shows with the next record.
  if (journal_) static_cast<void>(journal_->outcome(entry, what));
}

void Recorder::event(const std::string& autoscaler, journal::Event::Kind kind,
                     const std::string& text) {
  if (!journal_ || !waiting_.empty()) return;  // each attempt may block for as long as record()'s
  static_cast<void>(journal_->event(
      {.autoscaler = autoscaler, .unix_ms = unix_millis(), .kind = kind, .text = text}));
}

void Recorder::sample(const std::string& autoscaler, const journal::Sample& sample) {
  if (!journal_ || !waiting_.empty()) return;
  static_cast<void>(journal_->sample(autoscaler, sample));
}

Result<std::optional<journal::Restored>> Recorder::restore(const std::string& autoscaler) const {
  if (journal_) return journal_->restore(autoscaler);
  return fail({Code::unavailable, "the journal is closed", {}});
}

std::vector<journal::Sample> Recorder::samples(const std::string& autoscaler,
                                               std::int64_t since_unix_ms,
                                               std::int64_t until_unix_ms) const {
  if (!journal_) return {};
  auto history = journal_->history(autoscaler, since_unix_ms, until_unix_ms);
  return history ? std::move(history->samples) : std::vector<journal::Sample>();
}

bool Recorder::was_cut_off(const std::string& autoscaler) const {
  constexpr std::size_t kLooked = 1000;  // so many there may be since it started
  if (!journal_) return false;
  const auto newest = journal_->events({.autoscaler = autoscaler, .limit = kLooked});
  if (!newest) return false;
  const auto last = std::ranges::find_if(*newest, journal::is_of_life);
  return last != newest->end() && journal::begins_life(*last);
}

void Recorder::startup(const std::string& autoscaler, Millis took) {
  // Losing one start-up time changes no decision; a failure shows with the next record.
  if (journal_) static_cast<void>(journal_->startup(autoscaler, took));
}

Result<void> Recorder::begin() {
  auto begun = journal_->begin();
  if (!begun) journal_.reset();
  return begun;
}

Result<void> Recorder::close() {
  if (journal_ && !waiting_.empty()) flush();
  if (!waiting_.empty()) {
    return fail({Code::unavailable,
                 fmt::format("the journal does not take {} decisions that wait", waiting_.size()),
                 {}});
  }
  journal_.reset();
  return {};
}

Millis Recorder::usual_startup(const std::string& autoscaler) const {
  if (!journal_) return 1s;
  const auto usual = journal_->usual_startup(autoscaler);
  return usual && *usual ? **usual : 1s;
}

}  // namespace headroom::control
