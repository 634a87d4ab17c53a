#include <fmt/format.h>

#include "policy/scaled_object.h"
#include "policy/yaml_text.h"

namespace headroom::policy::keda {
namespace {

/// Lines of one level; what is empty or left out is not written.
class Level {
 public:
  void text(std::string_view name, const std::string& value) {
    if (!value.empty()) lines_.push_back(fmt::format("{}: {}", name, yaml_text(value)));
  }
  void number(std::string_view name, std::optional<std::int32_t> value) {
    if (value) lines_.push_back(fmt::format("{}: {}", name, *value));
  }
  void flag(std::string_view name, bool value) {
    if (value) lines_.push_back(fmt::format("{}: true", name));
  }
  /// Texts that look like numbers are in quotes, as Kubernetes wants it.
  void texts(std::string_view name, const std::map<std::string, std::string>& values,
             bool always = false) {
    if (values.empty() && always) lines_.push_back(fmt::format("{}: {{}}", name));
    if (values.empty()) return;
    Level inside;
    for (const auto& [key, value] : values) {
      inside.lines_.push_back(fmt::format("{}: {}", yaml_text(key), yaml_text(value)));
    }
    level(name, inside);
  }
  void level(std::string_view name, const Level& inside, bool always = false) {
    if (inside.lines_.empty() && always) lines_.push_back(fmt::format("{}: {{}}", name));
    if (inside.lines_.empty()) return;
    lines_.push_back(fmt::format("{}:", name));
    append(lines_, indented(inside.lines_, "  ", "  "));
  }
  void levels(std::string_view name, const std::vector<Level>& items) {
    lines_.push_back(fmt::format("{}:{}", name, items.empty() ? " []" : ""));
    for (const auto& item : items) append(lines_, indented(item.lines_, "  - ", "    "));
  }
  const Lines& lines() const { return lines_; }

 private:
  Lines lines_;
};

Level written(const hpa::ScalingRules& rules) {
  Level level;
  level.number("stabilizationWindowSeconds", rules.stabilization_window_seconds);
  level.text("selectPolicy", rules.select_policy.value_or(""));
  if (rules.policies) {
    std::vector<Level> items;
    for (const auto& policy : *rules.policies) {
      Level& item = items.emplace_back();
      item.text("type", policy.type);
      item.number("value", policy.value);
      item.number("periodSeconds", policy.period_seconds);
    }
    level.levels("policies", items);
  }
  if (rules.tolerance) level.text("tolerance", to_string(*rules.tolerance));
  return level;
}

Level advanced(const Spec& spec) {
  Level behavior, config, modifiers, all;
  if (const auto& rules = spec.hpa_config.behavior) {
    if (rules->scale_up) behavior.level("scaleUp", written(*rules->scale_up), true);
    if (rules->scale_down) behavior.level("scaleDown", written(*rules->scale_down), true);
  }
  config.text("name", spec.hpa_config.name);
  config.level("behavior", behavior, spec.hpa_config.behavior.has_value());
  modifiers.text("formula", spec.scaling_modifiers.formula);
  modifiers.text("target", spec.scaling_modifiers.target);
  modifiers.text("activationTarget", spec.scaling_modifiers.activation_target);
  modifiers.text("metricType", spec.scaling_modifiers.metric_type);
  all.flag("restoreToOriginalReplicaCount", spec.restore_to_original_replica_count);
  all.level("horizontalPodAutoscalerConfig", config);
  all.level("scalingModifiers", modifiers);
  return all;
}

Level written(const Trigger& trigger) {
  Level level;
  level.text("type", trigger.type);
  level.text("name", trigger.name);
  level.text("metricType", trigger.metric_type);
  level.flag("useCachedMetrics", trigger.use_cached_metrics);
  level.texts("metadata", trigger.metadata, true);
  if (const auto& reference = trigger.authentication_ref) {
    Level inside;
    inside.text("name", reference->name);
    inside.text("kind", reference->kind);
    level.level("authenticationRef", inside);
  }
  return level;
}

Level written(const Spec& spec) {
  Level level, target;
  target.text("apiVersion", spec.scale_target_ref.api_version);
  target.text("kind", spec.scale_target_ref.kind);
  target.text("name", spec.scale_target_ref.name);
  target.text("envSourceContainerName", spec.scale_target_ref.env_source_container_name);
  level.level("scaleTargetRef", target);
  level.number("pollingInterval", spec.polling_interval);
  level.number("cooldownPeriod", spec.cooldown_period);
  level.number("initialCooldownPeriod", spec.initial_cooldown_period);
  level.number("idleReplicaCount", spec.idle_replica_count);
  level.number("minReplicaCount", spec.min_replica_count);
  level.number("maxReplicaCount", spec.max_replica_count);
  if (const auto& fallback = spec.fallback) {
    Level inside;
    inside.number("failureThreshold", fallback->failure_threshold);
    inside.number("replicas", fallback->replicas);
    inside.text("behavior", fallback->behavior);
    level.level("fallback", inside);
  }
  level.level("advanced", advanced(spec));
  std::vector<Level> triggers;
  for (const auto& trigger : spec.triggers) triggers.push_back(written(trigger));
  level.levels("triggers", triggers);
  return level;
}

}  // namespace

std::string write(const ScaledObject& object) {
  Level metadata, document;
  metadata.text("name", object.name);
  metadata.text("namespace", object.namespace_);
  metadata.texts("labels", object.labels);
  metadata.texts("annotations", object.annotations);
  document.text("apiVersion", std::string(kApiVersion));
  document.text("kind", std::string(kKind));
  document.level("metadata", metadata);
  document.level("spec", written(object.spec));
  return fmt::format("{}\n", fmt::join(document.lines(), "\n"));
}

}  // namespace headroom::policy::keda
