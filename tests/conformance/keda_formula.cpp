#include <cmath>
#include <optional>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "conformance/family.h"
#include "formula/modifiers.h"

namespace headroom::conformance {
namespace {

namespace json = boost::json;

std::string text_of(const json::object& sample, std::string_view field) {
  const auto* value = sample.if_contains(field);
  return value == nullptr ? "" : std::string(value->as_string());
}

/// The triggers' names, empty where one is no variable, and their values.
struct Variables {
  std::vector<std::string> names;
  std::vector<formula::Value> values;
};

Variables variables_of(const json::object& sample) {
  Variables variables;
  const json::object& values = sample.at("values").as_object();
  for (const auto& element : sample.at("triggers").as_array()) {
    const json::object& trigger = element.as_object();
    const std::string type = text_of(trigger, "type");
    const bool resource = type == "cpu" || type == "memory";
    variables.names.push_back(resource ? "" : text_of(trigger, "name"));
    formula::Value value;
    const auto* milli = values.if_contains(text_of(trigger, "name"));
    if (!resource && milli != nullptr && !milli->is_null()) {
      value = formula::as_variable({milli->to_number<std::int64_t>()});
    }
    variables.values.push_back(value);
  }
  return variables;
}

std::string_view outcome_of(const formula::Failure& failure) {
  switch (failure.why) {
    case formula::Failure::Why::run:
      return "run";
    case formula::Failure::Why::not_float:
      return "notFloat";
    case formula::Failure::Why::not_finite:
      return "notFinite";
    case formula::Failure::Why::nil:
      break;
  }
  return "nil";
}

bool close(double ours, double upstream, bool approximately) {
  if (ours == upstream) return true;
  return approximately && std::abs(ours - upstream) <= 1e-12 * std::abs(upstream);
}

Differences expect_outcome(std::string_view upstream, std::string_view ours, std::string_view why) {
  if (upstream == ours) return {};
  return {fmt::format("outcome: upstream {}, ours {} ({})", upstream, ours, why)};
}

}  // namespace

Differences play_keda_formula(const json::object& sample) {
  const json::object& want = sample.at("want").as_object();
  const std::string outcome = text_of(want, "outcome");
  const std::string formula = text_of(sample, "formula");
  // NaN and +Inf pass upstream's check of the target, and Headroom refuses them (M1): the formula
  // is played all the same.
  std::string target = text_of(sample, "target");
  const auto number = formula::read_go_float(target);
  const bool finite = !number || std::isfinite(*number) || *number < 0;
  if (!finite) target = "1";
  const std::string metric_type = text_of(sample, "metricType");
  const Variables variables = variables_of(sample);
  const auto modifiers =
      formula::Modifiers::load({formula, target, "", metric_type}, variables.names);
  if (!modifiers) {
    const bool refused = outcome == "load" || outcome == "compile" || outcome == "dryRun";
    return expect_outcome(outcome, refused ? outcome : "refused", modifiers.error().what);
  }
  std::optional<std::int32_t> fallback;
  if (const auto* section = sample.if_contains("fallback")) {
    fallback = section->at("replicas").to_number<std::int32_t>();
  }
  const auto composite = modifiers->composite(variables.values, fallback);
  if (composite && composite->from_fallback && !finite) {
    return expect_outcome(outcome, "notFinite", "");
  }
  if (!composite) {
    return expect_outcome(outcome, outcome_of(composite.error()), composite.error().what);
  }
  Differences differences =
      expect_outcome(outcome, composite->from_fallback ? "fallback" : "value", "");
  if (!differences.empty()) return differences;
  expect_equal(want.at("milli").to_number<std::int64_t>(), composite->value.milli, "milli",
               differences);
  if (composite->from_fallback) return differences;
  const auto value = modifiers->formula().run(variables.values);
  const double upstream = want.at("value").to_number<double>();
  if (!value || !*value || !close(**value, upstream, want.contains("approx"))) {
    differences.push_back(fmt::format("value: upstream {}, ours {}", upstream,
                                      value && *value ? **value : std::nan("")));
  }
  return differences;
}

}  // namespace headroom::conformance
