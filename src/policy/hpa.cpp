#include "policy/hpa.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "policy/describe.h"

namespace headroom::policy::hpa {
namespace {

/// As upstream does: the canonical thousandths times 10^-3, which is not always what dividing
/// gives.
double real_of(Quantity quantity) {
  if (quantity.milli % 1000 == 0) return static_cast<double>(quantity.milli / 1000);
  return static_cast<double>(quantity.milli) * 1e-3;
}

std::optional<Quantity> quantity_of(double real) {
  constexpr double kMost = 1e15;
  if (!(std::abs(real) < kMost)) return std::nullopt;
  const Quantity near{std::llround(real * 1000)};
  return real_of(near) == real ? std::optional{near} : std::nullopt;
}

// The structs of an HPA as the Autoscaler's. "Utilization" beside an averageValue and the like is
// valid and not looked at by upstream, which then goes by what is set; the type follows that.

policy::MetricTarget target_of(const MetricTarget& target) {
  using Type = policy::MetricTarget::Type;
  return {value_of<Type>(target.type), target.average_utilization, target.value,
          target.average_value};
}

ObjectReference reference_of(const CrossVersionObjectReference& to) {
  return {to.api_version, to.kind, to.name};
}

Selector selector_of(const LabelSelector& from) {
  Selector selector{from.match_labels, {}};
  for (const auto& requirement : from.match_expressions) {
    selector.match_expressions.push_back({requirement.key,
                                          value_of<Selector::Requirement::Operator>(requirement.op),
                                          requirement.values});
  }
  return selector;
}

void identify(Metric& metric, const MetricIdentifier& from) {
  metric.name = from.name;
  if (from.selector) metric.selector = selector_of(*from.selector);
}

/// Resources and pods go by averageValue where it is set, external metrics likewise; only Object
/// goes by its type.
void settle_type(Metric& metric) {
  using Type = policy::MetricTarget::Type;
  auto& target = metric.target;
  if (metric.type == Metric::Type::object) return;
  if (target.average_value) {
    target.type = Type::average_value;
  } else {
    target.type = metric.type == Metric::Type::external ? Type::value : Type::utilization;
  }
  if (target.type != Type::utilization) target.average_utilization.reset();
  if (target.type != Type::value) target.value.reset();
}

Metric metric_of(const MetricSpec& spec) {
  Metric metric;
  metric.type = value_of<Metric::Type>(spec.type);
  if (spec.resource) {
    metric.name = spec.resource->name;
    metric.target = target_of(spec.resource->target);
  } else if (const auto& source = spec.container_resource) {
    metric.name = source->name;
    metric.container = source->container;
    metric.target = target_of(source->target);
  } else if (spec.pods) {
    identify(metric, spec.pods->metric);
    metric.target = target_of(spec.pods->target);
  } else if (spec.object) {
    identify(metric, spec.object->metric);
    metric.described_object = reference_of(spec.object->described_object);
    metric.target = target_of(spec.object->target);
  } else if (spec.external) {
    identify(metric, spec.external->metric);
    metric.target = target_of(spec.external->target);
  }
  settle_type(metric);
  return metric;
}

policy::ScalingRules rules_of(const ScalingRules& from) {
  policy::ScalingRules rules;
  if (const auto window = from.stabilization_window_seconds) {
    rules.stabilization_window = std::chrono::seconds{*window};
  }
  if (from.select_policy) {
    rules.select_policy = value_of<policy::ScalingRules::Select>(*from.select_policy);
  }
  for (const auto& policy : from.policies.value_or(std::vector<ScalingPolicy>{})) {
    rules.policies.push_back({value_of<policy::ScalingPolicy::Type>(policy.type), policy.value,
                              std::chrono::seconds{policy.period_seconds}});
  }
  if (from.tolerance) rules.tolerance = real_of(*from.tolerance);
  return rules;
}

// And back.

MetricTarget target_from(const policy::MetricTarget& target) {
  return {spelled(target.type, Word{}), target.value, target.average_value,
          target.average_utilization};
}

CrossVersionObjectReference reference_from(const ObjectReference& to) {
  return {to.api_version, to.kind, to.name};
}

MetricIdentifier identifier_from(const Metric& metric) {
  MetricIdentifier identifier{metric.name, std::nullopt};
  if (!metric.selector) return identifier;
  auto& selector = identifier.selector.emplace();
  selector.match_labels = metric.selector->match_labels;
  for (const auto& requirement : metric.selector->match_expressions) {
    selector.match_expressions.push_back(
        {requirement.key, spelled(requirement.op, Word{}), requirement.values});
  }
  return identifier;
}

MetricSpec metric_from(const Metric& metric) {
  MetricSpec spec;
  spec.type = spelled(metric.type, Word{});
  const auto target = target_from(metric.target);
  using Type = Metric::Type;
  if (metric.type == Type::resource) {
    spec.resource = {metric.name, target};
  } else if (metric.type == Type::container_resource) {
    spec.container_resource = {metric.name, metric.container, target};
  } else if (metric.type == Type::pods) {
    spec.pods = {identifier_from(metric), target};
  } else if (metric.type == Type::object) {
    spec.object = {reference_from(metric.described_object.value_or(ObjectReference{})),
                   identifier_from(metric), target};
  } else {
    spec.external = {identifier_from(metric), target};
  }
  return spec;
}

ScalingRules rules_from(const policy::ScalingRules& from) {
  const auto seconds = [](Millis duration) {
    return static_cast<std::int32_t>(duration / std::chrono::seconds{1});
  };
  ScalingRules rules;
  if (from.stabilization_window) {
    rules.stabilization_window_seconds = seconds(*from.stabilization_window);
  }
  rules.select_policy = spelled(from.select_policy, Word{});
  for (const auto& policy : from.policies) {
    if (!rules.policies) rules.policies.emplace();
    rules.policies->push_back({spelled(policy.type, Word{}), policy.value, seconds(policy.period)});
  }
  if (from.tolerance) rules.tolerance = quantity_of(*from.tolerance);
  return rules;
}

bool is_lossy(const std::optional<policy::ScalingRules>& rules) {
  return rules && rules->tolerance && !quantity_of(*rules->tolerance);
}

/// What an HPA has no words for.
std::vector<std::string_view> lost(const Autoscaler& from) {
  static const Autoscaler kDefault{};
  std::vector<std::string_view> names;
  const auto name = [&names](bool there, std::string_view what) {
    if (there) names.push_back(what);
  };
  ControllerSettings controller;
  controller.scale_to_zero = from.controller.scale_to_zero;  // minReplicas 0 says it
  name(!from.target.scale_target_ref, "target.process");
  name(from.gateway.has_value(), "gateway");
  name(from.concurrency.has_value(), "concurrency");
  name(from.cooldown_period != kDefault.cooldown_period, "cooldownPeriod");
  name(from.controller != controller, "controller");
  name(!from.triggers.empty(), "triggers");
  name(from.polling_interval != kDefault.polling_interval, "pollingInterval");
  name(from.initial_cooldown_period != kDefault.initial_cooldown_period, "initialCooldownPeriod");
  name(from.idle_replicas.has_value(), "idleReplicas");
  name(from.fallback.has_value(), "fallback");
  name(from.scaling_modifiers.has_value(), "scalingModifiers");
  name(from.pause != Pause{}, "pause");
  name(from.behavior && is_lossy(from.behavior->scale_up), "behavior.scaleUp.tolerance");
  name(from.behavior && is_lossy(from.behavior->scale_down), "behavior.scaleDown.tolerance");
  return names;
}

}  // namespace

Autoscaler to_autoscaler(const HorizontalPodAutoscaler& hpa) {
  Autoscaler autoscaler;
  autoscaler.name = hpa.name;
  autoscaler.namespace_ = hpa.namespace_;
  autoscaler.target.scale_target_ref = reference_of(hpa.spec.scale_target_ref);
  autoscaler.min_replicas = {hpa.spec.min_replicas.value_or(1)};
  autoscaler.max_replicas = {hpa.spec.max_replicas};
  autoscaler.controller.scale_to_zero = autoscaler.min_replicas.count == 0;
  std::ranges::transform(hpa.spec.metrics, std::back_inserter(autoscaler.metrics), metric_of);
  if (const auto& behavior = hpa.spec.behavior) {
    autoscaler.behavior.emplace();
    if (behavior->scale_up) autoscaler.behavior->scale_up = rules_of(*behavior->scale_up);
    if (behavior->scale_down) autoscaler.behavior->scale_down = rules_of(*behavior->scale_down);
  }
  return autoscaler;
}

Result<HorizontalPodAutoscaler> from_autoscaler(const Autoscaler& autoscaler) {
  if (const auto names = lost(autoscaler); !names.empty()) {
    return fail({Code::invalid,
                 fmt::format("{}: found {}, which a HorizontalPodAutoscaler cannot say",
                             autoscaler.name, fmt::join(names, ", ")),
                 {}});
  }
  HorizontalPodAutoscaler hpa;
  hpa.name = autoscaler.name;
  hpa.namespace_ = autoscaler.namespace_;
  hpa.spec.scale_target_ref = reference_from(*autoscaler.target.scale_target_ref);
  hpa.spec.min_replicas = autoscaler.min_replicas.count;
  hpa.spec.max_replicas = autoscaler.max_replicas.count;
  std::ranges::transform(autoscaler.metrics, std::back_inserter(hpa.spec.metrics), metric_from);
  if (const auto& behavior = autoscaler.behavior) {
    hpa.spec.behavior.emplace();
    if (behavior->scale_up) hpa.spec.behavior->scale_up = rules_from(*behavior->scale_up);
    if (behavior->scale_down) hpa.spec.behavior->scale_down = rules_from(*behavior->scale_down);
  }
  return hpa;
}

}  // namespace headroom::policy::hpa
