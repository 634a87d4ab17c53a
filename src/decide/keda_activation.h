#pragma once

#include <optional>
#include <string>
#include <vector>

#include "decide/decision.h"
#include "decide/memory.h"
#include "policy/autoscaler.h"

/// KEDA's activation: the loop that goes between zero and not zero (or idle and the minimum),
/// beside the HPA, which goes between the minimum and the maximum.
/// Source: KEDA 2.21, pkg/scaling/executor/scale_scaledobjects.go.
namespace headroom::decide {

/// What one check of the triggers found.
struct TriggersSeen {
  bool active = false;
  bool error = false;
};

struct KedaAnswer {
  enum class Rule {
    unreadable,          // the target's replicas cannot be read
    paused,              //
    woken,               // active at zero, or at idle: to the minimum, or 1
    scale_out_paused,    // the same, held
    active,              // nothing to do
    active_with_errors,  // the same; the time of the last activity does not move
    fallback_holds,      // inactive and failing: the fallback is the HPA's business
    error_holds,         // inactive and failing, without a fallback
    slept,               // inactive long enough: to idle or the minimum
    scale_in_paused,     // the same, held
    cooling_down,        // inactive, but not long enough: `left` more
    raised,              // inactive and below the minimum: to the minimum at once
    inactive,            // nothing to do
  };
  Rule rule = Rule::inactive;
  Replicas current;
  Replicas replicas;  // what is asked for
  bool write = false;
  Millis left{};
};

/// One check, at `now`. `current` is what the target was asked for; none: it cannot be read.
/// The memory's time of the last activity is not moved yet: see conclude().
KedaAnswer activate_by_keda(const policy::Autoscaler& policy, std::optional<Replicas> current,
                            const TriggersSeen& triggers, Instant now, const Memory& memory);

/// After it: the scale was written, or refused, or did not have to be. Remembers the activity and
/// sets the conditions that KEDA sets then (Ready, Active, Paused); the others stay.
void conclude(const KedaAnswer& answer, bool refused, Instant now, Memory& memory,
              std::vector<Condition>& conditions);

/// What Kubernetes' event list gets to see of it; none: nothing. `target` is
/// "apps/v1.Deployment shop/web"; `triggers` are the active ones' names, joined by ";"; `refused`
/// is why the scale could not be written, empty where it could.
struct KedaEvent {
  bool warning = false;
  std::string_view reason;
  std::string note;
};
std::optional<KedaEvent> event_of(const KedaAnswer& answer, const policy::Autoscaler& policy,
                                  std::string_view target, std::string_view triggers,
                                  std::string_view refused);

/// The HPA's ScalingActive as KEDA shows it: HPAActive.
void set_hpa_active(const Condition& scaling_active, std::vector<Condition>& conditions);

}  // namespace headroom::decide
