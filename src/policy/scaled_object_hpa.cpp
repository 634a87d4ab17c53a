#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "base/text.h"
#include "formula/modifiers.h"
#include "policy/names.h"
#include "policy/scaled_object.h"
#include "policy/scaled_object_checks.h"
#include "policy/trigger_parameters.h"
#include "policy/trigger_syntax.h"

namespace headroom::policy::keda {
namespace {

constexpr std::string_view kPaused = "autoscaling.keda.sh/paused";
constexpr std::string_view kPausedReplicas = "autoscaling.keda.sh/paused-replicas";
constexpr std::string_view kPausedScaleIn = "autoscaling.keda.sh/paused-scale-in";
constexpr std::string_view kPausedScaleOut = "autoscaling.keda.sh/paused-scale-out";
constexpr std::string_view kForceActivation = "autoscaling.keda.sh/force-activation";
constexpr std::string_view kExcluded = "scaledobject.keda.sh/hpa-excluded-labels";
constexpr std::string_view kNameLabel = "scaledobject.keda.sh/name";
constexpr std::string_view kComposite = "composite-metric";

const std::string* annotation(const ScaledObject& object, std::string_view name) {
  const auto found = object.annotations.find(std::string(name));
  return found == object.annotations.end() ? nullptr : &found->second;
}

/// A flag that is there but no Go bool counts as true.
bool flag(const ScaledObject& object, std::string_view name) {
  const std::string* text = annotation(object, name);
  return text != nullptr && go_bool(*text).value_or(true);
}

/// An HPA's name as a label: cut, and not ending in a sign.
std::string as_label(std::string name) {
  if (name.size() <= kLongestLabel) return name;
  name.resize(kLongestLabel);
  name.erase(std::find_if(name.rbegin(), name.rend(), is_alphanumeric).base(), name.end());
  return name;
}

std::map<std::string, std::string> labels(const ScaledObject& object) {
  std::map<std::string, std::string> all = {
      {"app.kubernetes.io/name", as_label(hpa_name(object))},
      {"app.kubernetes.io/part-of", object.name},
      {"app.kubernetes.io/managed-by", "keda-operator"},
  };
  auto own = object.labels;
  own[std::string(kNameLabel)] = object.name;
  if (const std::string* excluded = annotation(object, kExcluded)) {
    for (std::string_view rest = *excluded;;) {  // not trimmed, as upstream
      const auto end = rest.find(',');
      own.erase(std::string(rest.substr(0, end)));
      if (end == rest.npos) break;
      rest.remove_prefix(end + 1);
    }
  }
  for (auto& [key, value] : own) all[key] = value;
  return all;
}

std::optional<hpa::Behavior> behavior(const ScaledObject& object) {
  auto rules = object.spec.hpa_config.behavior;
  const auto disable = [&rules](std::optional<hpa::ScalingRules> hpa::Behavior::*direction) {
    if (!rules) rules.emplace();
    auto& side = *rules.*direction;
    if (!side) side.emplace();
    side->select_policy = "Disabled";
  };
  if (flag(object, kPausedScaleIn)) disable(&hpa::Behavior::scale_down);
  if (flag(object, kPausedScaleOut)) disable(&hpa::Behavior::scale_up);
  return rules;
}

hpa::MetricSpec external_metric(const ScaledObject& object, std::string name,
                                std::string_view metric_type, Quantity quantity) {
  hpa::ExternalSource source;
  source.metric.name = std::move(name);
  source.metric.selector.emplace().match_labels[std::string(kNameLabel)] = object.name;
  source.target.type = metric_type.empty() ? "AverageValue" : std::string(metric_type);
  // Whatever is not AverageValue goes to value: the API server refuses it there.
  auto& to =
      source.target.type == "AverageValue" ? source.target.average_value : source.target.value;
  to = quantity;
  return {.type = "External", .external = std::move(source)};
}

hpa::MetricSpec resource_metric(const Trigger& trigger) {
  hpa::MetricTarget target;
  target.type = trigger.metric_type;
  const auto value = parameter_of(trigger.type, trigger.metadata, "value").value_or("");
  if (trigger.metric_type == "Utilization") {
    target.average_utilization = static_cast<std::int32_t>(go_integer(value).value_or(0));
  } else {
    target.average_value = parse_quantity(value).value_or(Quantity{});
  }
  const auto container = parameter_of(trigger.type, trigger.metadata, "containerName");
  if (container) {
    return {.type = "ContainerResource",
            .container_resource = hpa::ContainerResourceSource{trigger.type, *container, target}};
  }
  return {.type = "Resource", .resource = hpa::ResourceSource{trigger.type, target}};
}

/// A positive target in milli-units, cut off; what does not fit is the most there is.
Quantity cut_off(double target) {
  constexpr double kMost = 9.2e18;
  const double milli = target * 1000;
  if (!(milli < kMost)) return {std::numeric_limits<std::int64_t>::max()};
  return {static_cast<std::int64_t>(milli)};
}

struct Metrics {
  std::vector<hpa::MetricSpec> specs;
  std::vector<std::string> paths;  // of what each was made from
};

/// What an external source says itself, and a source that Headroom cannot ask, is left out.
Metrics metrics(const ScaledObject& object) {
  struct Made {
    hpa::MetricSpec spec;
    std::string path;
  };
  std::vector<Made> all;
  const auto& triggers = object.spec.triggers;
  for (std::size_t i = 0; i < triggers.size(); ++i) {
    const Trigger& trigger = triggers[i];
    const std::string path = fmt::format("spec.triggers[{}]", i);
    if (support_of(trigger.type) == TriggerSupport::resource) {
      all.push_back({resource_metric(trigger), path});
      continue;
    }
    const auto target = headroom::policy::target_of(trigger.type, trigger.metadata,
                                                    static_cast<int>(i), object.namespace_);
    if (!target || target->metric_name.empty()) continue;
    all.push_back(
        {external_metric(object, target->metric_name, trigger.metric_type, target->quantity),
         path});
  }
  std::ranges::stable_sort(all, {}, [](const Made& made) { return made.spec.type; });
  const auto composite = modifiers_target(object);
  if (uses_modifiers(object) && composite) {
    // Upstream drops ContainerResource metrics here, too; they are no part of the formula.
    std::erase_if(all, [](const Made& made) { return made.spec.external.has_value(); });
    all.push_back({external_metric(object, std::string(kComposite),
                                   object.spec.scaling_modifiers.metric_type, cut_off(*composite)),
                   "spec.advanced.scalingModifiers.target"});
  }
  Metrics result;
  for (auto& [spec, path] : all) {
    result.specs.push_back(std::move(spec));
    result.paths.push_back(std::move(path));
  }
  return result;
}

struct Known {
  std::string_view api_version, kind;
};
/// Of apps/v1 all but DaemonSet can be scaled.
constexpr std::array kKnownKinds = {Known{"apps/v1", "ReplicaSet"}, Known{"apps/v1", "DaemonSet"},
                                    Known{"argoproj.io/v1alpha1", "Rollout"}};

bool has_core_kind(const TargetKind& kind) {
  return kind.kind == "Deployment" || kind.kind == "StatefulSet";
}

bool can_be_scaled(const TargetKind& kind, const World& world) {
  if (!world.has_scale || kind.kind == "DaemonSet") return false;
  return !has_core_kind(kind) || kind.api_version == "apps/v1";
}

}  // namespace

std::string hpa_name(const ScaledObject& object) {
  const auto& name = object.spec.hpa_config.name;
  return name.empty() ? "keda-hpa-" + object.name : name;
}

bool uses_modifiers(const ScaledObject& object) {
  return object.spec.scaling_modifiers != ScalingModifiers{};
}

std::optional<double> modifiers_target(const ScaledObject& object) {
  const auto target = formula::read_go_float(object.spec.scaling_modifiers.target);
  // Upstream lets NaN and infinity pass, which are no targets.
  if (!target || !std::isfinite(*target) || *target <= 0) return std::nullopt;
  return target;
}

std::optional<TargetKind> target_kind(std::string_view api_version, std::string_view kind) {
  TargetKind target{std::string(api_version), std::string(kind)};
  if (target.api_version.empty()) target.api_version = "apps/v1";
  if (target.kind.empty()) target.kind = "Deployment";
  if (std::ranges::count(target.api_version, '/') > 1) return std::nullopt;
  if (target.kind == "Deployment" || target.kind == "StatefulSet") return target;
  const bool known = std::ranges::any_of(kKnownKinds, [&target](const Known& other) {
    return other.api_version == target.api_version && other.kind == target.kind;
  });
  if (!known) return std::nullopt;
  return target;
}

std::vector<Refusal> check_all_parameters(const ScaledObject& object) {
  std::vector<Refusal> refusals;
  const TriggerContext context{object.namespace_, uses_modifiers(object)};
  const auto& triggers = object.spec.triggers;
  for (std::size_t i = 0; i < triggers.size(); ++i) {
    const Trigger& trigger = triggers[i];
    const std::string path = fmt::format("spec.triggers[{}]", i);
    if (support_of(trigger.type) == TriggerSupport::unknown) {
      const auto near = nearest_type(trigger.type);
      refusals.push_back(
          {"hpa", path + ".type",
           fmt::format("found \"{}\", expected a trigger of KEDA's{}", printable(trigger.type, 60),
                       near.empty() ? "" : fmt::format("; is it {}?", near))});
      continue;
    }
    for (const auto& [name, what] :
         check_parameters(trigger.type, trigger.metadata, trigger.authentication_ref.has_value(),
                          trigger.metric_type, context)) {
      refusals.push_back(
          {"hpa", path + (name.empty() ? ".metricType" : ".metadata." + name), what});
    }
  }
  return refusals;
}

tl::expected<hpa::HorizontalPodAutoscaler, Refusal> to_hpa(const ScaledObject& object) {
  const Spec& spec = object.spec;
  if (!spec.scaling_modifiers.formula.empty()) {
    if (auto refusal = check_modifiers(object)) return tl::unexpected(*refusal);
  }
  if (const auto wrong = check_all_parameters(object); !wrong.empty()) {
    return tl::unexpected(wrong.front());
  }
  const auto target = target_kind(spec.scale_target_ref.api_version, spec.scale_target_ref.kind);
  hpa::HorizontalPodAutoscaler written;
  written.name = hpa_name(object);
  written.namespace_ = object.namespace_;
  written.labels = labels(object);
  written.annotations = object.annotations;
  written.spec.scale_target_ref = {target ? target->api_version : spec.scale_target_ref.api_version,
                                   target ? target->kind : spec.scale_target_ref.kind,
                                   spec.scale_target_ref.name};
  written.spec.min_replicas = std::max(spec.min_replica_count.value_or(0), 1);
  written.spec.max_replicas = spec.max_replica_count.value_or(kMostReplicas);
  written.spec.metrics = metrics(object).specs;
  written.spec.behavior = behavior(object);
  return written;
}

std::vector<Refusal> refused_by_server(const ScaledObject& object,
                                       const hpa::HorizontalPodAutoscaler& written) {
  constexpr std::string_view kBehavior = "spec.behavior", kMetrics = "spec.metrics[";
  auto filled = written;
  hpa::set_defaults(filled);
  const auto paths = metrics(object).paths;
  std::vector<Refusal> refusals;
  for (const auto& error : hpa::validate(filled, false)) {
    std::string path = error.path;
    if (path.starts_with(kBehavior)) {
      path = fmt::format("spec.advanced.horizontalPodAutoscalerConfig{}",
                         path.substr(std::string_view("spec").size()));
    } else if (path.starts_with(kMetrics)) {
      const auto digits = path.substr(kMetrics.size(), path.find(']') - kMetrics.size());
      const auto index = static_cast<std::size_t>(go_integer(digits).value_or(0));
      const bool of_type = path.ends_with(".target.type");
      path = paths.at(index);
      if (of_type) path += ".metricType";
    }
    refusals.push_back(
        {"hpaRefused", path, fmt::format("{} (the HPA's {})", error.detail, error.path)});
  }
  return refusals;
}

std::optional<Refusal> check_pause(const ScaledObject& object) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  const std::string* text = annotation(object, kPausedReplicas);
  if (text == nullptr) return std::nullopt;
  const auto count = go_integer(*text);
  if (count && *count <= kMost && *count >= -kMost - 1) return std::nullopt;
  return Refusal{
      "pausedReplicas", fmt::format("metadata.annotations.{}", kPausedReplicas),
      fmt::format("found \"{}\", expected a whole number of replicas", printable(*text, 60))};
}

Pause pause_of(const ScaledObject& object) {
  Pause pause;
  if (const std::string* text = annotation(object, kPausedReplicas)) {
    constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
    pause.paused = true;  // whatever `paused` says
    pause.replicas = Replicas{static_cast<std::int32_t>(
        std::clamp<std::int64_t>(go_integer(*text).value_or(0), 0, kMost))};
  }
  pause.paused = pause.paused || flag(object, kPaused);
  pause.scale_in = flag(object, kPausedScaleIn);
  pause.scale_out = flag(object, kPausedScaleOut);
  return pause;
}

bool forces_activation(const ScaledObject& object) { return flag(object, kForceActivation); }

std::map<std::string, std::string> annotations_of(const Autoscaler& autoscaler) {
  const Pause& pause = autoscaler.pause;
  std::map<std::string, std::string> annotations;
  if (pause.replicas) {
    annotations[std::string(kPausedReplicas)] = fmt::format("{}", pause.replicas->count);
  } else if (pause.paused) {
    annotations[std::string(kPaused)] = "true";
  }
  if (pause.scale_in) annotations[std::string(kPausedScaleIn)] = "true";
  if (pause.scale_out) annotations[std::string(kPausedScaleOut)] = "true";
  if (autoscaler.force_activation) annotations[std::string(kForceActivation)] = "true";
  return annotations;
}

Reconciled reconcile(const ScaledObject& object, const World& world) {
  Reconciled result;
  if (pause_of(object).paused) {  // Z1, Z2
    result.gives_up = check_pause(object);
    return result;
  }
  const auto give_up = [&result](std::string check, Refusal refusal) {
    refusal.check = std::move(check);
    result.gives_up = std::move(refusal);
    return result;
  };
  if (object.name.size() > kLongestLabel) {
    return give_up("label", {{}, "metadata.name", "found more than 63 characters"});
  }
  const auto& reference = object.spec.scale_target_ref;
  const auto kind = target_kind(reference.api_version, reference.kind);
  if (!kind || !can_be_scaled(*kind, world)) {
    return give_up("target", {{}, "spec.scaleTargetRef", "found no such object to scale"});
  }
  if (const auto wrong = check_counts(object)) return give_up("replicaCounts", *wrong);
  if (const auto wrong = check_triggers(object)) return give_up("triggers", *wrong);
  if (has_core_kind(*kind) && !world.target) {
    return give_up("hpa", {{}, "spec.scaleTargetRef.name", "found no pods of that name"});
  }
  auto written = to_hpa(object);
  if (!written) return give_up("hpa", written.error());
  const auto refused = refused_by_server(object, *written);
  if (!refused.empty()) return give_up("hpaRefused", refused.front());
  result.hpa = std::move(*written);
  return result;
}

}  // namespace headroom::policy::keda
