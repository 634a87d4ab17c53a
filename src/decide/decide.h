#pragma once

#include "decide/decision.h"
#include "decide/memory.h"
#include "decide/observation.h"
#include "policy/autoscaler.h"

namespace headroom::decide {

/// How many replicas, and why. Pure: no clock, no I/O, no threads; the same arguments give
/// the same answer. The order is the design's: recommend, combine, activate, stabilise, limit.
/// Errors: none; what could not be read is a step.
Decision decide(const policy::Autoscaler& policy, const Observation& observation, Memory& memory);

}  // namespace headroom::decide
