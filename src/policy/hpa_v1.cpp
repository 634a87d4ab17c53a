#include <algorithm>

#include <fmt/format.h>

#include "policy/hpa_decode.h"

namespace headroom::policy::hpa {
namespace {

/// A source of v2 as autoscaling/v1's annotation spells it, in the form that v2beta1 had.
template <class T>
struct V1 {
  T source;
};
struct V1Metric {
  std::string type;
  std::optional<V1<ResourceSource>> resource;
  std::optional<V1<ContainerResourceSource>> container_resource;
  std::optional<V1<PodsSource>> pods;
  std::optional<V1<ObjectSource>> object;
  std::optional<V1<ExternalSource>> external;
};

}  // namespace

template <>
struct Shape<V1<ResourceSource>> {
  static void visit(auto& v, auto& t) {
    v("name", t.source.name);
    v("targetAverageUtilization", t.source.target.average_utilization);
    v("targetAverageValue", t.source.target.average_value);
  }
};

template <>
struct Shape<V1<ContainerResourceSource>> {
  static void visit(auto& v, auto& t) {
    Shape<V1<ResourceSource>>::visit(v, t);
    v("container", t.source.container);
  }
};

template <>
struct Shape<V1<PodsSource>> {
  static void visit(auto& v, auto& t) {
    v("metricName", t.source.metric.name);
    v("targetAverageValue", t.source.target.average_value);
    v("selector", t.source.metric.selector);
  }
};

template <>
struct Shape<V1<ObjectSource>> {
  static void visit(auto& v, auto& t) {
    v("target", t.source.described_object);
    v("metricName", t.source.metric.name);
    v("targetValue", t.source.target.value);
    v("selector", t.source.metric.selector);
    v("averageValue", t.source.target.average_value);
  }
};

template <>
struct Shape<V1<ExternalSource>> {
  static void visit(auto& v, auto& t) {
    v("metricName", t.source.metric.name);
    v("metricSelector", t.source.metric.selector);
    v("targetValue", t.source.target.value);
    v("targetAverageValue", t.source.target.average_value);
  }
};

template <>
struct Shape<V1Metric> : Shape<MetricSpec> {};

namespace {

/// What v1 leaves to what is set; an Object goes by its average first.
template <class T>
std::optional<T> source_of(const std::optional<V1<T>>& v1) {
  if (!v1) return std::nullopt;
  T source = v1->source;
  MetricTarget& target = source.target;
  target.type = target.average_utilization ? "Utilization"
                : target.value             ? "Value"
                                           : "AverageValue";
  if constexpr (std::is_same_v<T, ObjectSource>) {
    target.type = target.average_value ? "AverageValue" : "Value";
    // v1 has no way to leave it out: beside an average it is written as 0.
    if (target.average_value && target.value == Quantity{0}) target.value.reset();
  }
  return source;
}

MetricSpec v2_of(const V1Metric& v1) {
  return {v1.type,
          source_of(v1.resource),
          source_of(v1.container_resource),
          source_of(v1.pods),
          source_of(v1.object),
          source_of(v1.external)};
}

/// Reads the JSON of an annotation. Nothing where there is none, or none that can be read.
template <class T>
std::optional<T> read_annotation(const Node& document, std::string_view name, Problems& warnings) {
  const Node* annotation = document.find({"metadata", "annotations", name});
  if (annotation == nullptr) return std::nullopt;
  Problems problems, unknown;
  const Tree tree = parse(annotation->text, problems);
  std::optional<T> read;
  if (!problems.any() && tree.documents.size() != 1) problems.add({}, "found no JSON");
  if (!problems.any()) {
    Decoder decoder(problems, unknown, true);
    decoder.value("", *tree.documents[0], read);
  }
  for (const auto& warning : unknown.errors("", "")) {
    warnings.add(annotation->place, fmt::format("{}: {}", name, warning.what));
  }
  if (!problems.any()) return read;
  warnings.add(annotation->place, fmt::format("{}: passed over, as the API server does: {}", name,
                                              problems.errors("", annotation->text).front().what));
  return std::nullopt;
}

}  // namespace

void read_v1(const Node& document, std::optional<std::int32_t> percentage, Problems& warnings,
             HorizontalPodAutoscaler& hpa) {
  const auto metrics =
      read_annotation<std::vector<V1Metric>>(document, kMetricsAnnotation, warnings);
  if (metrics) {
    std::ranges::transform(*metrics, std::back_inserter(hpa.spec.metrics), v2_of);
    hpa.annotations.erase(std::string(kMetricsAnnotation));
  }
  if (percentage) {
    MetricSpec metric;
    metric.type = "Resource";
    metric.resource = {"cpu", {"Utilization", std::nullopt, std::nullopt, percentage}};
    hpa.spec.metrics.push_back(std::move(metric));
  }
  auto behavior = read_annotation<Behavior>(document, kBehaviorAnnotation, warnings);
  if (behavior && *behavior != Behavior{}) hpa.spec.behavior = std::move(behavior);
  hpa.annotations.erase(std::string(kBehaviorAnnotation));
}

}  // namespace headroom::policy::hpa
