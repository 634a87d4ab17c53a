#pragma once

#include <string>
#include <vector>

#include "policy/autoscaler.h"

namespace headroom::policy {

/// What is not the same in two documents, by the names of the fields, in their order:
/// "maxReplicas 4 → 8", "gateway.hold.timeout 60s → 5s", "objective added". Of texts and lists only
/// that they changed: they may be long, or secret.
std::vector<std::string> changes(const Autoscaler& before, const Autoscaler& after);

}  // namespace headroom::policy
