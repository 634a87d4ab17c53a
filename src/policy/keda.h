#pragma once

#include <cstdint>
#include <optional>

#include "base/units.h"

/// What a ScaledObject asks for beside its triggers.
namespace headroom::policy {

/// What holds while a trigger's source fails.
struct Fallback {
  enum class Behavior {
    static_,
    current_replicas,
    current_replicas_if_higher,
    current_replicas_if_lower,
    scaling_modifiers
  };
  std::int32_t failure_threshold = 0;
  Replicas replicas;
  Behavior behavior = Behavior::static_;

  bool operator==(const Fallback&) const = default;
};

struct Pause {
  bool paused = false;
  std::optional<Replicas> replicas;
  bool scale_in = false;
  bool scale_out = false;

  bool operator==(const Pause&) const = default;
};

}  // namespace headroom::policy
