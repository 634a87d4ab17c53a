#pragma once

#include <span>
#include <string_view>

#include "decide/memory.h"
#include "decide/stabilise.h"

namespace headroom::decide {

struct Bounds {
  Replicas min, max;
};

struct Limited {
  Replicas replicas;
  /// Upstream's: DesiredWithinRange, TooManyReplicas, TooFewReplicas, ScaleUpLimit, ScaleDownLimit.
  std::string_view reason = "DesiredWithinRange";
};

/// Only minimum and maximum.
Limited within_bounds(Replicas wanted, Bounds bounds);

/// As far from current towards wanted as the rates and the bounds allow. With a behavior: by its
/// policies and the events inside their periods, a limit never turning the direction. Without:
/// up to twice, or 4 where that is more, of what there was `rules.doubling` ago.
/// Source: HPA v2, horizontal.go, convertDesiredReplicasWith[Behavior]Rate.
Limited limit(Change change, const Rules& rules, Bounds bounds, Instant now,
              std::span<const ScaleEvent> ups, std::span<const ScaleEvent> downs);

/// Remembers a change of the count. It takes the place of the last event of its direction that
/// has left all periods of that direction; where there is none, it is added (at most 2,048).
void remember_change(Change change, const Rules& rules, Instant now, Memory& memory);

}  // namespace headroom::decide
