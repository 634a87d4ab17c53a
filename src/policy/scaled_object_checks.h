#pragma once

#include <optional>

#include "policy/scaled_object.h"

/// KEDA's checks that both its webhook and its reconciler make, private to the room.
namespace headroom::policy::keda {

/// Of a label's value, in bytes: KEDA makes one of the object's name.
constexpr std::size_t kLongestLabel = 63;

std::optional<Refusal> check_counts(const ScaledObject& object);    // V2
std::optional<Refusal> check_triggers(const ScaledObject& object);  // V3
std::optional<Refusal> check_wakes(const ScaledObject& object);     // V7, whatever the kind
std::optional<Refusal> check_fallback(const ScaledObject& object);  // V8
std::optional<Refusal> check_modifiers(
    const ScaledObject& object);  // M1, M5, M6; there must be any

/// Everything that is wrong with the parameters of each trigger, in their order; a type that nobody
/// has is wrong, one that only KEDA has is not.
std::vector<Refusal> check_all_parameters(const ScaledObject& object);

/// What the API server says of the HPA, at the fields of the object that it comes from.
std::vector<Refusal> refused_by_server(const ScaledObject& object,
                                       const hpa::HorizontalPodAutoscaler& written);

std::optional<Refusal> check_pause(const ScaledObject& object);  // Z2
Pause pause_of(const ScaledObject& object);                      // section 1.3
bool forces_activation(const ScaledObject& object);
/// The other way.
std::map<std::string, std::string> annotations_of(const Autoscaler& autoscaler);

}  // namespace headroom::policy::keda
