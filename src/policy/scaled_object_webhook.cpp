#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "formula/formula.h"
#include "policy/scaled_object.h"
#include "policy/scaled_object_checks.h"
#include "policy/trigger_parameters.h"
#include "policy/trigger_syntax.h"

namespace headroom::policy::keda {
namespace {

constexpr std::string_view kConfig = "spec.advanced.horizontalPodAutoscalerConfig";
constexpr std::string_view kModifiers = "spec.advanced.scalingModifiers";
constexpr std::string_view kOwnership = "validations.keda.sh/hpa-ownership";
constexpr std::string_view kTransfer = "scaledobject.keda.sh/transfer-hpa-ownership";

bool is_resource(const Trigger& trigger) {
  return support_of(trigger.type) == TriggerSupport::resource;
}

std::string annotation(const std::map<std::string, std::string>& annotations,
                       std::string_view name) {
  const auto found = annotations.find(std::string(name));
  return found == annotations.end() ? "" : found->second;
}

std::optional<Refusal> verify_name(const ScaledObject& object) {
  if (object.name.size() > kLongestLabel) {
    return Refusal{
        "verifyName", "metadata.name",
        fmt::format("found {} characters, expected at most {}", object.name.size(), kLongestLabel)};
  }
  const auto name = hpa_name(object);
  if (name.size() <= kLongestLabel) return std::nullopt;
  return Refusal{
      "verifyName",
      object.spec.hpa_config.name.empty() ? "metadata.name" : fmt::format("{}.name", kConfig),
      fmt::format("found \"{}\" as the HPA's name, expected at most {} characters",
                  printable(name, 80), kLongestLabel)};
}

/// Of the webhook itself: whether another kind or name stands behind the same target.
struct TargetOf {
  std::optional<TargetKind> kind;
  std::string_view name;
};
TargetOf target_of_object(const ScaledObject& object) {
  const auto& target = object.spec.scale_target_ref;
  return {target_kind(target.api_version, target.kind), target.name};
}

Refusal unknown_target(std::string check, const ScaledObject& object) {
  const auto& target = object.spec.scale_target_ref;
  return {std::move(check), "spec.scaleTargetRef",
          fmt::format("found {} {}, expected a kind that can be scaled",
                      printable(target.api_version, 60), printable(target.kind, 60))};
}

std::optional<Refusal> verify_other_objects(const ScaledObject& object, const World& world) {
  const std::string check = "verifyScaledObjects";
  const auto target = target_of_object(object);
  if (!target.kind) return unknown_target(check, object);
  for (const auto& other : world.scaled_objects) {
    if (other.namespace_ != object.namespace_ || other.name == object.name) continue;
    const auto theirs = target_of_object(other);
    if (theirs.name == target.name && (!theirs.kind || theirs.kind == target.kind)) {
      return Refusal{check, "spec.scaleTargetRef",
                     fmt::format("found \"{}\", which ScaledObject {} has already",
                                 printable(target.name, 60), printable(other.name, 60))};
    }
  }
  for (const auto& other : world.scaled_objects) {
    if (other.namespace_ != object.namespace_ || other.name == object.name ||
        hpa_name(other) != hpa_name(object)) {
      continue;
    }
    return Refusal{check, fmt::format("{}.name", kConfig),
                   fmt::format("found \"{}\", which ScaledObject {} has already",
                               printable(hpa_name(object), 80), printable(other.name, 60))};
  }
  return std::nullopt;
}

/// V8's part that KEDA looks at with the other objects.
std::optional<Refusal> verify_modifiers(const ScaledObject& object) {
  const std::string check = "verifyScaledObjects";
  const auto& spec = object.spec;
  if (uses_modifiers(object)) {
    if (auto refusal = check_modifiers(object)) {
      refusal->check = check;
      return refusal;
    }
  }
  if (spec.fallback && spec.fallback->behavior == "scalingModifiers" &&
      spec.scaling_modifiers.formula.empty()) {
    return Refusal{check, "spec.fallback.behavior",
                   "found scalingModifiers, expected a formula in spec.advanced.scalingModifiers "
                   "with it"};
  }
  return std::nullopt;
}

std::optional<Refusal> verify_hpas(const ScaledObject& object, const World& world) {
  const std::string check = "verifyHpas";
  const auto target = target_of_object(object);
  if (!target.kind) return unknown_target(check, object);
  for (const auto& other : world.hpas) {
    if (other.namespace_ != object.namespace_ || other.target.name != target.name ||
        annotation(other.annotations, kOwnership) == "false") {
      continue;
    }
    const auto theirs = target_kind(other.target.api_version, other.target.kind);
    if (theirs && theirs != target.kind) continue;
    const bool owned = std::ranges::any_of(other.owners, [&object](const auto& owner) {
      return owner.kind == kKind && owner.name == object.name;
    });
    const bool transferred = annotation(object.annotations, kTransfer) == "true" &&
                             object.spec.hpa_config.name == other.name;
    if (theirs && (owned || transferred)) continue;
    return Refusal{check, "spec.scaleTargetRef",
                   fmt::format("found \"{}\", which HorizontalPodAutoscaler {} scales already",
                               printable(target.name, 60), printable(other.name, 60))};
  }
  return std::nullopt;
}

bool has_resource(const Container& container, const std::string& resource) {
  const auto above_zero = [&resource](const std::map<std::string, Quantity>& amounts) {
    const auto found = amounts.find(resource);
    return found != amounts.end() && found->second.milli > 0;
  };
  return above_zero(container.requests) || above_zero(container.limits);
}

bool has_default(const World& world, const std::string& namespace_, const std::string& resource) {
  for (const auto& range : world.limit_ranges) {
    if (range.namespace_ != namespace_) continue;
    for (const auto& limit : range.limits) {
      const Container amounts{{}, limit.default_request, limit.default_limit};
      if (limit.type == "Container" && has_resource(amounts, resource)) return true;
    }
  }
  return false;
}

/// V6 for one trigger of type cpu or memory.
std::optional<Refusal> verify_requests(const ScaledObject& object, const World& world,
                                       std::size_t index) {
  const Trigger& trigger = object.spec.triggers[index];
  const auto name = trigger.metadata.find("containerName");
  const bool all = name == trigger.metadata.end() || name->second.empty();
  if (all && has_resource(world.target->pod, trigger.type)) return std::nullopt;
  if (has_default(world, object.namespace_, trigger.type)) return std::nullopt;
  for (const auto& container : world.target->containers) {
    if ((!all && container.name != name->second) || has_resource(container, trigger.type)) continue;
    return Refusal{"verifyCPUMemoryScalers", fmt::format("spec.triggers[{}]", index),
                   fmt::format("found no request for {} in container {}, expected one",
                               trigger.type, printable(container.name, 60))};
  }
  return std::nullopt;
}

std::optional<Refusal> verify_resources(const ScaledObject& object, const World& world) {
  const auto& triggers = object.spec.triggers;
  const auto target = target_of_object(object);
  if (world.dry_run || std::ranges::none_of(triggers, is_resource)) return std::nullopt;
  if (!target.kind) return unknown_target("verifyCPUMemoryScalers", object);
  constexpr std::array<std::string_view, 2> kLookedAt = {"Deployment", "StatefulSet"};
  if (target.kind->api_version != "apps/v1" ||
      std::ranges::find(kLookedAt, target.kind->kind) == kLookedAt.end()) {
    return std::nullopt;
  }
  if (!world.target) {
    return Refusal{"verifyCPUMemoryScalers", "spec.scaleTargetRef.name",
                   fmt::format("found \"{}\", expected a {} that there is",
                               printable(target.name, 60), target.kind->kind)};
  }
  for (std::size_t i = 0; i < triggers.size(); ++i) {
    if (!is_resource(triggers[i])) continue;
    if (auto refusal = verify_requests(object, world, i)) return refusal;
  }
  return check_wakes(object);
}

std::vector<Refusal> sorted(std::initializer_list<std::optional<Refusal>> all) {
  std::vector<Refusal> refusals;
  for (const auto& refusal : all) {
    if (refusal) refusals.push_back(*refusal);
  }
  std::ranges::stable_sort(refusals, {}, &Refusal::check);
  const auto same = [](const Refusal& a, const Refusal& b) { return a.check == b.check; };
  refusals.erase(std::unique(refusals.begin(), refusals.end(), same), refusals.end());
  return refusals;
}

}  // namespace

std::optional<Refusal> check_counts(const ScaledObject& object) {
  const Spec& spec = object.spec;
  // As upstream: a minimum of 0 that is written counts as 1, one that is left out as 0.
  const std::int32_t min = spec.min_replica_count ? std::max(*spec.min_replica_count, 1) : 0;
  const std::int32_t max = spec.max_replica_count.value_or(kMostReplicas);
  if (min > max) {
    return Refusal{"verifyReplicaCount", "spec.minReplicaCount",
                   fmt::format("found {}, expected at most maxReplicaCount {}", min, max)};
  }
  if (spec.idle_replica_count && *spec.idle_replica_count >= min) {
    return Refusal{"verifyReplicaCount", "spec.idleReplicaCount",
                   spec.min_replica_count
                       ? fmt::format("found {}, expected less than minReplicaCount {}",
                                     *spec.idle_replica_count, min)
                       : fmt::format("found {} without minReplicaCount, expected it with it",
                                     *spec.idle_replica_count)};
  }
  return std::nullopt;
}

std::optional<Refusal> check_triggers(const ScaledObject& object) {
  constexpr std::array<std::string_view, 3> kNotCached = {"cpu", "memory", "cron"};
  std::set<std::string_view> names;
  const auto& triggers = object.spec.triggers;
  for (std::size_t i = 0; i < triggers.size(); ++i) {
    const auto& [type, name] = std::tie(triggers[i].type, triggers[i].name);
    if (triggers[i].use_cached_metrics && std::ranges::find(kNotCached, type) != kNotCached.end()) {
      return Refusal{"verifyTriggers", fmt::format("spec.triggers[{}].useCachedMetrics", i),
                     fmt::format("found true, expected false for {}", type)};
    }
    if (!name.empty() && !names.insert(name).second) {
      return Refusal{
          "verifyTriggers", fmt::format("spec.triggers[{}].name", i),
          fmt::format("found \"{}\" again, expected each name once", printable(name, 60))};
    }
  }
  return std::nullopt;
}

std::optional<Refusal> check_fallback(const ScaledObject& object) {
  if (!object.spec.fallback || uses_modifiers(object) ||
      !std::ranges::all_of(object.spec.triggers, is_resource)) {
    return std::nullopt;
  }
  return Refusal{"verifyFallback", "spec.fallback",
                 "found it beside cpu and memory triggers alone, expected one of another type"};
}

std::optional<Refusal> check_wakes(const ScaledObject& object) {
  const Spec& spec = object.spec;
  if (spec.min_replica_count.value_or(0) != 0 || !std::ranges::all_of(spec.triggers, is_resource)) {
    return std::nullopt;
  }
  return Refusal{"verifyCPUMemoryScalers", spec.min_replica_count ? "spec.minReplicaCount" : "spec",
                 "found cpu and memory triggers alone and minReplicaCount 0, expected at least 1: "
                 "without replicas there is nothing to measure"};
}

std::optional<Refusal> check_modifiers(const ScaledObject& object) {
  const auto& modifiers = object.spec.scaling_modifiers;
  const auto wrong = [](std::string_view field, std::string what) {
    return Refusal{"hpa", fmt::format("{}.{}", kModifiers, field), std::move(what)};
  };
  if (modifiers.formula.empty()) return wrong("formula", "found none, expected a formula");
  if (modifiers.target.empty()) return wrong("target", "found none, expected a number above 0");
  std::vector<std::string> names;
  for (const auto& trigger : object.spec.triggers) {
    if (!trigger.name.empty() && !is_resource(trigger)) names.push_back(trigger.name);
  }
  const auto formula = formula::Formula::compile(modifiers.formula, names);
  if (!formula) return wrong("formula", formula.error().what);
  const std::vector<formula::Value> trial(names.size(), -1.0);
  if (const auto value = formula->run(trial); !value) {
    return wrong("formula", fmt::format("tried with -1 for each trigger: {}", value.error().what));
  }
  if (!modifiers_target(object)) {
    return wrong("target", fmt::format("found \"{}\", expected a number above 0",
                                       printable(modifiers.target, 60)));
  }
  return std::nullopt;
}

std::vector<Refusal> webhook(const ScaledObject& object) {
  return sorted({check_wakes(object), check_fallback(object), verify_name(object),
                 check_counts(object), verify_modifiers(object), check_triggers(object)});
}

std::vector<Refusal> webhook(const ScaledObject& object, const World& world) {
  auto others = verify_other_objects(object, world);
  if (!others) others = verify_modifiers(object);
  return sorted({verify_resources(object, world), check_fallback(object),
                 verify_hpas(object, world), verify_name(object), check_counts(object), others,
                 check_triggers(object)});
}

std::vector<std::string> idle_settings(const ScaledObject& object) {
  const Spec& spec = object.spec;
  std::vector<std::string> settings;
  if (spec.min_replica_count.value_or(0) <= 0 || spec.idle_replica_count) return settings;
  const bool cached = std::ranges::any_of(spec.triggers, &Trigger::use_cached_metrics);
  if (spec.polling_interval && !cached && !uses_modifiers(object)) {
    settings.emplace_back("pollingInterval");
  }
  if (spec.cooldown_period) settings.emplace_back("cooldownPeriod");
  return settings;
}

}  // namespace headroom::policy::keda
