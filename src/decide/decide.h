#pragma once

#include "decide/decision.h"
#include "decide/memory.h"
#include "decide/observation.h"
#include "decide/prepared.h"
#include "policy/autoscaler.h"

namespace headroom::decide {

/// How many replicas, and why. Pure: no clock, no I/O, no threads; the same arguments give
/// the same answer. The order is the design's: recommend, combine, activate, stabilise, limit.
/// What is asked for is taken to be done, and put into words.
/// Errors: none; what could not be read is a step.
Decision decide(const policy::Autoscaler& policy, const Observation& observation, Memory& memory);

/// The same for targets that may refuse, and for those who decide for many and explain a few:
/// decide_into(), then the scale is written where `decision.write` says so, then settle(). Neither
/// allocates where `memory` and `decision` have been used before and every source has answered
/// (for a policy without a gateway, and without external scalers). put_into_words() (explain.h)
/// makes the texts.
void decide_into(const Prepared& prepared, const Observation& observation, Memory& memory,
                 Decision& decision);
/// Prepares at each call where the policy has triggers.
void decide_into(const policy::Autoscaler& policy, const Observation& observation, Memory& memory,
                 Decision& decision);
void settle(const policy::Autoscaler& policy, const Observation& observation, bool refused,
            Memory& memory, Decision& decision);

}  // namespace headroom::decide
