#pragma once

#include <optional>
#include <span>

/// When KEDA takes an object for active.
namespace headroom::decide::keda {

/// What a check found about one trigger.
struct TriggerReading {
  bool resource = false;        // cpu or memory: never makes an object active
  std::optional<double> value;  // unrounded; none: the source failed
  double activation = 0;        // active above it, strictly
  bool fallback = false;        // past its failure threshold: counts as active
  std::optional<bool> says;     // the source itself, whatever its value
};

/// The composite metric of scaling modifiers.
struct CompositeReading {
  std::optional<double> value;  // none: the formula failed or gave no usable number
  double activation = 0;
};

struct ObjectActivity {
  bool active = false;
  bool error = false;
};

/// Above the activation threshold, strictly; not a number never is.
bool trigger_active(const TriggerReading& trigger);

/// With a composite the triggers' own activity does not count, and any trigger's error makes the
/// object inactive. A formula that fails is an error.
ObjectActivity object_activity(std::span<const TriggerReading> triggers,
                               const std::optional<CompositeReading>& composite);

}  // namespace headroom::decide::keda
