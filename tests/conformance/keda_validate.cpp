#include <algorithm>
#include <set>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "conformance/family.h"
#include "policy/scaled_object.h"

namespace headroom::conformance {
namespace {

namespace json = boost::json;
namespace hpa = policy::hpa;
namespace keda = policy::keda;

std::string text(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

const json::object& object(const json::object& parent, std::string_view name) {
  static const json::object kEmpty;
  const auto* value = parent.if_contains(name);
  return value != nullptr && value->is_object() ? value->get_object() : kEmpty;
}

const json::array& array(const json::object& parent, std::string_view name) {
  static const json::array kEmpty;
  const auto* value = parent.if_contains(name);
  return value != nullptr && value->is_array() ? value->get_array() : kEmpty;
}

keda::Read read(const json::value& document) {
  policy::Problems problems;
  const auto tree = policy::parse(json::serialize(document), problems);
  if (problems.any() || tree.documents.empty()) return {};
  return keda::read(*tree.documents.front(), keda::Strictness::cluster);
}

std::map<std::string, Quantity> quantities(const json::object& from) {
  std::map<std::string, Quantity> all;
  for (const auto& [name, value] : from) {
    const auto amount = parse_quantity(std::string(value.as_string()));
    if (amount) all[std::string(name)] = *amount;
  }
  return all;
}

keda::Container container(const json::object& from) {
  const auto& resources = object(from, "resources");
  return {text(from, "name"), quantities(object(resources, "requests")),
          quantities(object(resources, "limits"))};
}

hpa::CrossVersionObjectReference reference(const json::object& from) {
  return {text(from, "apiVersion"), text(from, "kind"), text(from, "name")};
}

keda::OtherHpa other_hpa(const json::object& from) {
  const auto& metadata = object(from, "metadata");
  keda::OtherHpa other{text(metadata, "name"),
                       text(metadata, "namespace"),
                       {},
                       {},
                       reference(object(object(from, "spec"), "scaleTargetRef"))};
  for (const auto& [name, value] : object(metadata, "annotations")) {
    other.annotations[std::string(name)] = value.as_string();
  }
  for (const auto& owner : array(metadata, "ownerReferences")) {
    other.owners.push_back(reference(owner.as_object()));
  }
  return other;
}

keda::LimitRange limit_range(const json::object& from) {
  keda::LimitRange range{text(object(from, "metadata"), "namespace"), {}};
  for (const auto& item : array(object(from, "spec"), "limits")) {
    const auto& limit = item.as_object();
    range.limits.push_back({text(limit, "type"), quantities(object(limit, "defaultRequest")),
                            quantities(object(limit, "default"))});
  }
  return range;
}

keda::World world_of(const json::object& sample) {
  const auto& from = object(sample, "world");
  keda::World world;
  world.dry_run = sample.contains("dryRun") && sample.at("dryRun").as_bool();
  const auto& target = object(from, "target");
  world.has_scale = !target.empty();
  // Whatever the object names, what is in the cluster is called x.
  const auto& named = object(object(object(sample, "scaledObject"), "spec"), "scaleTargetRef");
  if (world.has_scale && text(named, "name") == "x") {
    auto& pod = world.target.emplace();
    pod.pod = container(target);
    for (const auto& item : array(target, "containers")) {
      pod.containers.push_back(container(item.as_object()));
    }
  }
  for (const auto& other : array(from, "scaledObjects")) {
    world.scaled_objects.push_back(read(other).object);
  }
  for (const auto& other : array(from, "hpas")) world.hpas.push_back(other_hpa(other.as_object()));
  for (const auto& range : array(from, "limitRanges")) {
    world.limit_ranges.push_back(limit_range(range.as_object()));
  }
  return world;
}

// Our answer, as upstream writes it.

json::value write(const std::map<std::string, std::string>& map) {
  json::object out;
  for (const auto& [name, value] : map) out[name] = value;
  return out;
}

json::object write(const hpa::MetricTarget& target) {
  json::object out{{"type", target.type}};
  if (target.value) out["value"] = to_string(*target.value);
  if (target.average_value) out["averageValue"] = to_string(*target.average_value);
  if (target.average_utilization) out["averageUtilization"] = *target.average_utilization;
  return out;
}

json::object write(const hpa::MetricSpec& metric) {
  json::object out{{"type", metric.type}};
  if (metric.resource) {
    out["resource"] =
        json::object{{"name", metric.resource->name}, {"target", write(metric.resource->target)}};
  }
  if (const auto& source = metric.container_resource) {
    out["containerResource"] = json::object{{"name", source->name},
                                            {"container", source->container},
                                            {"target", write(source->target)}};
  }
  if (const auto& source = metric.external) {
    out["external"] = json::object{
        {"metric",
         json::object{{"name", source->metric.name},
                      {"selector", json::object{{"matchLabels",
                                                 write(source->metric.selector->match_labels)}}}}},
        {"target", write(source->target)}};
  }
  return out;
}

json::object write(const hpa::ScalingRules& rules) {
  json::object out;
  if (rules.stabilization_window_seconds) {
    out["stabilizationWindowSeconds"] = *rules.stabilization_window_seconds;
  }
  if (rules.select_policy) out["selectPolicy"] = *rules.select_policy;
  if (rules.policies && !rules.policies->empty()) {
    json::array list;
    for (const auto& policy : *rules.policies) {
      list.push_back(json::object{{"type", policy.type},
                                  {"value", policy.value},
                                  {"periodSeconds", policy.period_seconds}});
    }
    out["policies"] = std::move(list);
  }
  if (rules.tolerance) out["tolerance"] = to_string(*rules.tolerance);
  return out;
}

json::object write(const hpa::Spec& spec) {
  const auto& target = spec.scale_target_ref;
  json::object out{{"scaleTargetRef", json::object{{"kind", target.kind},
                                                   {"name", target.name},
                                                   {"apiVersion", target.api_version}}},
                   {"minReplicas", spec.min_replicas.value_or(1)},
                   {"maxReplicas", spec.max_replicas}};
  json::array metrics;
  for (const auto& metric : spec.metrics) metrics.push_back(write(metric));
  out["metrics"] = std::move(metrics);
  if (spec.behavior) {
    json::object behavior;
    if (spec.behavior->scale_up) behavior["scaleUp"] = write(*spec.behavior->scale_up);
    if (spec.behavior->scale_down) behavior["scaleDown"] = write(*spec.behavior->scale_down);
    out["behavior"] = std::move(behavior);
  }
  return out;
}

/// Quantities in one spelling: "0.05" is "50m".
json::value canonical(const json::value& value, std::string_view name = {}) {
  const bool quantity = name == "value" || name == "averageValue" || name == "tolerance";
  if (value.is_string() && quantity) {
    const auto amount = parse_quantity(std::string(value.get_string()));
    return amount ? json::value(to_string(*amount)) : value;
  }
  if (value.is_array()) {
    json::array out;
    for (const auto& item : value.get_array()) out.push_back(canonical(item));
    return out;
  }
  if (!value.is_object()) return value;
  json::object out;
  for (const auto& [key, item] : value.get_object()) out[key] = canonical(item, key);
  return out;
}

json::value sorted(std::set<std::string> all) {
  json::array out;
  for (const auto& one : all) out.emplace_back(one);
  return out;
}

/// Without a member: an empty one.
json::value member(const json::object& from, std::string_view name, const json::value& otherwise) {
  const auto* value = from.if_contains(name);
  return value == nullptr ? otherwise : *value;
}

void compare_hpa(const json::object& want, const std::optional<hpa::HorizontalPodAutoscaler>& ours,
                 Differences& differences) {
  const auto* upstream = want.if_contains("hpa");
  expect_equal(upstream != nullptr, ours.has_value(), "hpa", differences);
  if (upstream == nullptr || !ours) return;
  const auto& theirs = upstream->as_object();
  expect_equal(theirs.at("name"), json::value(ours->name), "hpa.name", differences);
  expect_equal(member(theirs, "labels", json::object()), write(ours->labels), "hpa.labels",
               differences);
  expect_equal(member(theirs, "annotations", json::object()), write(ours->annotations),
               "hpa.annotations", differences);
  expect_equal(canonical(theirs.at("spec")), canonical(write(ours->spec)), "hpa.spec", differences);
}

std::string schema_of(const json::array& errors) {
  std::set<std::string> all;
  for (const auto& error : errors) {
    all.insert(fmt::format("{} {}", std::string(error.at(1).as_string()),
                           std::string(error.at(0).as_string())));
  }
  return fmt::format("{}", fmt::join(all, ", "));
}

std::string schema_of(const std::vector<keda::FieldError>& errors) {
  std::set<std::string> all;
  for (const auto& error : errors) all.insert(fmt::format("{} {}", error.path, error.type));
  return fmt::format("{}", fmt::join(all, ", "));
}

}  // namespace

Differences play_keda_validate(const json::object& sample) {
  Differences differences;
  const auto& want = sample.at("want").as_object();
  const auto ours = read(sample.at("scaledObject"));
  expect_equal(json::value(schema_of(array(want, "schema"))), json::value(schema_of(ours.errors)),
               "schema", differences);
  if (!ours.errors.empty() || !differences.empty()) return differences;

  const auto world = world_of(sample);
  std::set<std::string> checks;
  for (const auto& refusal : keda::webhook(ours.object, world)) checks.insert(refusal.check);
  expect_equal(member(want, "webhook", json::array()), sorted(checks), "webhook", differences);

  std::set<std::string> settings;
  if (checks.empty()) {
    const auto all = keda::idle_settings(ours.object);
    settings = {all.begin(), all.end()};
  }
  json::value warnings = member(want, "warnings", json::array());
  std::ranges::sort(warnings.as_array(), {}, [](const json::value& v) { return v.as_string(); });
  expect_equal(warnings, sorted(settings), "warnings", differences);

  const auto result = keda::reconcile(ours.object, world);
  auto given_up = text(want, "reconcile");
  if (given_up == "panic") given_up = "hpa";  // an error, where upstream crashes
  expect_equal(json::value(given_up), json::value(result.gives_up ? result.gives_up->check : ""),
               "reconcile", differences);
  compare_hpa(want, result.hpa, differences);
  return differences;
}

}  // namespace headroom::conformance
