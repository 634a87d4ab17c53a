#pragma once

#include "decide/decision.h"
#include "decide/observation.h"
#include "policy/autoscaler.h"

namespace headroom::decide {

/// Fills in the texts of steps and conditions that have none: short, with numbers and units.
/// `policy` and `observation` are those that the decision was made from.
void put_into_words(const policy::Autoscaler& policy, const Observation& observation,
                    Decision& decision);

}  // namespace headroom::decide
