#pragma once

#include <optional>

#include "decide/observation.h"
#include "policy/autoscaler.h"

namespace headroom::decide {

/// How many open requests a replica is meant to have; nullopt: the policy says nothing of that.
std::optional<double> open_per_replica(const policy::Concurrency& policy);

/// Headroom's own fast step: what the requests that are open right now need, where some of them
/// wait. An average knows of a burst only after it has lasted; a request that waits is there now.
/// nullopt: nothing waits, or the policy gives no number of requests per replica.
std::optional<Replicas> needed_for_waiting(const policy::Concurrency& policy, const Load& load);

}  // namespace headroom::decide
