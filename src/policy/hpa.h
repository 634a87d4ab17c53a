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
#include "policy/tree.h"

/// HorizontalPodAutoscaler (autoscaling/v2, and v1 read into the same) as the API server holds
/// it: what may be left out is optional, texts are as written, and it need not be valid. The rest
/// of Headroom knows the Autoscaler that a valid one becomes.
/// Source: k8s.io/kubernetes 1.36, pkg/apis/autoscaling (v2/defaults.go, validation).
namespace headroom::policy::hpa {

struct CrossVersionObjectReference {
  std::string api_version, kind, name;
  bool operator==(const CrossVersionObjectReference&) const = default;
};

struct LabelSelectorRequirement {
  std::string key, op;
  std::vector<std::string> values;
  bool operator==(const LabelSelectorRequirement&) const = default;
};
struct LabelSelector {
  std::map<std::string, std::string> match_labels;
  std::vector<LabelSelectorRequirement> match_expressions;
  bool operator==(const LabelSelector&) const = default;
};

struct MetricIdentifier {
  std::string name;
  std::optional<LabelSelector> selector;
  bool operator==(const MetricIdentifier&) const = default;
};
struct MetricTarget {
  std::string type;
  std::optional<Quantity> value, average_value;
  std::optional<std::int32_t> average_utilization;
  bool operator==(const MetricTarget&) const = default;
};

struct ResourceSource {
  std::string name;
  MetricTarget target;
  bool operator==(const ResourceSource&) const = default;
};
struct ContainerResourceSource {
  std::string name, container;
  MetricTarget target;
  bool operator==(const ContainerResourceSource&) const = default;
};
struct PodsSource {
  MetricIdentifier metric;
  MetricTarget target;
  bool operator==(const PodsSource&) const = default;
};
struct ObjectSource {
  CrossVersionObjectReference described_object;
  MetricIdentifier metric;
  MetricTarget target;
  bool operator==(const ObjectSource&) const = default;
};
struct ExternalSource {
  MetricIdentifier metric;
  MetricTarget target;
  bool operator==(const ExternalSource&) const = default;
};
struct MetricSpec {
  std::string type;
  std::optional<ResourceSource> resource;
  std::optional<ContainerResourceSource> container_resource;
  std::optional<PodsSource> pods;
  std::optional<ObjectSource> object;
  std::optional<ExternalSource> external;
  bool operator==(const MetricSpec&) const = default;
};

struct ScalingPolicy {
  std::string type;
  std::int32_t value = 0;
  std::int32_t period_seconds = 0;
  bool operator==(const ScalingPolicy&) const = default;
};
struct ScalingRules {
  std::optional<std::int32_t> stabilization_window_seconds;
  std::optional<std::string> select_policy;
  std::optional<std::vector<ScalingPolicy>> policies;
  std::optional<Quantity> tolerance;
  bool operator==(const ScalingRules&) const = default;
};
struct Behavior {
  std::optional<ScalingRules> scale_up, scale_down;
  bool operator==(const Behavior&) const = default;
};

struct Spec {
  CrossVersionObjectReference scale_target_ref;
  std::optional<std::int32_t> min_replicas;
  std::int32_t max_replicas = 0;
  std::vector<MetricSpec> metrics;
  std::optional<Behavior> behavior;
  bool operator==(const Spec&) const = default;
};

struct HorizontalPodAutoscaler {
  std::string name, namespace_;
  std::map<std::string, std::string> labels, annotations;
  Spec spec;
  bool operator==(const HorizontalPodAutoscaler&) const = default;
};

/// Upstream's field.Error: its type ("FieldValueInvalid") and the field's path
/// ("spec.metrics[0].resource.name"), and a sentence for people (found, expected).
struct FieldError {
  std::string type, path, detail;
  bool operator==(const FieldError&) const = default;
};

/// Reads a document (autoscaling/v2 or v1) as it is written: nothing is filled in, but that what
/// v1 says otherwise (targetCPUUtilizationPercentage, annotations) becomes metrics and behavior.
/// `problems`: what the API server could not decode, and another apiVersion. `warnings`: unknown
/// fields, which it drops, and annotations of v1 that cannot be read, which it passes over.
/// `status` and what the server keeps in the metadata are not looked at.
HorizontalPodAutoscaler read(const Node& document, Problems& problems, Problems& warnings);

/// Says each error at the nearest place of `document` that there is; of several with one field
/// the first only.
void place(const Node& document, const std::vector<FieldError>& errors, Problems& problems);

/// Fills in what the API server does: minReplicas 1, cpu at 80 %, the rules of a behavior.
void set_defaults(HorizontalPodAutoscaler& hpa);

/// Everything that the API server would refuse, sorted by path, then type. `scale_to_zero`: the
/// HPAScaleToZero gate.
std::vector<FieldError> validate(const HorizontalPodAutoscaler& hpa, bool scale_to_zero);

/// What a valid one with its defaults asks for. With minReplicas 0 the controller's scale_to_zero
/// is on.
Autoscaler to_autoscaler(const HorizontalPodAutoscaler& hpa);

/// The other way. Errors: invalid, naming everything that an HPA cannot say.
Result<HorizontalPodAutoscaler> from_autoscaler(const Autoscaler& autoscaler);

/// The document (autoscaling/v2, YAML) that reads back as `hpa`.
std::string write(const HorizontalPodAutoscaler& hpa);

}  // namespace headroom::policy::hpa
