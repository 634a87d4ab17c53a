#include "decide/concurrency.h"

#include <algorithm>
#include <cmath>

#include "decide/kpa.h"
#include "decide/rounding.h"
#include "decide/steps.h"
#include "decide/waiting.h"
#include "decide/window.h"
#include "decide/words.h"

namespace headroom::decide {
namespace {

using Stage = Step::Stage;

/// The most that was ready in this slot: looking four times as often must not let
/// maxScaleDownRate act four times.
std::int32_t ready_in_slot(std::int32_t ready, Instant now, ConcurrencyMemory& memory) {
  const std::int64_t slot = kpa_slot(now);
  if (memory.rate_slot != slot) memory.rate_ready = {0};
  memory.rate_slot = slot;
  memory.rate_ready.count = std::max(memory.rate_ready.count, ready);
  return memory.rate_ready.count;
}

struct Averages {
  double stable = 0;
  double panic = 0;
};

/// The rules that moved the number, in their order.
void add_steps(const KpaSettings& settings, const Averages& averages, const KpaAnswer& answer,
               const ConcurrencyMemory& remembered, Instant now, Chain& chain) {
  const KpaMemory& memory = remembered.kpa;
  if (answer.limited > chain.number()) {
    chain.move(Stage::recommend, step::kScaleDownRate, answer.limited,
               {settings.max_scale_down_rate, static_cast<double>(remembered.rate_ready.count)});
  } else {
    chain.move(Stage::recommend, step::kScaleUpRate, answer.limited, {settings.max_scale_up_rate});
  }
  chain.move(Stage::recommend, step::kActivationScale, answer.activated,
             {static_cast<double>(settings.activation_scale)});
  const Millis since = now - memory.panic_since.value_or(now);
  if (memory.from_start) {
    chain.move(Stage::recommend, step::kStartHeld, answer.panicked,
               {in_seconds(settings.window - since)});
  } else {
    chain.move(Stage::recommend, step::kPanic, answer.panicked,
               {averages.panic, settings.target, static_cast<double>(answer.panic_wants.count),
                in_seconds(since)});
  }
  chain.move(Stage::recommend, step::kScaleDownDelay, answer.desired,
             {in_seconds(settings.scale_down_delay)});
}

/// targetBurstCapacity: so many that the load and the burst fit into them at once.
void keep_room(const KpaSettings& settings, const Averages& averages, Chain& chain) {
  if (!(settings.target_burst_capacity > 0)) return;
  const Replicas wanted =
      ceil_replicas((averages.panic + settings.target_burst_capacity) / settings.total);
  chain.move(Stage::recommend, step::kTargetBurstCapacity, std::max(wanted, chain.number()),
             {settings.target_burst_capacity, settings.total});
}

/// What waiting requests needed is held for a window: by then the average has seen them, too.
/// Without that the number would fall as soon as nothing waits and the next burst would wait again.
void raise(const policy::Concurrency& policy, const KpaSettings& settings, const Load& load,
           const Observation& observation, ConcurrencyMemory& memory, Chain& chain) {
  auto& raised = memory.raised;
  const Instant now = observation.now;
  std::erase_if(raised, [&](const Recommendation& r) { return now - r.at >= settings.window; });
  const auto needed = needed_for_waiting(policy, load);
  if (needed) {
    // How fast one goes down is no matter of what waits.
    KpaRates rates = kpa_rates(settings, {.ready = observation.ready()});
    rates.down = 0;
    const Replicas wanted =
        kpa_activated(settings, needed->count, kpa_within(rates, needed->count));
    while (!raised.empty() && raised.back().replicas <= wanted) raised.pop_back();
    raised.push_back({now, wanted});
  }
  if (raised.empty() || raised.front().replicas <= chain.number()) return;
  const auto& [at, held] = raised.front();
  if (at == now) {
    chain.link(Stage::recommend, step::kWaiting, held,
               {static_cast<double>(load.waiting), static_cast<double>(load.running),
                open_per_replica(policy).value_or(settings.target)});
  } else {
    chain.link(Stage::recommend, step::kWaitingHeld, held,
               {in_seconds(now - at), in_seconds(settings.window)});
  }
}

/// One sample stands for the seconds it was taken over. Seconds that nobody measured (Headroom was
/// down) are not zeros: they are taken to have been as the last one measured, so that a restart
/// under load does not look like a fall of the load.
void record_load(Window& window, Instant now, Millis over, double value) {
  const std::int64_t second = second_of(now);
  const auto n = static_cast<std::int64_t>(window.buckets.size());
  if (window.written && second > window.last && second - window.last < n) {
    const std::int64_t measured_from = second_of(now - over) + 1;
    const double last = value_at(window, window.last).value_or(value);
    for (std::int64_t s = window.last + 1; s < second; ++s) {
      record(window, s, s >= measured_from ? value : last);
    }
  }
  record(window, second, value);
}

}  // namespace

std::optional<Absent> missing_load(const Observation& observation) {
  if (!observation.load) return observation.load.error();
  const Load& load = *observation.load;
  if (!std::isfinite(load.concurrency) || !std::isfinite(load.rate)) {
    return Absent{Absent::Reason::not_finite, "the load is not a number"};
  }
  if (load.concurrency < 0 || load.rate < 0 || load.waiting < 0 || load.running < 0) {
    return Absent{Absent::Reason::negative, "the load is negative"};
  }
  return std::nullopt;
}

Proposal propose_by_load(const policy::Concurrency& policy, const Observation& observation,
                         Replicas current, ConcurrencyMemory& memory) {
  const KpaSettings settings = settings_of(policy);
  Proposal proposal;
  Chain chain(proposal.steps, current);
  if (missing_load(observation)) {
    proposal.failure = "FailedGetLoad";
    chain.link(Stage::recommend, step::kLoadUnavailable, current);
    return proposal;
  }
  const Load& load = *observation.load;
  const Instant now = observation.now;
  const std::int64_t second = second_of(now);
  resize(memory.stable, settings.window / 1s, second);
  resize(memory.panic, settings.panic_window / 1s, second);
  // Nothing remembered: what was asked for is the best guess there is, so it is held for a window.
  // At zero nothing was, whatever the minimum is; looks there may be further apart than a window.
  if (covered(memory.stable, second) == 0) {
    kpa_start(std::min(current, observation.current).count, now, memory.kpa);
  }
  const double value = settings.rps ? load.rate : load.concurrency;
  record_load(memory.stable, now, load.over, value);
  record_load(memory.panic, now, load.over, value);

  const Averages averages{average(memory.stable, settings.weighted, second),
                          average(memory.panic, settings.weighted, second)};
  const std::int32_t ready = observation.ready();
  const KpaAnswer answer = kpa_decide(settings,
                                      {.stable = averages.stable,
                                       .panic = averages.panic,
                                       .ready = ready,
                                       .ready_for_down = ready_in_slot(ready, now, memory)},
                                      now, memory.kpa);
  chain.link(
      Stage::recommend, settings.rps ? step::kRequestRate : step::kConcurrency, answer.by_load,
      {averages.stable, static_cast<double>(covered(memory.stable, second)), settings.target});
  add_steps(settings, averages, answer, memory, now, chain);
  keep_room(settings, averages, chain);
  raise(policy, settings, load, observation, memory, chain);
  memory.last_answer = chain.number();
  proposal.replicas = chain.number();
  return proposal;
}

}  // namespace headroom::decide
