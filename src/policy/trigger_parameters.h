#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "policy/autoscaler.h"

/// KEDA's trigger types: which parameters each has, where they may come from, which of them is the
/// target, and what the metric is called. Pure: what comes from the target's environment or from an
/// authentication is not known here, and is taken to be right where the document refers to it.
/// Source: KEDA v2.21, pkg/scalers.
namespace headroom::policy {

/// How far Headroom knows a trigger's type.
enum class TriggerSupport {
  resource,     // cpu, memory: a metric of the replicas' own
  external,     // a source that is asked
  unsupported,  // KEDA has it, Headroom has not: the object loads, the trigger fails
  unknown,      // nobody has it
};
TriggerSupport support_of(std::string_view type);

/// The known type that is most like `type`, or "".
std::string_view nearest_type(std::string_view type);

struct TriggerContext {
  std::string_view namespace_ = "default";
  bool under_modifiers = false;  // then targets of its own may be left out
};

/// What is wrong with one parameter; `name` is the metadata's, empty: with the metricType.
struct ParameterProblem {
  std::string name;
  std::string what;  // "found …, expected …"
};

using Metadata = std::map<std::string, std::string>;

/// Everything that KEDA would refuse in the parameters of a resource or external trigger.
/// `authenticated`: the trigger has an authenticationRef. `metric_type`: as written, may be empty.
std::vector<ParameterProblem> check_parameters(std::string_view type, const Metadata& metadata,
                                               bool authenticated, std::string_view metric_type,
                                               const TriggerContext& context);

/// The parameters that the type does not know, which KEDA passes over in silence.
std::vector<std::string> unknown_parameters(std::string_view type, const Metadata& metadata);

/// The value of a parameter as written in the metadata (trimmed), or its default; nothing where it
/// is neither there nor has one.
std::optional<std::string> parameter_of(std::string_view type, const Metadata& metadata,
                                        std::string_view name);

struct TriggerTarget {
  std::string metric_name;  // "s0-kafka-orders"; empty for external and external-push, which say
                            // their metrics and targets themselves
  double target = 0;        // as written
  Quantity quantity;        // the same as the HPA that KEDA writes has it: three decimals, nearest
  double activation = 0;    // active above this
};

/// What an external trigger with good parameters asks for. `index`: its place in the list of
/// triggers, from 0.
/// Errors: invalid where the type is none of the supported external ones, or a number is none.
Result<TriggerTarget> target_of(const Trigger& trigger, int index,
                                std::string_view namespace_ = "default");
Result<TriggerTarget> target_of(std::string_view type, const Metadata& metadata, int index,
                                std::string_view namespace_);

/// What KEDA serves and aims at: "%.3f" of the number; not a number, infinite or negative: 0.
Quantity to_quantity(double value);

}  // namespace headroom::policy
