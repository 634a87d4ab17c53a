#pragma once

#include <optional>

#include "decide/observation.h"
#include "policy/autoscaler.h"

namespace headroom::decide {

/// Headroom's own fast step: what the requests that are open right now need, where some of them
/// wait. An average knows of a burst only after it has lasted; a request that waits is there now.
/// nullopt: nothing waits, or the policy gives no number of requests per replica.
std::optional<Replicas> needed_for_waiting(const policy::Concurrency& policy, const Load& load);

}  // namespace headroom::decide
