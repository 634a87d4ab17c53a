#include "decide/kpa.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "decide/rounding.h"

namespace headroom::decide {
namespace {

constexpr Millis kSlot = 2s;

/// D5 and D6.
Replicas panicked(const KpaSettings& settings, bool over, const KpaAnswer& answer, Instant now,
                  KpaMemory& memory) {
  if (over) {
    memory.panic_since = now;
    memory.from_start = false;
  } else if (memory.panic_since && *memory.panic_since + settings.window < now) {
    memory.panic_since.reset();
    memory.panic_peak = {0};
    memory.from_start = false;
  }
  if (!memory.panic_since) return answer.activated;
  const Replicas wanted = std::max(answer.activated, answer.panic_wants);
  if (wanted > memory.panic_peak) {
    memory.panic_peak = wanted;
    memory.from_start = false;
  }
  return memory.panic_peak;
}

/// D8. What is not above a newer number, or below one of its slot, can no longer be the largest; so
/// what is kept falls.
Replicas delayed(const KpaSettings& settings, Replicas wanted, Instant now, KpaMemory& memory) {
  auto& answers = memory.delayed;
  if (settings.scale_down_delay <= 0ms) {
    answers.clear();
    return wanted;
  }
  if (!settings.reachable) return wanted;  // nor is it remembered
  const std::int64_t slots = (settings.scale_down_delay + kSlot - 1ms) / kSlot;
  const std::int64_t slot = kpa_slot(now);
  std::erase_if(answers, [&](const SlotAnswer& answer) {
    return answer.slot <= slot - slots || answer.replicas <= wanted;
  });
  if (answers.empty() || answers.back().slot != slot) answers.push_back({slot, wanted});
  return answers.front().replicas;
}

/// D9. The number of ready replicas counts as it is, 0 included.
std::int32_t excess_burst(const KpaSettings& settings, const KpaLoad& load) {
  if (settings.target_burst_capacity == 0) return 0;
  if (settings.target_burst_capacity < 0) return -1;
  const double excess =
      std::floor(load.ready * settings.total - settings.target_burst_capacity - load.panic);
  constexpr double kMost = std::numeric_limits<std::int32_t>::max();
  return static_cast<std::int32_t>(std::clamp(excess, -kMost, kMost));
}

}  // namespace

std::int64_t kpa_slot(Instant now) {
  const auto since = now.time_since_epoch();
  return (since - (since % kSlot + kSlot) % kSlot) / kSlot;
}

KpaRates kpa_rates(const KpaSettings& settings, const KpaLoad& load) {
  const double down = std::max(1, load.ready_for_down);
  return {std::ceil(settings.max_scale_up_rate * std::max(1, load.ready)),
          settings.reachable ? std::floor(down / settings.max_scale_down_rate) : 0};
}

Replicas kpa_within(const KpaRates& rates, double load_wants) {
  return to_replicas(std::min(std::max(load_wants, rates.down), rates.up));
}

Replicas kpa_activated(const KpaSettings& settings, double load_wants, Replicas limited) {
  if (settings.activation_scale <= 1 || !(load_wants > 0)) return limited;
  return std::max(limited, Replicas{settings.activation_scale});
}

void kpa_start(std::int32_t ready, Instant now, KpaMemory& memory) {
  if (ready <= 1) return;
  memory.panic_since = now;
  memory.panic_peak = {ready};
  memory.from_start = true;
}

KpaAnswer kpa_decide(const KpaSettings& settings, const KpaLoad& load, Instant now,
                     KpaMemory& memory) {
  const KpaRates rates = kpa_rates(settings, load);
  const double stable_wants = std::ceil(load.stable / settings.target);
  const double panic_wants = std::ceil(load.panic / settings.target);
  KpaAnswer answer;
  answer.by_load = to_replicas(stable_wants);
  answer.limited = kpa_within(rates, stable_wants);
  answer.activated = kpa_activated(settings, stable_wants, answer.limited);
  answer.panic_wants = kpa_activated(settings, panic_wants, kpa_within(rates, panic_wants));
  const bool over = panic_wants / std::max(1, load.ready) >= settings.panic_threshold;  // D4
  answer.panicked = panicked(settings, over, answer, now, memory);
  answer.desired = delayed(settings, answer.panicked, now, memory);
  answer.excess_burst = excess_burst(settings, load);
  return answer;
}

}  // namespace headroom::decide
