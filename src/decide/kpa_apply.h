#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"
#include "base/units.h"
#include "policy/knative.h"

/// How Knative applies what its KPA decides, exactly: bounds, the way to zero, and whether the
/// activator stands before the replicas. Source: Knative Serving, reconciler/autoscaling/kpa,
/// rules of release 1.23 (P1 to P6 below).
namespace headroom::decide {

using policy::KpaSettings;

enum class Activity { inactive, activating, active };

/// What one application leaves for the next: plain data.
struct Applied {
  Replicas replicas;  // asked of the target
  Activity activity = Activity::activating;
  Instant activity_since;
  bool initialised = false;  // so many as initialScale were ready once; stays
  /// Requests are to go through the activator. What does the routing goes there whatever is asked
  /// while no replica is ready, and to the replicas while there is no activator.
  bool proxied = true;
  Instant proxied_since;
  bool operator==(const Applied&) const = default;
};

struct ToApply {
  std::optional<Replicas> desired;  // none: nothing decided yet
  std::int32_t excess_burst = 0;
  std::int32_t ready = 0;
  bool activator_answers = false;   // what a probe of the public service finds
  Millis progress_deadline = 600s;  // activating for this and 30 s more is given up
};

/// One application: P1 to P5.
void apply(const KpaSettings& settings, const ToApply& what, Instant now, Applied& applied);

/// P6: activators for a revision with so many ready replicas.
std::int32_t activators(const KpaSettings& settings, std::int32_t ready);

}  // namespace headroom::decide
