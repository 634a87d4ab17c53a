#include "decide/concurrency.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "decide/rounding.h"
#include "decide/steps.h"
#include "decide/waiting.h"
#include "decide/window.h"
#include "decide/words.h"

namespace headroom::decide {
namespace {

using Stage = Step::Stage;

// Upstream decides, and counts its rates and slots, every 2 s.
constexpr Millis kSlot = 2s;

std::int64_t slot_of(Instant now) {
  const auto since = now.time_since_epoch();
  return (since - (since % kSlot + kSlot) % kSlot) / kSlot;
}

/// The most that was ready in this slot: looking four times as often must not let
/// maxScaleDownRate act four times.
std::int32_t ready_in_slot(std::int32_t ready, Instant now, ConcurrencyMemory& memory) {
  const std::int64_t slot = slot_of(now);
  if (memory.rate_slot != slot) memory.rate_ready = {0};
  memory.rate_slot = slot;
  memory.rate_ready.count = std::max(memory.rate_ready.count, ready);
  return memory.rate_ready.count;
}

struct Rates {
  Replicas up, down;
};

Replicas within(Replicas wanted, const Rates& rates) {
  return std::min(std::max(wanted, rates.down), rates.up);
}

void limit_stable(const KpaSettings& settings, const Rates& rates, Chain& chain) {
  const Replicas limited = within(chain.number(), rates);
  if (limited > chain.number()) {
    chain.add(Stage::recommend, step::kScaleDownRate, limited,
              fmt::format("at most divided by {} per 2 s {}", number(settings.max_scale_down_rate),
                          arrow(limited)));
  }
  if (limited < chain.number()) {
    chain.add(Stage::recommend, step::kScaleUpRate, limited,
              fmt::format("at most {} times what is ready {}", number(settings.max_scale_up_rate),
                          arrow(limited)));
  }
}

Replicas activation_floor(const KpaSettings& settings, Replicas load_wants, Replicas wanted) {
  if (settings.activation_scale <= 1 || load_wants.count <= 0) return wanted;
  return std::max(wanted, Replicas{settings.activation_scale});
}

const char* what(const KpaSettings& settings) {
  return settings.rps ? "requests per second" : "concurrency";
}

/// Knative's D5 and D6.
void panic(const KpaSettings& settings, const Averages& averages, bool over, Replicas wanted_panic,
           Instant now, ConcurrencyMemory& memory, Chain& chain) {
  if (over) {
    memory.panic_since = now;
  } else if (memory.panic_since && *memory.panic_since + settings.window < now) {
    memory.panic_since.reset();
    memory.panic_peak = {0};
  }
  if (!memory.panic_since) return;
  memory.panic_peak = std::max({memory.panic_peak, chain.number(), wanted_panic});
  chain.move(Stage::recommend, step::kPanic, memory.panic_peak, [&] {
    if (memory.panic_peak == wanted_panic) {
      return fmt::format("panic: {} {} over {} of {} per replica {}", what(settings),
                         number(averages.panic), seconds(settings.panic_window),
                         number(settings.target), arrow(memory.panic_peak));
    }
    return fmt::format("the peak of {} ago is held for {} {}", seconds(now - *memory.panic_since),
                       seconds(settings.window), arrow(memory.panic_peak));
  });
}

/// Knative's D8: the largest answer of the last slots, this one included.
void delay(const KpaSettings& settings, Instant now, ConcurrencyMemory& memory, Chain& chain) {
  if (settings.scale_down_delay <= 0ms) {
    memory.delay_slots.clear();
    return;
  }
  const auto size = static_cast<std::size_t>((settings.scale_down_delay + kSlot - 1ms) / kSlot);
  const std::int64_t slot = slot_of(now);
  auto& slots = memory.delay_slots;  // the newest slot is the last
  if (slots.empty()) memory.delay_last_slot = slot;
  const std::int64_t passed = std::max<std::int64_t>(0, slot - memory.delay_last_slot);
  slots.insert(slots.end(),
               static_cast<std::size_t>(std::min<std::int64_t>(passed + (slots.empty() ? 1 : 0),
                                                               static_cast<std::int64_t>(size))),
               Replicas{0});
  if (slots.size() > size) {
    slots.erase(slots.begin(), slots.end() - static_cast<std::ptrdiff_t>(size));
  }
  memory.delay_last_slot = std::max(memory.delay_last_slot, slot);
  slots.back() = std::max(slots.back(), chain.number());
  const Replicas largest = std::ranges::max(slots);
  chain.move(Stage::recommend, step::kScaleDownDelay, largest, [&] {
    return fmt::format("not down for {} {}", seconds(settings.scale_down_delay), arrow(largest));
  });
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
    const Replicas up =
        ceil_replicas(settings.max_scale_up_rate * std::max(1, observation.ready()));
    const Replicas wanted = activation_floor(settings, *needed, std::min(*needed, up));
    while (!raised.empty() && raised.back().replicas <= wanted) raised.pop_back();
    raised.push_back({now, wanted});
  }
  if (raised.empty() || raised.front().replicas <= chain.number()) return;
  const auto& [at, held] = raised.front();
  if (at == now) {
    chain.add(Stage::recommend, step::kWaiting, held,
              fmt::format("{} waiting and {} running now of {} per replica {}", load.waiting,
                          load.running, number(settings.target), arrow(held)));
  } else {
    chain.add(Stage::recommend, step::kWaitingHeld, held,
              fmt::format("requests waited {} ago, held for {} {}", seconds(now - at),
                          seconds(settings.window), arrow(held)));
  }
}

/// A load that is no number is no load.
std::optional<Absent> refuse(const Load& load) {
  if (!std::isfinite(load.concurrency) || !std::isfinite(load.rate)) {
    return Absent{Absent::Reason::not_finite, "the load is not a number"};
  }
  if (load.concurrency < 0 || load.rate < 0 || load.waiting < 0 || load.running < 0) {
    return Absent{Absent::Reason::negative, "the load is negative"};
  }
  return std::nullopt;
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

double average(const policy::Concurrency& policy, const Window& window, Instant now) {
  return policy.metric_aggregation_algorithm == policy::Concurrency::Aggregation::linear
             ? linear_average(window, second_of(now))
             : weighted_average(window, second_of(now));
}

std::int64_t whole_seconds(Millis duration) {
  return std::clamp<std::int64_t>(duration / 1s, 1, kMostBuckets);
}

}  // namespace

KpaSettings settings_of(const policy::Concurrency& policy) {
  KpaSettings settings;
  settings.rps = policy.metric == policy::Concurrency::Metric::rps;
  const double hard = policy.container_concurrency;
  double total = settings.rps ? 200 : hard > 0 ? hard : 100;
  if (policy.target) {
    total = !settings.rps && hard > 0 ? std::min(*policy.target, hard) : *policy.target;
  }
  settings.target = std::max(0.01, total * policy.target_utilization_percentage / 100);
  settings.window = std::chrono::seconds(whole_seconds(policy.window));
  const double panic_seconds =
      static_cast<double>(whole_seconds(policy.window)) * policy.panic_window_percentage / 100;
  settings.panic_window = std::chrono::seconds(std::clamp<std::int64_t>(
      static_cast<std::int64_t>(std::floor(panic_seconds + 0.5)), 1, kMostBuckets));
  settings.panic_threshold = policy.panic_threshold_percentage / 100;
  settings.max_scale_up_rate = policy.max_scale_up_rate;
  settings.max_scale_down_rate = policy.max_scale_down_rate;
  settings.activation_scale = policy.activation_scale;
  settings.scale_down_delay = policy.scale_down_delay;
  return settings;
}

Replicas kpa_answer(const KpaSettings& settings, const Averages& averages, std::int32_t ready,
                    Instant now, ConcurrencyMemory& memory, Chain& chain) {
  const double r = std::max(1, ready);
  const double most_ready = std::max(1, ready_in_slot(ready, now, memory));
  const Rates rates{ceil_replicas(settings.max_scale_up_rate * r),
                    to_replicas(std::floor(most_ready / settings.max_scale_down_rate))};
  const Replicas load_wants = chain.number();
  const Replicas panic_wants = ceil_replicas(averages.panic / settings.target);

  limit_stable(settings, rates, chain);
  const Replicas floor = activation_floor(settings, load_wants, chain.number());
  chain.move(Stage::recommend, step::kActivationScale, floor, [&] {
    return fmt::format("at least {} under load {}", settings.activation_scale, arrow(floor));
  });
  const bool over = panic_wants.count / r >= settings.panic_threshold;
  panic(settings, averages, over,
        activation_floor(settings, panic_wants, within(panic_wants, rates)), now, memory, chain);
  delay(settings, now, memory, chain);
  return chain.number();
}

Proposal propose_by_load(const policy::Concurrency& policy, const Observation& observation,
                         Replicas current, ConcurrencyMemory& memory) {
  const KpaSettings settings = settings_of(policy);
  Proposal proposal{.name = what(settings)};
  Chain chain(proposal.steps, current);
  std::optional<Absent> refused;
  if (!observation.load) {
    refused = observation.load.error();
  } else {
    refused = refuse(*observation.load);
  }
  if (refused) {
    proposal.failure = "FailedGetLoad";
    proposal.message = fmt::format("the gateway's load: {}", said(*refused));
    chain.add(Stage::recommend, step::kLoadUnavailable, current, proposal.message);
    return proposal;
  }
  const Load& load = *observation.load;
  const Instant now = observation.now;
  const std::int64_t second = second_of(now);
  resize(memory.stable, whole_seconds(settings.window), second);
  resize(memory.panic, whole_seconds(settings.panic_window), second);
  // Nothing remembered: what was asked for is the best guess there is, so it is held for a window.
  if (covered(memory.stable, second) == 0 && current.count > 1) {
    memory.panic_since = now;
    memory.panic_peak = current;
  }
  const double value = settings.rps ? load.rate : load.concurrency;
  record_load(memory.stable, now, load.over, value);
  record_load(memory.panic, now, load.over, value);

  const Averages averages{average(policy, memory.stable, now), average(policy, memory.panic, now)};
  const Replicas wanted = ceil_replicas(averages.stable / settings.target);
  chain.add(
      Stage::recommend, settings.rps ? step::kRequestRate : step::kConcurrency, wanted,
      fmt::format("{} {} over {} of {} per replica {}", what(settings), number(averages.stable),
                  seconds(std::chrono::seconds(covered(memory.stable, second))),
                  number(settings.target), arrow(wanted)));
  kpa_answer(settings, averages, observation.ready(), now, memory, chain);
  raise(policy, settings, load, observation, memory, chain);
  memory.last_answer = chain.number();
  proposal.replicas = chain.number();
  return proposal;
}

}  // namespace headroom::decide
