#pragma once

#include "decide/memory.h"
#include "decide/observation.h"
#include "decide/proposal.h"
#include "policy/autoscaler.h"

namespace headroom::decide {

/// Keeps `memory.last_active` up to date. What runs at the first look is taken to have just been
/// used: nobody knows better.
void note_activity(const Observation& observation, Memory& memory);

struct Activation {
  enum class Kind {
    none,   // the number is one to damp and limit
    wake,   // from zero: at least one, whatever limits the rate
    sleep,  // to zero, or stays there: no window or rate holds it
  };
  Kind kind = Kind::none;
  Replicas replicas;
};

/// Between zero and one. From zero at once when a request waits; to zero once nothing was asked
/// for cooldownPeriod (and scaleDownDelay, or the window and scaleToZeroPodRetentionPeriod, where
/// these are longer), never by a number alone and never while `held` (a reading failed). With a
/// minimum above zero it does nothing. Grows `chain`, which stands at the combined number.
Activation activate(const policy::Autoscaler& policy, const Observation& observation,
                    Replicas current, bool held, const Memory& memory, Chain& chain);

}  // namespace headroom::decide
