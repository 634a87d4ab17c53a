#pragma once

#include <optional>

#include "decide/memory.h"
#include "decide/observation.h"
#include "decide/proposal.h"
#include "policy/autoscaler.h"

namespace headroom::decide {

/// Why there is no load to decide by: none was measured, or it is no number.
std::optional<Absent> missing_load(const Observation& observation);

/// Records the load and proposes by it. An absent load is a failure and changes no memory.
Proposal propose_by_load(const policy::Concurrency& policy, const Observation& observation,
                         Replicas current, ConcurrencyMemory& memory);

}  // namespace headroom::decide
