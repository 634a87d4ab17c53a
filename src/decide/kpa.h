#pragma once

#include <cstdint>

#include "base/time.h"
#include "decide/memory.h"
#include "policy/knative.h"

/// Knative's KPA, exactly: from averages and ready replicas to a number. No words and, once its
/// memory has its size, no allocation. Source: Knative Serving, autoscaler/scaling/autoscaler.go,
/// rules of release 1.23 (D2 to D9 below).
namespace headroom::decide {

using policy::KpaSettings;

struct KpaLoad {
  double stable = 0;  // averages over the two windows
  double panic = 0;
  std::int32_t ready = 0;
  /// What maxScaleDownRate divides: upstream's is `ready`.
  std::int32_t ready_for_down = 0;
};

/// The number after each rule; where two neighbours differ, the later one's rule moved it.
struct KpaAnswer {
  Replicas by_load;               // the stable average by the target
  Replicas limited;               // D2: by the rates, which go by what is ready
  Replicas activated;             // D3: activationScale, a floor under any load
  Replicas panicked;              // D5, D6: while panicking the peak
  Replicas desired;               // D8: the largest of scaleDownDelay
  Replicas panic_wants;           // the panic average's, after D2 and D3
  std::int32_t excess_burst = 0;  // D9: what is ready beyond load and targetBurstCapacity
};

/// D7: with more than one ready replica and nothing remembered, their number is held as a panic's
/// peak is.
void kpa_start(std::int32_t ready, Instant now, KpaMemory& memory);

/// One decision; upstream makes one every 2 s, and counts scaleDownDelay in such slots of `now`.
/// Where the averages or the ready replicas are unknown, do not call it: the last answer stands.
/// Bound: remembers at most one number per slot of scaleDownDelay.
KpaAnswer kpa_decide(const KpaSettings& settings, const KpaLoad& load, Instant now,
                     KpaMemory& memory);

/// The furthest from what is ready that one decision goes.
struct KpaRates {
  double up = 0;
  double down = 0;
};
KpaRates kpa_rates(const KpaSettings& settings, const KpaLoad& load);

/// D2 and D3 on what a load asks for.
Replicas kpa_within(const KpaRates& rates, double load_wants);
Replicas kpa_activated(const KpaSettings& settings, double load_wants, Replicas limited);

/// The slot of 2 s that `now` lies in.
std::int64_t kpa_slot(Instant now);

}  // namespace headroom::decide
