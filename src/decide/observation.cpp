#include "decide/observation.h"

#include <algorithm>

namespace headroom::decide {

std::int32_t Observation::ready() const {
  return static_cast<std::int32_t>(
      std::ranges::count(replicas, ReplicaSeen::State::ready, &ReplicaSeen::state));
}

}  // namespace headroom::decide
