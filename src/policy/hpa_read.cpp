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

std::string found_in(const Node& node) { return fmt::format("\"{}\"", printable(node.text, 60)); }

std::string_view api_version_of(const Node& document) {
  const Node* version = document.find("apiVersion");
  return version == nullptr ? std::string_view() : std::string_view(version->text);
}

void read_metadata(Decoder& decoder, const Node& node, HorizontalPodAutoscaler& hpa) {
  const std::string path = "metadata";
  if (node.kind != Node::Kind::map) return decoder.wrong(path, node, "fields as name: value");
  Decoder::Fields fields(decoder, path, node);
  fields("name", hpa.name);
  fields("namespace", hpa.namespace_);
  fields("labels", hpa.labels);
  fields("annotations", hpa.annotations);
  for (const char* kept_by_server :
       {"generateName", "selfLink", "uid", "resourceVersion", "generation", "creationTimestamp",
        "deletionTimestamp", "deletionGracePeriodSeconds", "ownerReferences", "finalizers",
        "managedFields"}) {
    fields.ignore(kept_by_server);
  }
  fields.finish();
}

/// autoscaling/v1's spec; its targetCPUUtilizationPercentage.
std::optional<std::int32_t> read_v1_spec(Decoder& decoder, const Node& node, Spec& spec) {
  const std::string path = "spec";
  std::optional<std::int32_t> percentage;
  Decoder::Fields fields(decoder, path, node);
  fields("scaleTargetRef", spec.scale_target_ref);
  fields("minReplicas", spec.min_replicas);
  fields("maxReplicas", spec.max_replicas);
  fields("targetCPUUtilizationPercentage", percentage);
  fields.finish();
  return percentage;
}

/// "metrics[0]" of "spec.metrics[0].resource", which is left ".resource".
std::string_view take_name(std::string_view& path) {
  if (path.starts_with('.')) path.remove_prefix(1);
  const auto end = std::min(path.find_first_of(".[", path.starts_with('[') ? 1 : 0), path.size());
  const auto name = path.substr(0, end);
  path.remove_prefix(end);
  return name;
}

const Node* child(const Node& node, std::string_view name) {
  if (node.kind == Node::Kind::map) return node.find(name);
  if (node.kind != Node::Kind::sequence || !name.starts_with('[')) return nullptr;
  std::size_t index = 0;
  std::from_chars(name.data() + 1, name.data() + name.size(), index);
  return index < node.items.size() ? node.items[index] : nullptr;
}

/// Where v1 says what v2 says at `path`.
const Node* place_in_v1(const Node& document, std::string_view path) {
  const bool metrics = path.starts_with("spec.metrics");
  if (!metrics && !path.starts_with("spec.behavior")) return nullptr;
  const Node* metadata = document.find("metadata");
  const Node* annotations = metadata == nullptr ? nullptr : metadata->find("annotations");
  const Node* found = nullptr;
  if (annotations != nullptr) {
    found = annotations->find(metrics ? kMetricsAnnotation : kBehaviorAnnotation);
  }
  const Node* spec = document.find("spec");
  if (found == nullptr && metrics && spec != nullptr) {
    found = spec->find("targetCPUUtilizationPercentage");
  }
  return found;
}

/// As far as `path` goes, and whether that is all of it.
struct Nearest {
  const Node* node;
  bool all = false;
};

Nearest nearest_node(const Node& document, std::string_view path) {
  if (api_version_of(document) == kV1) {
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
  if (document.kind != Node::Kind::map) {
    decoder.wrong("document", document, "a HorizontalPodAutoscaler");
    return hpa;
  }
  Decoder::Fields fields(decoder, path, document);
  const Node* version = fields.take("apiVersion");
  if (version == nullptr || (version->text != kV1 && version->text != kV2)) {
    decoder.wrong("apiVersion", version == nullptr ? document : *version,
                  "autoscaling/v2 or autoscaling/v1");
    return hpa;
  }
  fields.ignore("kind");
  fields.ignore("status");
  const Node* metadata = fields.take("metadata");
  if (metadata != nullptr) read_metadata(decoder, *metadata, hpa);
  const Node* spec = fields.take("spec");
  fields.finish();
  if (spec != nullptr && spec->kind != Node::Kind::map) {
    decoder.wrong("spec", *spec, "fields as name: value");
    return hpa;
  }
  if (version->text == kV2) {
    if (spec != nullptr) decoder.value("spec", *spec, hpa.spec);
  } else {
    std::optional<std::int32_t> percentage;
    if (spec != nullptr) percentage = read_v1_spec(decoder, *spec, hpa.spec);
    const bool annotated = metadata != nullptr && metadata->kind == Node::Kind::map;
    read_v1(annotated ? metadata->find("annotations") : nullptr, percentage, warnings, hpa);
  }
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
      detail.replace(0, kNothing.size(), "found " + found_in(*node));
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
