#include "decide/observation.h"

#include <algorithm>

namespace headroom::decide {

ReplicaSeen::State ReplicaSeen::state() const {
  if (deleting) return State::draining;
  return phase == Phase::running && is_ready() ? State::ready : State::starting;
}

std::int32_t Observation::ready() const {
  return static_cast<std::int32_t>(std::ranges::count_if(replicas, [](const ReplicaSeen& replica) {
    return replica.state() == ReplicaSeen::State::ready;
  }));
}

}  // namespace headroom::decide
