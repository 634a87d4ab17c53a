#include <algorithm>
#include <charconv>
#include <unordered_set>

#include <fmt/format.h>

#include "base/text.h"
#include "policy/hpa.h"
#include "policy/hpa_decode.h"

namespace headroom::policy::hpa {
namespace {

constexpr std::string_view kV1 = "autoscaling/v1";
constexpr std::string_view kV2 = "autoscaling/v2";

std::string quoted_text(const Node& node) {
  return fmt::format("\"{}\"", printable(node.text, 60));
}

struct Metadata {
  HorizontalPodAutoscaler& hpa;
};

/// autoscaling/v1's.
struct V1Spec {
  Spec& spec;
  std::optional<std::int32_t> percentage = {};
};

}  // namespace

template <>
struct Shape<Metadata> {
  static void visit(auto& v, auto& t) {
    v("name", t.hpa.name);
    v("namespace", t.hpa.namespace_);
    v("labels", t.hpa.labels);
    v("annotations", t.hpa.annotations);
    for (const char* kept_by_server :
         {"generateName", "selfLink", "uid", "resourceVersion", "generation", "creationTimestamp",
          "deletionTimestamp", "deletionGracePeriodSeconds", "ownerReferences", "finalizers",
          "managedFields"}) {
      v.ignore(kept_by_server);
    }
  }
};

template <>
struct Shape<V1Spec> {
  static void visit(auto& v, auto& t) {
    v("scaleTargetRef", t.spec.scale_target_ref);
    v("minReplicas", t.spec.min_replicas);
    v("maxReplicas", t.spec.max_replicas);
    v("targetCPUUtilizationPercentage", t.percentage);
  }
};

namespace {

/// "metrics[0]" of "spec.metrics[0].resource", which is left ".resource".
std::string_view take_name(std::string_view& path) {
  if (path.starts_with('.')) path.remove_prefix(1);
  const auto end = std::min(path.find_first_of(".[", path.starts_with('[') ? 1 : 0), path.size());
  const auto name = path.substr(0, end);
  path.remove_prefix(end);
  return name;
}

const Node* child(const Node& node, std::string_view name) {
  if (!name.starts_with('[')) return node.find(name);
  std::size_t index = 0;
  std::from_chars(name.data() + 1, name.data() + name.size(), index);
  return index < node.items.size() ? node.items[index] : nullptr;
}

/// Where v1 says what v2 says at `path`.
const Node* place_in_v1(const Node& document, std::string_view path) {
  const bool metrics = path.starts_with("spec.metrics");
  if (!metrics && !path.starts_with("spec.behavior")) return nullptr;
  const Node* found = document.find(
      {"metadata", "annotations", metrics ? kMetricsAnnotation : kBehaviorAnnotation});
  if (found != nullptr) return found;
  return document.find({"spec", "targetCPUUtilizationPercentage"});
}

/// As far as `path` goes, and whether that is all of it.
struct Nearest {
  const Node* node;
  bool all = false;
};

Nearest nearest_node(const Node& document, std::string_view path) {
  const Node* version = document.find("apiVersion");
  if (version != nullptr && version->text == kV1) {
    if (const Node* found = place_in_v1(document, path)) return {found};
  }
  const Node* here = &document;
  while (!path.empty()) {
    const Node* next = child(*here, take_name(path));
    if (next == nullptr) return {here};
    here = next;
  }
  return {here, true};
}

/// The API server takes any operator and its controller then fails for ever.
void check_operators(const Node& document, const HorizontalPodAutoscaler& hpa, Problems& problems) {
  static constexpr std::string_view kOperators[] = {"In", "NotIn", "Exists", "DoesNotExist"};
  const auto check = [&](const std::string& path, const std::optional<LabelSelector>& selector) {
    if (!selector) return;
    for (std::size_t i = 0; i < selector->match_expressions.size(); ++i) {
      const auto& op = selector->match_expressions[i].op;
      if (std::ranges::find(kOperators, op) != std::end(kOperators)) continue;
      const auto at = fmt::format("{}.metric.selector.matchExpressions[{}].operator", path, i);
      problems.add(nearest_node(document, at).node->place,
                   fmt::format("{}: found \"{}\", expected one of In, NotIn, Exists, DoesNotExist",
                               at, printable(op, 60)));
    }
  };
  for (std::size_t i = 0; i < hpa.spec.metrics.size(); ++i) {
    const auto& metric = hpa.spec.metrics[i];
    const auto path = fmt::format("spec.metrics[{}]", i);
    if (metric.pods) check(path + ".pods", metric.pods->metric.selector);
    if (metric.object) check(path + ".object", metric.object->metric.selector);
    if (metric.external) check(path + ".external", metric.external->metric.selector);
  }
}

}  // namespace

HorizontalPodAutoscaler read(const Node& document, Problems& problems, Problems& warnings) {
  HorizontalPodAutoscaler hpa;
  Decoder decoder(problems, warnings);
  const std::string path;
  Decoder::Fields fields(decoder, path, document);
  const Node* version = fields.take("apiVersion");
  if (version == nullptr || (version->text != kV1 && version->text != kV2)) {
    decoder.wrong("apiVersion", version == nullptr ? document : *version,
                  "autoscaling/v2 or autoscaling/v1");
    return hpa;
  }
  fields.ignore("kind");
  fields.ignore("status");
  Metadata metadata{hpa};
  fields("metadata", metadata);
  if (version->text == kV2) {
    fields("spec", hpa.spec);
  } else {
    V1Spec spec{hpa.spec};
    fields("spec", spec);
    read_v1(document, spec.percentage, warnings, hpa);
  }
  fields.finish();
  check_operators(document, hpa, problems);
  return hpa;
}

void place(const Node& document, const std::vector<FieldError>& errors, Problems& problems) {
  std::unordered_set<std::string_view> said;
  const auto say = [&](const FieldError& error) {
    if (!said.insert(error.path).second) return;
    const auto [node, all] = nearest_node(document, error.path);
    std::string detail = error.detail;
    // Upstream knows no difference between 0, or "", and nothing; people do.
    constexpr std::string_view kNothing = "found nothing";
    if (all && node->kind == Node::Kind::scalar && detail.starts_with(kNothing)) {
      detail.replace(0, kNothing.size(), "found " + quoted_text(*node));
    }
    problems.add(node->place, fmt::format("{}: {}", error.path, detail));
  };
  // What is missing says more than that nothing is no good value.
  for (const auto& error : errors) {
    if (error.type == "FieldValueRequired") say(error);
  }
  for (const auto& error : errors) say(error);
}

}  // namespace headroom::policy::hpa
