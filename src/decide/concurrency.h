#pragma once

#include "decide/memory.h"
#include "decide/observation.h"
#include "decide/proposal.h"
#include "policy/autoscaler.h"

namespace headroom::decide {

/// What deciding by load goes by, made from the policy.
struct KpaSettings {
  double target = 70;  // per replica, utilisation taken off
  Millis window = 60s;
  Millis panic_window = 6s;
  double panic_threshold = 2;  // a fraction
  double max_scale_up_rate = 1000;
  double max_scale_down_rate = 2;
  std::int32_t activation_scale = 0;  // 0: off
  Millis scale_down_delay = 0s;
  bool rps = false;
};
KpaSettings settings_of(const policy::Concurrency& policy);

struct Averages {
  double stable = 0;
  double panic = 0;
};

/// Knative's KPA: from the averages and the ready replicas to a number, growing `chain` by what
/// moved it. Errors: none. Source: Knative Serving, autoscaler/scaling, rules of release 1.23.
Replicas kpa_answer(const KpaSettings& settings, const Averages& averages, std::int32_t ready,
                    Instant now, ConcurrencyMemory& memory, Chain& chain);

/// Records the load and proposes by it. An absent load is a failure and changes no memory.
Proposal propose_by_load(const policy::Concurrency& policy, const Observation& observation,
                         Replicas current, ConcurrencyMemory& memory);

}  // namespace headroom::decide
