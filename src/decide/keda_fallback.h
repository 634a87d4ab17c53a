#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "decide/decision.h"
#include "decide/memory.h"
#include "policy/keda.h"

/// KEDA's fallback: what is served for a metric while its source fails.
/// Source: KEDA 2.21, pkg/fallback/fallback.go.
namespace headroom::decide {

/// What the made-up value is made for: the metric's target, or the modifiers'.
struct Aimed {
  double target = 1;   // in the metric's unit
  bool value = false;  // of type Value: in proportion to the ready replicas
};

struct Served {
  enum class Kind {
    value,           // the source's
    source_error,    // failing, and not often enough yet, or there is no fallback
    fallback,        // made up
    fallback_error,  // it would be, but cannot be computed
    nil,             // left to the formula
  };
  Kind kind = Kind::value;
  Quantity value;
};

struct ReplicasSeen {
  std::optional<Replicas> current;    // none: the target cannot be read
  std::optional<std::int32_t> ready;  // running and ready; none: cannot be counted
};

/// Serves `answer` (none: the source failed) for `metric`, and keeps count of its failures.
/// The value that stands in lands the HPA on the behavior's number of replicas.
Served serve(const std::optional<policy::Fallback>& fallback, std::string_view metric,
             std::optional<Quantity> answer, const Aimed& aimed, const ReplicasSeen& replicas,
             std::vector<Health>& health);

/// Whether any metric is past its threshold.
bool falls_back(const policy::Fallback& fallback, const std::vector<Health>& health);

}  // namespace headroom::decide
