#pragma once

#include "decide/decision.h"
#include "decide/memory.h"
#include "decide/observation.h"
#include "decide/prepared.h"
#include "policy/autoscaler.h"

namespace headroom::decide {

/// One look at what has triggers, as KEDA and the HPA that it writes would have it: between zero
/// (or idle) and the minimum by the triggers' activity, once a pollingInterval; above that by the
/// HPA's rules over the triggers' values. A source that fails is stood in for by the fallback.
///
/// Differs from KEDA where two programs that do not know of each other are one here: a failing
/// source is counted once a look, not by each that asks; and the HPA's rules leave alone what
/// stands at idleReplicas (in KEDA an idle count above 0 flaps).
/// Source: KEDA 2.21; the parts in keda_activation.h, keda_fallback.h, keda_activity.h, hpa.h.
void decide_by_triggers(const Prepared& prepared, const Observation& observation, Memory& memory,
                        Decision& decision);

/// After it: the scale was written, or was refused.
void settle_by_triggers(const policy::Autoscaler& policy, Instant now, bool refused, Memory& memory,
                        Decision& decision);

}  // namespace headroom::decide
