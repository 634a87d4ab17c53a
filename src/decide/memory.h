#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "base/units.h"
#include "decide/decision.h"

namespace headroom::decide {

/// Buckets of one second, as Knative's TimedFloat64Buckets (spec: knative, 3). Bounded by
/// the window (at most 3,600 buckets). first/last: seconds of the first and last written.
struct Window {
  std::vector<double> buckets;  // index: second modulo size
  std::int64_t first = 0;
  std::int64_t last = 0;
  bool written = false;
  bool operator==(const Window&) const = default;
};

struct Recommendation {
  Instant at;
  Replicas replicas;
  bool operator==(const Recommendation&) const = default;
};

/// A number and the slot of 2 s in which it was last the largest.
struct SlotAnswer {
  std::int64_t slot = 0;
  Replicas replicas;
  bool operator==(const SlotAnswer&) const = default;
};

/// What the exact KPA remembers beside its windows.
struct KpaMemory {
  std::optional<Instant> panic_since;  // last time over the threshold; none: calm
  Replicas panic_peak;
  bool from_start = false;          // the peak is what was asked for when nothing was known
  std::vector<SlotAnswer> delayed;  // inside scaleDownDelay; falling, so at most one per slot
  bool operator==(const KpaMemory&) const = default;
};

struct ConcurrencyMemory {
  Window stable;
  Window panic;
  KpaMemory kpa;
  bool initialised = false;  // initialScale has been reached
  // maxScaleDownRate is per 2 s, however often one looks: the slot, and what was ready in it.
  std::int64_t rate_slot = 0;
  Replicas rate_ready;
  std::vector<Recommendation> raised;  // for waiting requests, inside the window; falling
  std::optional<Replicas> last_answer;
  bool operator==(const ConcurrencyMemory&) const = default;
};

struct ScaleEvent {
  Instant at;
  std::int32_t change = 0;  // replicas added (> 0) or removed (< 0)
  bool operator==(const ScaleEvent&) const = default;
};

/// A source's failures in a row.
struct Health {
  std::string metric;
  std::int32_t failures = 0;
  bool operator==(const Health&) const = default;
};

struct KedaMemory {
  std::optional<Instant> created;             // of the ScaledObject
  std::optional<Instant> last_active;         // in whole seconds
  std::optional<Instant> last_active_before;  // the last check, in case its write is refused
  std::optional<Instant> polled;              // the last check
  bool held = false;                          // the pause's count has been set
  std::vector<Health> health;                 // one for each metric whose source was asked
  bool operator==(const KedaMemory&) const = default;
};

/// An operator's word: so many replicas, whatever the policy would say.
struct Hold {
  Replicas replicas;
  std::optional<Instant> until;  // none: until it is taken back
  bool pause = false;            // it held what there was when it was said
  bool operator==(const Hold&) const = default;
};

/// All that deciding remembers: plain data, journalled with each decision.
struct Memory {
  std::vector<Recommendation> recommendations;  // inside the stabilisation windows
  std::vector<ScaleEvent> ups, downs;           // inside the rate windows
  ConcurrencyMemory concurrency;
  std::optional<Instant> last_active;
  KedaMemory keda;
  std::optional<Hold> hold;
  std::vector<Condition> conditions;  // HPA's: they stay until a step sets them anew
  bool operator==(const Memory&) const = default;
};

}  // namespace headroom::decide
