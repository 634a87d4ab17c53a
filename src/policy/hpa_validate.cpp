#include <algorithm>
#include <array>
#include <tuple>

#include <fmt/format.h>

#include "base/text.h"
#include "policy/hpa.h"
#include "policy/names.h"

// What the API server refuses, in its own order of looking. Where it says one thing twice (in a
// hand-written check and again in a switch), so does this: the list is compared with its answers.
namespace headroom::policy::hpa {
namespace {

constexpr std::int32_t kLongestPeriod = 1800;
constexpr std::int32_t kLongestWindow = 3600;

std::string shown(std::string_view text) { return fmt::format("\"{}\"", printable(text, 60)); }

class Errors {
 public:
  void invalid(std::string path, std::string_view found, std::string_view expected) {
    add("FieldValueInvalid", std::move(path), found, expected);
  }
  void required(std::string path, std::string_view expected) {
    add("FieldValueRequired", std::move(path), "nothing", expected);
  }
  void forbidden(std::string path, std::string_view found, std::string_view expected) {
    add("FieldValueForbidden", std::move(path), found, expected);
  }
  void not_supported(std::string path, std::string_view found, std::string_view expected) {
    add("FieldValueNotSupported", std::move(path), shown(found), expected);
  }

  std::vector<FieldError> sorted() && {
    std::ranges::stable_sort(
        list_, {}, [](const FieldError& error) { return std::tie(error.path, error.type); });
    return std::move(list_);
  }

 private:
  void add(std::string type, std::string path, std::string_view found, std::string_view expected) {
    list_.push_back(
        {std::move(type), std::move(path), fmt::format("found {}, expected {}", found, expected)});
  }

  std::vector<FieldError> list_;
};

/// A name that has to stand in a URL.
void check_path_segment(Errors& errors, const std::string& path, const std::string& name) {
  if (name == "." || name == "..") return errors.invalid(path, shown(name), "another name");
  for (const char c : {'/', '%'}) {
    if (name.find(c) == name.npos) continue;
    errors.invalid(path, shown(name), fmt::format("a name without \"{}\"", c));
  }
}

// RFC 1123; each says how many of its rules are broken, as upstream counts them.

int wrong_in_dns_label(std::string_view text) {
  return (text.size() > 63 ? 1 : 0) + (is_dns_label(text) ? 0 : 1);
}

int wrong_in_dns_subdomain(std::string_view text) {
  return (text.size() > 253 ? 1 : 0) + (is_dns_subdomain(text) ? 0 : 1);
}

int wrong_in_qualified_name(std::string_view text) {
  int wrong = 0;
  if (const auto slash = text.find('/'); slash != text.npos) {
    const auto prefix = text.substr(0, slash);
    text.remove_prefix(slash + 1);
    if (text.find('/') != text.npos) return 1;
    wrong += prefix.empty() ? 1 : wrong_in_dns_subdomain(prefix);
  }
  if (text.empty()) ++wrong;
  if (text.size() > 63) ++wrong;
  return wrong + (is_label_name(text) ? 0 : 1);
}

bool is_standard_resource(std::string_view name) {
  static constexpr std::array<std::string_view, 20> kNames = {"cpu",
                                                              "memory",
                                                              "ephemeral-storage",
                                                              "requests.cpu",
                                                              "requests.memory",
                                                              "requests.ephemeral-storage",
                                                              "limits.cpu",
                                                              "limits.memory",
                                                              "limits.ephemeral-storage",
                                                              "pods",
                                                              "resourcequotas",
                                                              "services",
                                                              "replicationcontrollers",
                                                              "secrets",
                                                              "configmaps",
                                                              "persistentvolumeclaims",
                                                              "storage",
                                                              "requests.storage",
                                                              "services.nodeports",
                                                              "services.loadbalancers"};
  return std::ranges::find(kNames, name) != kNames.end() || name.starts_with("hugepages-") ||
         name.starts_with("requests.hugepages-");
}

bool is_container_resource(std::string_view name) {
  return name == "cpu" || name == "memory" || name == "ephemeral-storage" ||
         name.starts_with("hugepages-");
}

/// A resource with a domain: Kubernetes' own, or one whose name could also be a quota's.
bool is_extended_or_native(const std::string& name) {
  if (name.find("kubernetes.io/") != name.npos) return true;
  return !name.starts_with("requests.") && wrong_in_qualified_name("requests." + name) == 0;
}

void check_container_resource(Errors& errors, const std::string& path, const std::string& name) {
  constexpr std::string_view kExpected = "a resource of containers such as cpu or memory";
  const bool has_domain = name.find('/') != name.npos;
  int wrong = wrong_in_qualified_name(name);
  if (wrong == 0 && !has_domain && !is_standard_resource(name)) ++wrong;
  if (has_domain ? !is_extended_or_native(name) : !is_container_resource(name)) ++wrong;
  for (; wrong > 0; --wrong) errors.invalid(path, shown(name), kExpected);
}

/// Whether the group may be empty, as in "v1".
enum class Group { required, optional };

void check_reference(Errors& errors, const std::string& path, const CrossVersionObjectReference& to,
                     Group group) {
  if (to.kind.empty()) errors.required(path + ".kind", "a kind such as Deployment");
  check_path_segment(errors, path + ".kind", to.kind);
  if (to.name.empty()) errors.required(path + ".name", "a name");
  check_path_segment(errors, path + ".name", to.name);
  const bool nothing = to.api_version.empty() || to.api_version == "/";
  const auto slashes = nothing ? 0 : std::ranges::count(to.api_version, '/');
  const bool has_group = slashes == 1 && to.api_version[0] != '/';
  if (slashes > 1 || (group == Group::required && !has_group)) {
    errors.invalid(path + ".apiVersion", to.api_version.empty() ? "nothing" : shown(to.api_version),
                   "group/version such as apps/v1");
  }
}

void check_identifier(Errors& errors, const std::string& path, const MetricIdentifier& metric) {
  if (metric.name.empty()) errors.required(path + ".name", "the metric's name");
  check_path_segment(errors, path + ".name", metric.name);
}

void check_target(Errors& errors, const std::string& path, const MetricTarget& target) {
  constexpr std::string_view kTypes = "one of Utilization, Value, AverageValue";
  if (target.type.empty()) errors.required(path + ".type", kTypes);
  if (target.type != "Utilization" && target.type != "Value" && target.type != "AverageValue") {
    errors.invalid(path + ".type", shown(target.type), kTypes);
  }
  const std::pair<const char*, const std::optional<Quantity>&> values[] = {
      {".value", target.value}, {".averageValue", target.average_value}};
  for (const auto& [name, value] : values) {
    if (value && value->milli <= 0) errors.invalid(path + name, to_string(*value), "more than 0");
  }
  if (target.average_utilization && *target.average_utilization < 1) {
    errors.invalid(path + ".averageUtilization", std::to_string(*target.average_utilization),
                   "at least 1");
  }
}

/// Resource and ContainerResource have one of two targets.
void check_resource_target(Errors& errors, const std::string& path, const MetricTarget& target) {
  check_target(errors, path, target);
  if (!target.average_utilization && !target.average_value) {
    errors.required(path + ".averageUtilization", "it or averageValue");
  }
  if (target.average_utilization && target.average_value) {
    errors.forbidden(path + ".averageValue", "it beside averageUtilization", "one of them");
  }
}

// One overload for each kind of source.

void check_source(Errors& errors, const std::string& path, const ResourceSource& source) {
  if (source.name.empty()) errors.required(path + ".name", "a resource such as cpu");
  check_resource_target(errors, path + ".target", source.target);
}

void check_source(Errors& errors, const std::string& path, const ContainerResourceSource& source) {
  if (source.name.empty()) {
    errors.required(path + ".name", "a resource such as cpu");
  } else {
    check_container_resource(errors, path + ".name", source.name);
  }
  if (source.container.empty()) {
    errors.required(path + ".container", "a container's name");
  } else {
    for (int wrong = wrong_in_dns_label(source.container); wrong > 0; --wrong) {
      errors.invalid(path + ".container", shown(source.container), "a DNS label such as app");
    }
  }
  check_resource_target(errors, path + ".target", source.target);
}

void check_source(Errors& errors, const std::string& path, const PodsSource& source) {
  check_identifier(errors, path + ".metric", source.metric);
  check_target(errors, path + ".target", source.target);
  if (!source.target.average_value) {
    errors.required(path + ".target.averageValue", "a quantity per pod");
  }
}

void check_source(Errors& errors, const std::string& path, const ObjectSource& source) {
  check_reference(errors, path + ".describedObject", source.described_object, Group::optional);
  check_identifier(errors, path + ".metric", source.metric);
  check_target(errors, path + ".target", source.target);
  if (!source.target.value && !source.target.average_value) {
    errors.required(path + ".target.averageValue", "it or value");
  }
}

void check_source(Errors& errors, const std::string& path, const ExternalSource& source) {
  check_identifier(errors, path + ".metric", source.metric);
  check_target(errors, path + ".target", source.target);
  if (!source.target.value && !source.target.average_value) {
    errors.required(path + ".target.averageValue", "it or value");
  }
  if (source.target.value && source.target.average_value) {
    errors.forbidden(path + ".target.value", "it beside averageValue", "one of them");
  }
}

void check_metric(Errors& errors, const std::string& path, const MetricSpec& metric) {
  constexpr std::string_view kTypes = "one of Resource, ContainerResource, Pods, Object, External";
  if (metric.type.empty()) errors.required(path + ".type", kTypes);
  std::vector<std::string_view> present;
  // Upstream looks inside the first only, in this order.
  const auto look = [&](std::string_view field, const auto& source) {
    if (!source) return;
    present.push_back(field);
    if (present.size() == 1) check_source(errors, fmt::format("{}.{}", path, field), *source);
  };
  look("object", metric.object);
  look("external", metric.external);
  look("pods", metric.pods);
  look("resource", metric.resource);
  look("containerResource", metric.container_resource);

  static constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kFields = {
      {{"Object", "object"},
       {"Pods", "pods"},
       {"Resource", "resource"},
       {"External", "external"},
       {"ContainerResource", "containerResource"}}};
  const auto known = std::ranges::find(kFields, metric.type,
                                       &std::pair<std::string_view, std::string_view>::first);
  const std::string_view expected = known == kFields.end() ? "" : known->second;
  if (known == kFields.end()) {
    for (int i = 0; i < 2; ++i) errors.not_supported(path + ".type", metric.type, kTypes);
  } else if (std::ranges::find(present, expected) == present.end()) {
    errors.required(fmt::format("{}.{}", path, expected),
                    fmt::format("it beside type {}", metric.type));
  }
  if (present.size() == 1) return;
  for (const auto field : present) {
    if (field == expected) continue;
    errors.forbidden(fmt::format("{}.{}", path, field),
                     fmt::format("it beside type {}", shown(metric.type)),
                     expected.empty() ? "one kind of metric" : fmt::format("{} only", expected));
  }
}

void check_policy(Errors& errors, const std::string& path, const ScalingPolicy& policy) {
  if (policy.type != "Pods" && policy.type != "Percent") {
    errors.not_supported(path + ".type", policy.type, "Pods or Percent");
  }
  if (policy.value <= 0) {
    errors.invalid(path + ".value", std::to_string(policy.value), "at least 1");
  }
  if (policy.period_seconds <= 0 || policy.period_seconds > kLongestPeriod) {
    errors.invalid(path + ".periodSeconds", std::to_string(policy.period_seconds),
                   fmt::format("1 to {}", kLongestPeriod));
  }
}

void check_rules(Errors& errors, const std::string& path, const ScalingRules& rules) {
  if (const auto window = rules.stabilization_window_seconds) {
    if (*window < 0 || *window > kLongestWindow) {
      errors.invalid(path + ".stabilizationWindowSeconds", std::to_string(*window),
                     fmt::format("0 to {}", kLongestWindow));
    }
  }
  if (const auto& select = rules.select_policy) {
    if (*select != "Max" && *select != "Min" && *select != "Disabled") {
      errors.not_supported(path + ".selectPolicy", *select, "one of Max, Min, Disabled");
    }
  }
  if (rules.tolerance && rules.tolerance->milli < 0) {
    errors.invalid(path + ".tolerance", to_string(*rules.tolerance), "at least 0");
  }
  if (!rules.policies || rules.policies->empty()) {
    return errors.required(path + ".policies", "at least one policy");
  }
  for (std::size_t i = 0; i < rules.policies->size(); ++i) {
    check_policy(errors, fmt::format("{}.policies[{}]", path, i), (*rules.policies)[i]);
  }
}

void check_replicas(Errors& errors, const Spec& spec, bool scale_to_zero) {
  const std::int32_t lowest = scale_to_zero ? 0 : 1;
  if (spec.min_replicas && *spec.min_replicas < lowest) {
    errors.invalid("spec.minReplicas", std::to_string(*spec.min_replicas),
                   fmt::format("at least {}", lowest));
  }
  const auto most = std::to_string(spec.max_replicas);
  if (spec.max_replicas == 0) errors.required("spec.maxReplicas", "at least 1");
  if (spec.max_replicas < 0) errors.invalid("spec.maxReplicas", most, "at least 1");
  if (spec.min_replicas && spec.max_replicas < *spec.min_replicas) {
    errors.invalid("spec.maxReplicas", most,
                   fmt::format("at least minReplicas ({})", *spec.min_replicas));
  }
  const auto from_outside = [](const MetricSpec& metric) {
    return metric.type == "Object" || metric.type == "External";
  };
  if (spec.min_replicas == 0 && std::ranges::none_of(spec.metrics, from_outside)) {
    errors.forbidden("spec.metrics", "none that is measured at zero replicas",
                     "an Object or External metric beside minReplicas 0");
  }
}

void check_metadata(Errors& errors, const HorizontalPodAutoscaler& hpa) {
  if (hpa.name.empty()) {
    errors.required("metadata.name", "a name");
  } else {
    for (int wrong = wrong_in_dns_subdomain(hpa.name); wrong > 0; --wrong) {
      errors.invalid("metadata.name", shown(hpa.name), "a DNS subdomain such as web");
    }
  }
  // An empty one is filled in by kubectl.
  for (int wrong = hpa.namespace_.empty() ? 0 : wrong_in_dns_label(hpa.namespace_); wrong > 0;
       --wrong) {
    errors.invalid("metadata.namespace", shown(hpa.namespace_), "a DNS label such as default");
  }
  for (const auto& [key, value] : hpa.labels) {
    for (int wrong = wrong_in_qualified_name(key); wrong > 0; --wrong) {
      errors.invalid("metadata.labels", shown(key),
                     "a qualified name such as app or example.com/a");
    }
    if (value.size() > 63) errors.invalid("metadata.labels", shown(value), "at most 63 characters");
    if (!value.empty() && !is_label_name(value)) {
      errors.invalid("metadata.labels", shown(value), "a label's value such as web-1");
    }
  }
}

}  // namespace

std::vector<FieldError> validate(const HorizontalPodAutoscaler& hpa, bool scale_to_zero) {
  Errors errors;
  const Spec& spec = hpa.spec;
  check_metadata(errors, hpa);
  check_replicas(errors, spec, scale_to_zero);
  // The one kind without a group that can be scaled.
  const bool core = spec.scale_target_ref.kind == "ReplicationController";
  check_reference(errors, "spec.scaleTargetRef", spec.scale_target_ref,
                  core ? Group::optional : Group::required);
  for (std::size_t i = 0; i < spec.metrics.size(); ++i) {
    check_metric(errors, fmt::format("spec.metrics[{}]", i), spec.metrics[i]);
  }
  if (spec.behavior) {
    if (spec.behavior->scale_up) {
      check_rules(errors, "spec.behavior.scaleUp", *spec.behavior->scale_up);
    }
    if (spec.behavior->scale_down) {
      check_rules(errors, "spec.behavior.scaleDown", *spec.behavior->scale_down);
    }
  }
  return std::move(errors).sorted();
}

}  // namespace headroom::policy::hpa
