#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "decide/observation.h"

namespace headroom::decide {

/// What a replica made of `made_of` asks for of a resource, milli-units: of the container, where
/// one is named; else of the pod as a whole where it has requests of its own, with its overhead;
/// else of all containers and sidecars together. None: one that counts asks for nothing.
/// Source: HPA v2, replica_calculator.go, calculateRequests.
std::optional<std::int64_t> request_of(const Template& made_of, std::string_view resource,
                                       std::string_view container);

}  // namespace headroom::decide
