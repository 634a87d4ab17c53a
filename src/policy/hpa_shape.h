#pragma once

#include "policy/hpa.h"

/// The fields of an HPA's structs, said once: for each a function that hands their spelling and
/// themselves to a visitor, which reads or writes them.
namespace headroom::policy::hpa {

template <class T>
struct Shape;  // static void visit(auto& v, auto& t): v(name, t.member) for each

template <>
struct Shape<CrossVersionObjectReference> {
  static void visit(auto& v, auto& t) {
    v("apiVersion", t.api_version);
    v("kind", t.kind);
    v("name", t.name);
  }
};

template <>
struct Shape<LabelSelectorRequirement> {
  static void visit(auto& v, auto& t) {
    v("key", t.key);
    v("operator", t.op);
    v("values", t.values);
  }
};

template <>
struct Shape<LabelSelector> {
  static void visit(auto& v, auto& t) {
    v("matchLabels", t.match_labels);
    v("matchExpressions", t.match_expressions);
  }
};

template <>
struct Shape<MetricIdentifier> {
  static void visit(auto& v, auto& t) {
    v("name", t.name);
    v("selector", t.selector);
  }
};

template <>
struct Shape<MetricTarget> {
  static void visit(auto& v, auto& t) {
    v("type", t.type);
    v("value", t.value);
    v("averageValue", t.average_value);
    v("averageUtilization", t.average_utilization);
  }
};

template <>
struct Shape<ResourceSource> {
  static void visit(auto& v, auto& t) {
    v("name", t.name);
    v("target", t.target);
  }
};

template <>
struct Shape<ContainerResourceSource> {
  static void visit(auto& v, auto& t) {
    v("name", t.name);
    v("container", t.container);
    v("target", t.target);
  }
};

template <>
struct Shape<PodsSource> {
  static void visit(auto& v, auto& t) {
    v("metric", t.metric);
    v("target", t.target);
  }
};

template <>
struct Shape<ObjectSource> {
  static void visit(auto& v, auto& t) {
    v("describedObject", t.described_object);
    v("metric", t.metric);
    v("target", t.target);
  }
};

template <>
struct Shape<ExternalSource> : Shape<PodsSource> {};

template <>
struct Shape<MetricSpec> {
  static void visit(auto& v, auto& t) {
    v("type", t.type);
    v("resource", t.resource);
    v("containerResource", t.container_resource);
    v("pods", t.pods);
    v("object", t.object);
    v("external", t.external);
  }
};

template <>
struct Shape<ScalingPolicy> {
  static void visit(auto& v, auto& t) {
    v("type", t.type);
    v("value", t.value);
    v("periodSeconds", t.period_seconds);
  }
};

template <>
struct Shape<ScalingRules> {
  static void visit(auto& v, auto& t) {
    v("stabilizationWindowSeconds", t.stabilization_window_seconds);
    v("selectPolicy", t.select_policy);
    v("policies", t.policies);
    v("tolerance", t.tolerance);
  }
};

template <>
struct Shape<Behavior> {
  static void visit(auto& v, auto& t) {
    v("scaleUp", t.scale_up);
    v("scaleDown", t.scale_down);
  }
};

template <>
struct Shape<Spec> {
  static void visit(auto& v, auto& t) {
    v("scaleTargetRef", t.scale_target_ref);
    v("minReplicas", t.min_replicas);
    v("maxReplicas", t.max_replicas);
    v("metrics", t.metrics);
    v("behavior", t.behavior);
  }
};

}  // namespace headroom::policy::hpa
