#pragma once

#include <span>
#include <vector>

#include "base/time.h"
#include "decide/memory.h"
#include "policy/autoscaler.h"

namespace headroom::decide {

/// How fast one direction may go.
struct Rates {
  policy::ScalingRules::Select select = policy::ScalingRules::Select::max;
  std::span<const policy::ScalingPolicy> policies;
};

/// HPA v2's `behavior` with its defaults filled in, borrowing the policy's lists; `given` is
/// whether the document has one. Without it upstream stabilises and limits by other rules, which
/// are not these defaults.
struct Rules {
  bool given = false;
  Millis up_window = 0s;
  Millis down_window = 300s;
  Rates up, down;
  /// Without a behavior: in how long the number may double. 0: at each look, as upstream does,
  /// which looks every 15 s.
  Millis doubling = 0s;
};
/// What holds for the policy, which must outlive it.
Rules rules_of(const policy::Autoscaler& policy);

struct Change {
  Replicas current, wanted;
};

/// Damps flapping: goes from current to wanted only as far as the remembered recommendations
/// allow, and remembers `wanted`. The first call remembers `current`, too.
/// With a behavior: between the lowest of the up window and the highest of the down window, an
/// entry exactly as old as its window not counted. Without: the highest of the down window, an
/// entry exactly as old counted (upstream's windows differ so).
/// Errors: none. Bound: what is remembered is what can still win, at most two entries for each
/// number that occurred.
/// Source: HPA v2, horizontal.go, stabilizeRecommendation[WithBehaviors].
Replicas stabilise(Change change, const Rules& rules, Instant now,
                   std::vector<Recommendation>& past);

/// After stabilise() held the number at `held`, above (`up`: below) what was wanted: how long the
/// remembered recommendations go on to do so, if nothing new is recommended.
Millis held_for(Replicas held, bool up, const Rules& rules, Instant now,
                std::span<const Recommendation> past);

}  // namespace headroom::decide
