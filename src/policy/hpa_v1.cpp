#include <algorithm>

#include <fmt/format.h>

#include "policy/hpa_decode.h"

namespace headroom::policy::hpa {
namespace {

// The metrics of autoscaling/v1's annotation, in the form that v2beta1 had.

struct V1Resource {
  std::string name, container;
  std::optional<std::int32_t> utilization;
  std::optional<Quantity> average_value;
};
struct V1Pods {
  std::string metric_name;
  std::optional<Quantity> average_value;
  std::optional<LabelSelector> selector;
};
struct V1Object {
  CrossVersionObjectReference target;
  std::string metric_name;
  std::optional<Quantity> value, average_value;
  std::optional<LabelSelector> selector;
};
struct V1External {
  std::string metric_name;
  std::optional<LabelSelector> selector;
  std::optional<Quantity> value, average_value;
};
struct V1Metric {
  std::string type;
  std::optional<V1Resource> resource, container_resource;
  std::optional<V1Pods> pods;
  std::optional<V1Object> object;
  std::optional<V1External> external;
};

}  // namespace

template <>
struct Shape<V1Resource> {
  static void visit(auto& v, auto& t) {
    v("name", t.name);
    v("container", t.container);
    v("targetAverageUtilization", t.utilization);
    v("targetAverageValue", t.average_value);
  }
};

template <>
struct Shape<V1Pods> {
  static void visit(auto& v, auto& t) {
    v("metricName", t.metric_name);
    v("targetAverageValue", t.average_value);
    v("selector", t.selector);
  }
};

template <>
struct Shape<V1Object> {
  static void visit(auto& v, auto& t) {
    v("target", t.target);
    v("metricName", t.metric_name);
    v("targetValue", t.value);
    v("selector", t.selector);
    v("averageValue", t.average_value);
  }
};

template <>
struct Shape<V1External> {
  static void visit(auto& v, auto& t) {
    v("metricName", t.metric_name);
    v("metricSelector", t.selector);
    v("targetValue", t.value);
    v("targetAverageValue", t.average_value);
  }
};

template <>
struct Shape<V1Metric> {
  static void visit(auto& v, auto& t) {
    v("type", t.type);
    v("resource", t.resource);
    v("containerResource", t.container_resource);
    v("pods", t.pods);
    v("object", t.object);
    v("external", t.external);
  }
};

namespace {

MetricTarget target_of(const V1Resource& v1) {
  return {v1.utilization ? "Utilization" : "AverageValue", std::nullopt, v1.average_value,
          v1.utilization};
}

ObjectSource object_of(const V1Object& v1) {
  ObjectSource object{v1.target, {v1.metric_name, v1.selector}, {}};
  object.target = {v1.average_value ? "AverageValue" : "Value", v1.value, v1.average_value, {}};
  // v1 has no way to leave it out: beside an average it is written as 0.
  if (v1.average_value && v1.value == Quantity{0}) object.target.value.reset();
  return object;
}

MetricSpec metric_of(const V1Metric& v1) {
  MetricSpec metric;
  metric.type = v1.type;
  if (v1.resource) metric.resource = {v1.resource->name, target_of(*v1.resource)};
  if (const auto& source = v1.container_resource) {
    metric.container_resource = {source->name, source->container, target_of(*source)};
  }
  if (const auto& source = v1.pods) {
    metric.pods = {{source->metric_name, source->selector},
                   {"AverageValue", std::nullopt, source->average_value, std::nullopt}};
  }
  if (v1.object) metric.object = object_of(*v1.object);
  if (const auto& source = v1.external) {
    metric.external = {{source->metric_name, source->selector},
                       {source->value ? "Value" : "AverageValue", source->value,
                        source->average_value, std::nullopt}};
  }
  return metric;
}

/// Reads the JSON of an annotation. Nothing where there is none, or none that can be read.
template <class T>
std::optional<T> read_annotation(const Node* annotations, std::string_view name,
                                 Problems& warnings) {
  if (annotations == nullptr || annotations->kind != Node::Kind::map) return std::nullopt;
  const Node* annotation = annotations->find(name);
  if (annotation == nullptr || annotation->kind != Node::Kind::scalar) return std::nullopt;
  Problems problems, unknown;
  const Tree tree = parse(annotation->text, problems);
  std::optional<T> read;
  if (!problems.any() && tree.documents.size() == 1) {
    Decoder decoder(problems, unknown, true);
    decoder.value("", *tree.documents[0], read);
  }
  for (const auto& warning : unknown.errors("", "")) {
    warnings.add(annotation->place, fmt::format("{}: {}", name, warning.what));
  }
  if (!problems.any() && read) return read;
  const auto why = problems.any() ? problems.errors("", annotation->text).front().what
                                  : std::string("found no JSON");
  warnings.add(annotation->place,
               fmt::format("{}: passed over, as the API server does: {}", name, why));
  return std::nullopt;
}

}  // namespace

void read_v1(const Node* annotations, std::optional<std::int32_t> percentage, Problems& warnings,
             HorizontalPodAutoscaler& hpa) {
  const auto metrics =
      read_annotation<std::vector<V1Metric>>(annotations, kMetricsAnnotation, warnings);
  if (metrics) {
    std::ranges::transform(*metrics, std::back_inserter(hpa.spec.metrics), metric_of);
    hpa.annotations.erase(std::string(kMetricsAnnotation));
  }
  if (percentage) {
    MetricSpec metric;
    metric.type = "Resource";
    metric.resource = {"cpu", {"Utilization", std::nullopt, std::nullopt, percentage}};
    hpa.spec.metrics.push_back(std::move(metric));
  }
  auto behavior = read_annotation<Behavior>(annotations, kBehaviorAnnotation, warnings);
  if (behavior && *behavior != Behavior{}) hpa.spec.behavior = std::move(behavior);
  hpa.annotations.erase(std::string(kBehaviorAnnotation));
}

}  // namespace headroom::policy::hpa
