#include "control/step_meter.h"

#include <algorithm>

namespace headroom::control {
namespace {

constexpr std::int64_t kStep = journal::kSampleStep.count();

double ms_at(const Histogram::Counts& counts, double quantile) {
  return std::chrono::duration<double, std::milli>(counts.quantile(quantile)).count();
}

std::optional<Latency> latency_of(const Histogram::Counts& from, const Histogram::Counts& to) {
  auto between = to;
  between -= from;
  if (between.total() == 0) return std::nullopt;
  return Latency{ms_at(between, 0.5), ms_at(between, 0.95), ms_at(between, 0.99)};
}

/// What is aimed at, as a look has it.
void aim(journal::Sample& sample, const Look& look) {
  sample.target = look.target;
  sample.by_rate = look.by_rate;
  sample.objective_ms = look.objective_ms;
  sample.objective_percentile = look.objective_percentile;
}

}  // namespace

void StepMeter::Mean::add(std::optional<double> value) {
  if (!value) return;
  sum += *value;
  ++count;
}

std::optional<double> StepMeter::Mean::get() const {
  if (count == 0) return std::nullopt;
  return sum / count;
}

void StepMeter::begin(std::int64_t unix_ms) {
  before_ = step_ ? step_->duration : last_.duration;
  step_ = Step{};  // emplace() is more than clang 14 knows of it
  step_->unix_ms = unix_ms;
  step_->failed = last_.failed;
  step_->judged = last_.judged;
  step_->within = last_.within;
  step_->duration = last_.duration;
}

journal::Sample StepMeter::ended() const {
  const auto latency = latency_of(step_->duration, last_.duration);
  journal::Sample sample{.unix_ms = step_->unix_ms,
                         .wanted = step_->wanted,
                         .ready = step_->ready,
                         .waiting = step_->waiting,
                         .failed = static_cast<std::int64_t>(last_.failed - step_->failed),
                         .concurrency = step_->concurrency.get(),
                         .rate = step_->rate.get(),
                         .cpu = step_->cpu.get(),
                         .memory = step_->memory.get()};
  aim(sample, last_);
  sample.judged = static_cast<std::int64_t>(last_.judged - step_->judged);
  sample.within = static_cast<std::int64_t>(last_.within - step_->within);
  if (latency) {
    sample.p50_ms = latency->p50_ms;
    sample.p95_ms = latency->p95_ms;
    sample.p99_ms = latency->p99_ms;
  }
  if (earlier_ && earlier_->unix_ms == sample.unix_ms) journal::add(sample, *earlier_);
  return sample;
}

std::optional<journal::Sample> StepMeter::so_far() const {
  if (!step_) return std::nullopt;
  return ended();
}

void StepMeter::fill(std::int64_t until, std::vector<journal::Sample>& samples) const {
  if (until - step_->unix_ms > kGap.count()) return;
  for (auto at = step_->unix_ms + kStep; at < until; at += kStep) {
    samples.push_back({.unix_ms = at,
                       .wanted = last_.wanted,
                       .ready = last_.ready,
                       .waiting = last_.waiting,
                       .concurrency = last_.concurrency,
                       .rate = last_.rate,
                       .cpu = last_.cpu,
                       .memory = last_.memory});
    aim(samples.back(), last_);
  }
}

std::vector<journal::Sample> StepMeter::add(const Look& look) {
  std::vector<journal::Sample> samples;
  const auto at = look.unix_ms - look.unix_ms % kStep;
  if (!step_) {
    last_ = look;  // what was counted before the first look is of no step
    begin(at);
  } else if (step_->unix_ms != at) {
    samples.push_back(ended());
    fill(at, samples);
    begin(at);
  }
  last_ = look;
  step_->wanted = std::max(step_->wanted, look.wanted);
  step_->ready = std::max(step_->ready, look.ready);
  step_->waiting = std::max(step_->waiting, look.waiting);
  step_->concurrency.add(look.concurrency);
  step_->rate.add(look.rate);
  step_->cpu.add(look.cpu);
  step_->memory.add(look.memory);
  return samples;
}

std::optional<Latency> StepMeter::latency() const { return latency_of(before_, last_.duration); }

std::optional<double> StepMeter::latency_at(double quantile) const {
  auto between = last_.duration;
  between -= before_;
  if (between.total() == 0) return std::nullopt;
  return ms_at(between, quantile);
}

}  // namespace headroom::control
