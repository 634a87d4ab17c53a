#pragma once

#include <string>
#include <vector>

#include "policy/autoscaler.h"
#include "policy/tree.h"

namespace headroom::policy {

/// Reads a Service of Knative's (serving.knative.dev/v1) as its webhook does in a cluster whose
/// config-autoscaler is the installed one, and makes of it what does the same on one machine: the
/// container's command behind a gateway, scaled by the KPA's rules.
/// `problems`: what the webhook refuses of the metadata and of what scales, and another class than
/// the KPA. `warnings`: annotations that are nobody's, and what has no counterpart. `left_behind`:
/// fields that say nothing about scaling, by their paths.
Autoscaler read_knative_service(const Node& document, Problems& problems, Problems& warnings,
                                std::vector<std::string>& left_behind);

}  // namespace headroom::policy
