#pragma once

#include <optional>

#include "base/time.h"
#include "decide/memory.h"
#include "policy/autoscaler.h"

namespace headroom::decide {

/// HPA v2's `behavior` with its defaults filled in; `given` is whether the document has one.
/// Without it upstream stabilises and limits by other rules, which are not these defaults.
struct Rules {
  bool given = false;
  Millis up_window = 0s;
  Millis down_window = 300s;
  policy::ScalingRules up, down;  // with policies
};
Rules rules_of(const std::optional<policy::Behavior>& behavior);

struct Change {
  Replicas current, wanted;
};

/// Damps flapping: goes from current to wanted only as far as the remembered recommendations
/// allow, and remembers `wanted`. The first call remembers `current`, too.
/// With a behavior: between the lowest of the up window and the highest of the down window, an
/// entry exactly as old as its window not counted. Without: the highest of the last 300 s, an
/// entry exactly as old counted (upstream's windows differ so).
/// Errors: none. Bound: what is remembered is what can still win, at most two entries for each
/// number that occurred.
/// Source: HPA v2, horizontal.go, stabilizeRecommendation[WithBehaviors].
Replicas stabilise(Change change, const Rules& rules, Instant now,
                   std::vector<Recommendation>& past);

}  // namespace headroom::decide
