#include "policy/scaled_object.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/check.h"
#include "base/text.h"
#include "formula/modifiers.h"
#include "policy/describe.h"
#include "policy/merge_keys.h"
#include "policy/scaled_object_checks.h"
#include "policy/trigger_parameters.h"
#include "policy/trigger_syntax.h"

namespace headroom::policy::keda {
namespace {

bool names_resource(std::string_view type) { return support_of(type) == TriggerSupport::resource; }

policy::Trigger trigger_of(const Trigger& from) {
  policy::Trigger trigger;
  trigger.type = from.type;
  trigger.name = from.name;
  trigger.metadata = from.metadata;
  trigger.metric_type = value_of<policy::Trigger::MetricType>(from.metric_type);
  trigger.use_cached_metrics = from.use_cached_metrics;
  trigger.authentication_ref = from.authentication_ref;
  return trigger;
}

Trigger trigger_from(const policy::Trigger& from) {
  Trigger trigger{from.type,
                  from.name,
                  spelled(from.metric_type, Word{}),
                  from.metadata,
                  from.use_cached_metrics,
                  from.authentication_ref};
  const bool is_default = from.metric_type == policy::Trigger::MetricType::average_value;
  if (is_default && !names_resource(from.type)) trigger.metric_type.clear();
  return trigger;
}

/// A metric of the replicas' own as the trigger that asks for it; none for any other.
std::optional<Trigger> trigger_from(const Metric& metric) {
  const bool of_container = metric.type == Metric::Type::container_resource;
  if (!names_resource(metric.name) || !(of_container || metric.type == Metric::Type::resource)) {
    return std::nullopt;
  }
  Trigger trigger;
  trigger.type = metric.name;
  if (of_container) trigger.metadata["containerName"] = metric.container;
  if (metric.target.average_utilization) {
    trigger.metric_type = "Utilization";
    trigger.metadata["value"] = fmt::format("{}", *metric.target.average_utilization);
  } else {
    trigger.metric_type = "AverageValue";
    trigger.metadata["value"] = to_string(metric.target.average_value.value_or(Quantity{}));
  }
  return trigger;
}

/// The HPA's part of the object: metrics of the replicas' own, and the behavior, as they are
/// written. Pauses are not in it: the Autoscaler has them.
Autoscaler hpa_part(const ScaledObject& object) {
  auto unpaused = object;
  for (const auto& [name, value] : annotations_of({.pause = pause_of(object)})) {
    unpaused.annotations.erase(name);
  }
  const auto written = to_hpa(unpaused);
  check(written.has_value(), "a valid object has an HPA");
  auto part = *written;
  std::erase_if(part.spec.metrics,
                [](const hpa::MetricSpec& metric) { return metric.external.has_value(); });
  const bool any = !part.spec.metrics.empty();
  hpa::set_defaults(part);
  if (!any) part.spec.metrics.clear();
  return hpa::to_autoscaler(part);
}

std::optional<std::int32_t> seconds_from(Millis duration, Millis standard) {
  if (duration == standard) return std::nullopt;
  return static_cast<std::int32_t>(duration / std::chrono::seconds{1});
}

std::optional<hpa::Behavior> behavior_from(const Autoscaler& autoscaler) {
  Autoscaler part;
  part.target.scale_target_ref.emplace();
  part.behavior = autoscaler.behavior;
  const auto written = hpa::from_autoscaler(part);
  return written ? written->spec.behavior : std::nullopt;
}

}  // namespace

Autoscaler to_autoscaler(const ScaledObject& object) {
  const Spec& spec = object.spec;
  const auto seconds = [](const std::optional<std::int32_t>& count, Millis standard) {
    return count ? Millis{std::chrono::seconds{*count}} : standard;
  };
  const Autoscaler part = hpa_part(object);
  Autoscaler autoscaler;
  autoscaler.name = object.name;
  autoscaler.namespace_ = object.namespace_;
  const auto& target = spec.scale_target_ref;
  autoscaler.target.scale_target_ref = {target.api_version.empty() ? "apps/v1" : target.api_version,
                                        target.kind.empty() ? "Deployment" : target.kind,
                                        target.name};
  autoscaler.min_replicas = {spec.min_replica_count.value_or(0)};
  autoscaler.max_replicas = {spec.max_replica_count.value_or(keda::kMostReplicas)};
  if (spec.idle_replica_count) autoscaler.idle_replicas = Replicas{*spec.idle_replica_count};
  autoscaler.polling_interval = seconds(spec.polling_interval, autoscaler.polling_interval);
  autoscaler.cooldown_period = seconds(spec.cooldown_period, autoscaler.cooldown_period);
  autoscaler.initial_cooldown_period = seconds(spec.initial_cooldown_period, 0s);
  autoscaler.metrics = part.metrics;
  autoscaler.behavior = part.behavior;
  std::ranges::transform(spec.triggers, std::back_inserter(autoscaler.triggers), trigger_of);
  if (const auto& fallback = spec.fallback) {
    autoscaler.fallback =
        policy::Fallback{fallback->failure_threshold,
                         {fallback->replicas},
                         value_of<policy::Fallback::Behavior>(fallback->behavior)};
  }
  if (uses_modifiers(object)) {
    const auto& modifiers = spec.scaling_modifiers;
    autoscaler.scaling_modifiers =
        policy::ScalingModifiers{modifiers.formula, modifiers.target, modifiers.activation_target,
                                 value_of<policy::Trigger::MetricType>(modifiers.metric_type)};
  }
  autoscaler.pause = pause_of(object);
  autoscaler.force_activation = forces_activation(object);
  return autoscaler;
}

ScaledObject from_autoscaler(const Autoscaler& autoscaler) {
  static const Autoscaler kDefault{};
  ScaledObject object;
  object.name = autoscaler.name;
  object.namespace_ = autoscaler.namespace_;
  object.annotations = annotations_of(autoscaler);
  Spec& spec = object.spec;
  if (const auto& target = autoscaler.target.scale_target_ref) {
    spec.scale_target_ref = {target->name, target->api_version, target->kind, {}};
  }
  spec.polling_interval = seconds_from(autoscaler.polling_interval, kDefault.polling_interval);
  spec.cooldown_period = seconds_from(autoscaler.cooldown_period, kDefault.cooldown_period);
  spec.initial_cooldown_period = seconds_from(autoscaler.initial_cooldown_period, 0s);
  // Always written: to KEDA a minimum of 0 that is left out is another (V2).
  spec.min_replica_count = autoscaler.min_replicas.count;
  spec.max_replica_count = autoscaler.max_replicas.count;
  if (autoscaler.idle_replicas) spec.idle_replica_count = autoscaler.idle_replicas->count;
  spec.hpa_config.behavior = behavior_from(autoscaler);
  for (const auto& trigger : autoscaler.triggers) spec.triggers.push_back(trigger_from(trigger));
  const bool has_resources = std::ranges::any_of(
      autoscaler.triggers, [](const auto& trigger) { return names_resource(trigger.type); });
  for (const auto& metric : autoscaler.metrics) {
    const auto trigger = trigger_from(metric);
    if (trigger && !has_resources) spec.triggers.push_back(*trigger);
  }
  if (const auto& fallback = autoscaler.fallback) {
    spec.fallback = Fallback{fallback->failure_threshold, fallback->replicas.count,
                             spelled(fallback->behavior, Word{})};
  }
  if (const auto& modifiers = autoscaler.scaling_modifiers) {
    spec.scaling_modifiers = {modifiers->formula, modifiers->target, modifiers->activation_target,
                              spelled(modifiers->metric_type, Word{})};
  }
  return object;
}

}  // namespace headroom::policy::keda

namespace headroom::policy {
namespace {

using keda::Refusal;
using keda::ScaledObject;

/// What Headroom refuses beyond KEDA (M8).
std::optional<Refusal> check_activation_target(const ScaledObject& object) {
  const auto& text = object.spec.scaling_modifiers.activation_target;
  const auto number = formula::read_go_float(text);
  if (text.empty() || (number && std::isfinite(*number))) return std::nullopt;
  return Refusal{"hpa", "spec.advanced.scalingModifiers.activationTarget",
                 fmt::format("found \"{}\", expected a number", printable(text, 60))};
}

std::vector<hpa::FieldError> problems_of(const ScaledObject& object) {
  std::vector<hpa::FieldError> errors;
  const auto add = [&errors](const Refusal& refusal) {
    errors.push_back({"", refusal.path, refusal.detail});
  };
  std::ranges::for_each(keda::webhook(object), add);
  std::ranges::for_each(keda::check_all_parameters(object), add);
  for (const auto& refusal : {keda::check_pause(object), check_activation_target(object)}) {
    if (refusal) add(*refusal);
  }
  const auto& target = object.spec.scale_target_ref;
  if (std::ranges::count(target.api_version, '/') > 1) {
    add({"", "spec.scaleTargetRef.apiVersion",
         fmt::format("found \"{}\", expected a group and version such as apps/v1",
                     printable(target.api_version, 60))});
  }
  if (!errors.empty()) return errors;
  // What the API server would say of the HPA follows from what was said already.
  const auto written = keda::to_hpa(object);
  check(written.has_value(), "to_hpa() refuses nothing else");
  std::ranges::for_each(keda::refused_by_server(object, *written), add);
  return errors;
}

/// What is taken, but is not as it seems.
std::vector<hpa::FieldError> warnings_of(const ScaledObject& object) {
  std::vector<hpa::FieldError> warnings;
  const auto add = [&warnings](std::string path, std::string detail) {
    warnings.push_back({"", std::move(path), std::move(detail)});
  };
  const auto& spec = object.spec;
  for (const auto& name : keda::idle_settings(object)) {
    add("spec." + name,
        "found it, which does nothing with minReplicaCount above 0 and no idleReplicaCount");
  }
  const bool to_zero = spec.min_replica_count.value_or(0) == 0 || spec.idle_replica_count == 0;
  for (std::size_t i = 0; i < spec.triggers.size(); ++i) {
    const auto& trigger = spec.triggers[i];
    const std::string path = fmt::format("spec.triggers[{}]", i);
    if (support_of(trigger.type) == TriggerSupport::unsupported) {
      add(path + ".type", fmt::format("found \"{}\", which Headroom cannot ask: the trigger fails",
                                      printable(trigger.type, 60)));
    }
    for (const auto& name : unknown_parameters(trigger.type, trigger.metadata)) {
      add(fmt::format("{}.metadata.{}", path, name),
          fmt::format("found a parameter that {} does not have, passed over", trigger.type));
    }
    const auto nulls =
        parameter_of(trigger.type, trigger.metadata, "ignoreNullValues").value_or("");
    if (trigger.type == "prometheus" && to_zero && go_bool(nulls).value_or(false)) {
      add(path,
          "found ignoreNullValues true: a query without an answer counts as 0, which takes the "
          "last replica away");
    }
  }
  if (spec.restore_to_original_replica_count) {
    add("spec.advanced.restoreToOriginalReplicaCount", "found true, passed over");
  }
  if (!spec.scale_target_ref.env_source_container_name.empty()) {
    add("spec.scaleTargetRef.envSourceContainerName", "found it, passed over");
  }
  return warnings;
}

}  // namespace

Autoscaler read_scaled_object(const Node& written, Problems& problems, Problems& warnings) {
  MergeKeys merge_keys;
  const Node& document = merge_keys.follow(written);
  const Node* version = document.find("apiVersion");
  if (version != nullptr && version->text != keda::kApiVersion) {
    problems.add(version->place, fmt::format("apiVersion: found \"{}\", expected {}",
                                             printable(version->text, 60), keda::kApiVersion));
    return {};
  }
  const auto [object, errors, dropped] = keda::read(document, keda::Strictness::one_machine);
  const auto say = [](const keda::FieldError& error, Problems& to) {
    const auto path = error.path.empty() ? "document" : error.path;
    to.add(error.place, fmt::format("{}: {}", path, error.detail));
  };
  for (const auto& warning : dropped) say(warning, warnings);
  for (const auto& error : errors) say(error, problems);
  if (!errors.empty()) return {};
  hpa::place(document, warnings_of(object), warnings);
  const auto wrong = problems_of(object);
  hpa::place(document, wrong, problems);
  return wrong.empty() ? keda::to_autoscaler(object) : Autoscaler{};
}

Result<ScaledObjectRead> read_scaled_object(const Node& document, const std::string& file) {
  Problems problems, warnings;
  ScaledObjectRead result;
  result.autoscaler = read_scaled_object(document, problems, warnings);
  if (problems.any()) return fail(problems.error(file, {}));
  for (const auto& warning : warnings.errors(file, {})) {
    result.warnings.push_back(to_string(warning));
  }
  return result;
}

std::string write_scaled_object(const Autoscaler& autoscaler) {
  return keda::write(keda::from_autoscaler(autoscaler));
}

}  // namespace headroom::policy
