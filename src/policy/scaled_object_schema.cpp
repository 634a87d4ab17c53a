#include <algorithm>
#include <array>
#include <limits>
#include <span>
#include <tuple>

#include <fmt/format.h>

#include "base/text.h"
#include "policy/forms.h"
#include "policy/names.h"
#include "policy/scaled_object.h"
#include "policy/yaml_scalar.h"

namespace headroom::policy::keda {
namespace {

std::string found(const Node& node) {
  if (node.kind != Node::Kind::scalar) return std::string(words_of(node.kind));
  const auto text = printable(node.text, 60);
  return scalar_of(node) == Scalar::text ? fmt::format("\"{}\"", text) : text;
}

struct TextRule {
  bool required = false;
  bool filled = false;  // at least one character
  std::span<const std::string_view> words = {};
};
struct WholeRule {
  bool required = false;
  std::optional<std::int64_t> min;
};

using Names = std::initializer_list<std::string_view>;

constexpr std::string_view kRequired = "FieldValueRequired";
constexpr std::string_view kTypeInvalid = "FieldValueTypeInvalid";
constexpr std::string_view kInvalid = "FieldValueInvalid";
constexpr std::string_view kNotSupported = "FieldValueNotSupported";

/// Walks one document. Paths are Kubernetes'.
class SchemaReader {
 public:
  explicit SchemaReader(Strictness strictness) : strictness_(strictness) {}

  Read read(const Node& document);

 private:
  void error(std::string_view type, std::string path, const Node& node, std::string detail) {
    read_.errors.push_back({std::string(type), std::move(path), std::move(detail), node.place});
  }
  void wrong_type(const std::string& path, const Node& node, std::string_view expected) {
    error(kTypeInvalid, path, node, fmt::format("found {}, expected {}", found(node), expected));
  }

  /// The value of a name; nulls count as left out.
  static const Node* value(const Node& map, std::string_view name) {
    const Node* node = map.find(name);
    return node == nullptr || node->kind == Node::Kind::null ? nullptr : node;
  }
  const Node* value(const Node& map, const std::string& path, std::string_view name,
                    bool required) {
    const Node* node = value(map, name);
    if (node == nullptr && required) {
      error(kRequired, path + "." + std::string(name), map, "found nothing, expected it");
    }
    return node;
  }
  /// Whether it is a map; what it does not know is said and dropped.
  bool is_map(const Node& node, const std::string& path, Names names);

  void text(const Node& map, const std::string& path, std::string_view name, std::string& to,
            const TextRule& rule = {});
  void whole(const Node& map, const std::string& path, std::string_view name,
             std::optional<std::int32_t>& to, const WholeRule& rule = {});
  void whole(const Node& map, const std::string& path, std::string_view name, std::int32_t& to,
             const WholeRule& rule = {});
  void flag(const Node& map, const std::string& path, std::string_view name, bool& to);
  void quantity(const Node& map, const std::string& path, std::string_view name,
                std::optional<Quantity>& to);
  void texts(const Node& map, const std::string& path, std::string_view name, bool required,
             std::map<std::string, std::string>& to);

  void metadata(const Node& document);
  void spec(const Node& node);
  void check_counts(const Node& node);
  void scale_target(const Node& node, const std::string& path);
  void fallback(const Node& node, const std::string& path);
  void advanced(const Node& node, const std::string& path);
  void behavior(const Node& node, const std::string& path);
  void rules(const Node& node, const std::string& path, hpa::ScalingRules& to);
  void policies(const Node& node, const std::string& path, std::vector<hpa::ScalingPolicy>& to);
  void triggers(const Node& node, const std::string& path);
  void trigger(const Node& node, const std::string& path, Trigger& to);

  Strictness strictness_;
  Read read_;
};

bool SchemaReader::is_map(const Node& node, const std::string& path, Names names) {
  if (node.kind != Node::Kind::map) {
    wrong_type(path, node, "a map");
    return false;
  }
  for (std::size_t i = 0; i + 1 < node.items.size(); i += 2) {
    const auto& name = node.items[i]->text;
    if (std::ranges::find(names, name) != names.end()) continue;
    const auto near = nearest(name, std::vector<std::string_view>(names));
    read_.warnings.push_back(
        {{},
         path.empty() ? name : path + "." + name,
         near.empty() ? "found an unknown field, passed over"
                      : fmt::format("found an unknown field, passed over; is it {}?", near),
         node.items[i]->place});
  }
  return true;
}

void SchemaReader::text(const Node& map, const std::string& path, std::string_view name,
                        std::string& to, const TextRule& rule) {
  const Node* node = value(map, path, name, rule.required);
  if (node == nullptr) return;
  const std::string full = path + "." + std::string(name);
  const bool fits = node->kind == Node::Kind::scalar && scalar_of(*node) == Scalar::text;
  if (!fits) {
    wrong_type(full, *node, "a text");
  } else if (rule.filled && node->text.empty()) {
    error(kInvalid, full, *node, "found \"\", expected a text that is not empty");
  }
  const bool known = fits && std::ranges::find(rule.words, node->text) != rule.words.end();
  if (!rule.words.empty() && !known) {
    error(kNotSupported, full, *node,
          fmt::format("found {}, expected one of {}", found(*node), fmt::join(rule.words, ", ")));
  }
  if (fits) to = node->text;
}

void SchemaReader::whole(const Node& map, const std::string& path, std::string_view name,
                         std::optional<std::int32_t>& to, const WholeRule& rule) {
  constexpr double kLow = std::numeric_limits<std::int32_t>::min();
  constexpr double kHigh = std::numeric_limits<std::int32_t>::max();
  const Node* node = value(map, path, name, rule.required);
  if (node == nullptr) return;
  const std::string full = path + "." + std::string(name);
  const auto number = whole_of(*node);
  if (!number) return wrong_type(full, *node, "a whole number");
  const double least = rule.min ? static_cast<double>(*rule.min) : kLow;
  if (*number < least || *number > kHigh) {
    error(kInvalid, full, *node,
          fmt::format("found {}, expected a whole number from {} to {}", found(*node),
                      static_cast<std::int64_t>(least), static_cast<std::int64_t>(kHigh)));
  }
  // Kept as near as it gets: a check of several numbers looks at it, too.
  to = static_cast<std::int32_t>(std::clamp(*number, kLow, kHigh));
}

void SchemaReader::whole(const Node& map, const std::string& path, std::string_view name,
                         std::int32_t& to, const WholeRule& rule) {
  std::optional<std::int32_t> number;
  whole(map, path, name, number, rule);
  to = number.value_or(to);
}

void SchemaReader::flag(const Node& map, const std::string& path, std::string_view name, bool& to) {
  const Node* node = value(map, name);
  if (node == nullptr) return;
  const auto read = flag_of(*node);
  if (!read) return wrong_type(path + "." + std::string(name), *node, "true or false");
  to = *read;
}

void SchemaReader::quantity(const Node& map, const std::string& path, std::string_view name,
                            std::optional<Quantity>& to) {
  const Node* node = value(map, name);
  if (node == nullptr) return;
  const std::string full = path + "." + std::string(name);
  const auto kind = scalar_of(*node);
  const bool fits =
      node->kind == Node::Kind::scalar && (kind == Scalar::text || kind == Scalar::whole);
  const auto read = fits ? parse_quantity(node->text) : fail({});
  const auto detail =
      fmt::format("found {}, expected a quantity in quotes such as \"50m\"", found(*node));
  if (!read) error(kInvalid, full, *node, detail);
  if (!fits) error(kTypeInvalid, full, *node, detail);
  if (read) to = *read;
}

void SchemaReader::texts(const Node& map, const std::string& path, std::string_view name,
                         bool required, std::map<std::string, std::string>& to) {
  const Node* node = value(map, path, name, required);
  if (node == nullptr) return;
  const std::string full = path + "." + std::string(name);
  if (node->kind != Node::Kind::map) return wrong_type(full, *node, "a map");
  for (std::size_t i = 0; i + 1 < node->items.size(); i += 2) {
    const auto& key = node->items[i]->text;
    const Node& item = *node->items[i + 1];
    if (item.kind == Node::Kind::null) continue;
    const bool is_scalar = item.kind == Node::Kind::scalar;
    if (is_scalar && scalar_of(item) == Scalar::text) {
      to[key] = item.text;
    } else if (is_scalar && strictness_ == Strictness::one_machine && name == "metadata") {
      to[key] = item.text;
      read_.warnings.push_back(
          {{},
           full + "." + key,
           fmt::format("found {}, taken as \"{}\"; Kubernetes wants it in quotes",
                       printable(item.text, 60), printable(item.text, 60)),
           item.place});
    } else {
      wrong_type(full + "." + key, item, "a text in quotes");
    }
  }
}

void SchemaReader::metadata(const Node& document) {
  ScaledObject& object = read_.object;
  const Node* node = value(document, "metadata");
  if (node == nullptr) {
    return error(kRequired, "metadata", document, "found nothing, expected it");
  }
  if (node->kind != Node::Kind::map) return wrong_type("metadata", *node, "a map");
  text(*node, "metadata", "name", object.name, {.required = true, .filled = true});
  text(*node, "metadata", "namespace", object.namespace_);
  texts(*node, "metadata", "labels", false, object.labels);
  texts(*node, "metadata", "annotations", false, object.annotations);
  const auto& name = object.name;
  if (!name.empty() && (name.size() > 253 || !is_dns_subdomain(name))) {
    error(kInvalid, "metadata.name", *value(*node, "name"),
          fmt::format("found \"{}\", expected a DNS name such as shop-1 (a-z, 0-9, - and .)",
                      printable(name, 60)));
  }
  if (!object.namespace_.empty() && !form::kDnsLabel.fits(object.namespace_)) {
    error(kInvalid, "metadata.namespace", *value(*node, "namespace"),
          fmt::format("found \"{}\", expected {}", printable(object.namespace_, 60),
                      form::kDnsLabel.expected));
  }
}

void SchemaReader::scale_target(const Node& node, const std::string& path) {
  if (!is_map(node, path, {"name", "apiVersion", "kind", "envSourceContainerName"})) return;
  auto& to = read_.object.spec.scale_target_ref;
  text(node, path, "name", to.name, {.required = true, .filled = true});
  text(node, path, "apiVersion", to.api_version);
  text(node, path, "kind", to.kind);
  text(node, path, "envSourceContainerName", to.env_source_container_name);
}

void SchemaReader::fallback(const Node& node, const std::string& path) {
  static constexpr std::array<std::string_view, 5> kBehaviors = {
      "static", "currentReplicas", "currentReplicasIfHigher", "currentReplicasIfLower",
      "scalingModifiers"};
  if (!is_map(node, path, {"failureThreshold", "replicas", "behavior"})) return;
  auto& to = read_.object.spec.fallback.emplace();
  to.behavior = kBehaviors[0];
  whole(node, path, "failureThreshold", to.failure_threshold, {.required = true, .min = 0});
  whole(node, path, "replicas", to.replicas, {.required = true, .min = 0});
  text(node, path, "behavior", to.behavior, {.words = kBehaviors});
}

void SchemaReader::policies(const Node& node, const std::string& path,
                            std::vector<hpa::ScalingPolicy>& to) {
  if (node.kind != Node::Kind::sequence) return wrong_type(path, node, "a list");
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const std::string item = fmt::format("{}[{}]", path, i);
    auto& policy = to.emplace_back();
    if (!is_map(*node.items[i], item, {"type", "value", "periodSeconds"})) continue;
    text(*node.items[i], item, "type", policy.type, {.required = true});
    whole(*node.items[i], item, "value", policy.value, {.required = true});
    whole(*node.items[i], item, "periodSeconds", policy.period_seconds, {.required = true});
  }
}

void SchemaReader::rules(const Node& node, const std::string& path, hpa::ScalingRules& to) {
  if (!is_map(node, path,
              {"policies", "selectPolicy", "stabilizationWindowSeconds", "tolerance"})) {
    return;
  }
  if (const Node* list = value(node, "policies")) {
    policies(*list, path + ".policies", to.policies.emplace());
  }
  if (value(node, "selectPolicy") != nullptr) {
    text(node, path, "selectPolicy", to.select_policy.emplace());
  }
  whole(node, path, "stabilizationWindowSeconds", to.stabilization_window_seconds);
  quantity(node, path, "tolerance", to.tolerance);
}

void SchemaReader::behavior(const Node& node, const std::string& path) {
  if (!is_map(node, path, {"scaleDown", "scaleUp"})) return;
  auto& to = read_.object.spec.hpa_config.behavior.emplace();
  if (const Node* down = value(node, "scaleDown")) {
    rules(*down, path + ".scaleDown", to.scale_down.emplace());
  }
  if (const Node* up = value(node, "scaleUp")) rules(*up, path + ".scaleUp", to.scale_up.emplace());
}

void SchemaReader::advanced(const Node& node, const std::string& path) {
  static constexpr std::array<std::string_view, 2> kMetricTypes = {"AverageValue", "Value"};
  if (!is_map(
          node, path,
          {"horizontalPodAutoscalerConfig", "restoreToOriginalReplicaCount", "scalingModifiers"})) {
    return;
  }
  Spec& to = read_.object.spec;
  const std::string config_path = path + ".horizontalPodAutoscalerConfig";
  const Node* config = value(node, "horizontalPodAutoscalerConfig");
  if (config != nullptr && is_map(*config, config_path, {"behavior", "name"})) {
    text(*config, config_path, "name", to.hpa_config.name);
    if (const Node* inner = value(*config, "behavior")) behavior(*inner, config_path + ".behavior");
  }
  flag(node, path, "restoreToOriginalReplicaCount", to.restore_to_original_replica_count);
  const std::string modifiers_path = path + ".scalingModifiers";
  const Node* modifiers = value(node, "scalingModifiers");
  if (modifiers != nullptr &&
      is_map(*modifiers, modifiers_path, {"formula", "target", "activationTarget", "metricType"})) {
    auto& into = to.scaling_modifiers;
    text(*modifiers, modifiers_path, "formula", into.formula);
    text(*modifiers, modifiers_path, "target", into.target);
    text(*modifiers, modifiers_path, "activationTarget", into.activation_target);
    text(*modifiers, modifiers_path, "metricType", into.metric_type, {.words = kMetricTypes});
  }
}

void SchemaReader::trigger(const Node& node, const std::string& path, Trigger& to) {
  static constexpr std::array<std::string_view, 2> kKinds = {"TriggerAuthentication",
                                                             "ClusterTriggerAuthentication"};
  if (!is_map(
          node, path,
          {"type", "name", "metadata", "metricType", "useCachedMetrics", "authenticationRef"})) {
    return;
  }
  text(node, path, "type", to.type, {.required = true, .filled = true});
  text(node, path, "name", to.name);
  texts(node, path, "metadata", true, to.metadata);
  text(node, path, "metricType", to.metric_type);
  flag(node, path, "useCachedMetrics", to.use_cached_metrics);
  const Node* reference = value(node, "authenticationRef");
  const std::string inner = path + ".authenticationRef";
  if (reference == nullptr || !is_map(*reference, inner, {"name", "kind"})) return;
  auto& into = to.authentication_ref.emplace();
  text(*reference, inner, "name", into.name, {.required = true});
  text(*reference, inner, "kind", into.kind, {.words = kKinds});
}

void SchemaReader::triggers(const Node& node, const std::string& path) {
  if (node.kind != Node::Kind::sequence) return wrong_type(path, node, "a list");
  if (node.items.empty()) error(kInvalid, path, node, "found no trigger, expected at least one");
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    trigger(*node.items[i], fmt::format("{}[{}]", path, i),
            read_.object.spec.triggers.emplace_back());
  }
}

/// The CRD's own rule, which the API server looks at only where the rest has a shape.
void SchemaReader::check_counts(const Node& node) {
  constexpr std::int32_t kMost = 100;
  const Spec& spec = read_.object.spec;
  const bool shapely = std::ranges::all_of(
      read_.errors, [](const FieldError& error) { return error.type == kInvalid; });
  const auto max = spec.max_replica_count.value_or(kMost);
  if (!shapely || !spec.min_replica_count || *spec.min_replica_count <= max) return;
  const Node* at = value(node, spec.max_replica_count ? "maxReplicaCount" : "minReplicaCount");
  error(kInvalid, "spec", *at,
        fmt::format("found minReplicaCount {} above maxReplicaCount {}{}, expected at most that",
                    *spec.min_replica_count, max, spec.max_replica_count ? "" : " (the default)"));
}

void SchemaReader::spec(const Node& node) {
  const std::string path = "spec";
  if (!is_map(node, path,
              {"scaleTargetRef", "pollingInterval", "initialCooldownPeriod", "cooldownPeriod",
               "idleReplicaCount", "minReplicaCount", "maxReplicaCount", "advanced", "triggers",
               "fallback"})) {
    return;
  }
  Spec& to = read_.object.spec;
  if (const Node* inner = value(node, path, "scaleTargetRef", true)) {
    scale_target(*inner, path + ".scaleTargetRef");
  }
  whole(node, path, "pollingInterval", to.polling_interval, {.min = 1});
  whole(node, path, "initialCooldownPeriod", to.initial_cooldown_period, {.min = 0});
  whole(node, path, "cooldownPeriod", to.cooldown_period, {.min = 0});
  whole(node, path, "idleReplicaCount", to.idle_replica_count, {.min = 0});
  whole(node, path, "minReplicaCount", to.min_replica_count, {.min = 0});
  whole(node, path, "maxReplicaCount", to.max_replica_count, {.min = 1});
  if (const Node* inner = value(node, "advanced")) advanced(*inner, path + ".advanced");
  if (const Node* inner = value(node, path, "triggers", true)) triggers(*inner, path + ".triggers");
  if (const Node* inner = value(node, "fallback")) fallback(*inner, path + ".fallback");
  check_counts(node);
}

Read SchemaReader::read(const Node& document) {
  if (!is_map(document, "", {"apiVersion", "kind", "metadata", "spec", "status"})) {
    return std::move(read_);
  }
  metadata(document);
  if (const Node* node = value(document, "spec")) {
    spec(*node);
  } else {
    error(kRequired, "spec", document, "found nothing, expected it");
  }
  const auto key = [](const FieldError& error) { return std::tie(error.path, error.type); };
  std::ranges::stable_sort(read_.errors, {}, key);
  const auto same = [&key](const FieldError& a, const FieldError& b) { return key(a) == key(b); };
  read_.errors.erase(std::unique(read_.errors.begin(), read_.errors.end(), same),
                     read_.errors.end());
  return std::move(read_);
}

}  // namespace

Read read(const Node& document, Strictness strictness) {
  return SchemaReader(strictness).read(document);
}

}  // namespace headroom::policy::keda
