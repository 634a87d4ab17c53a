#include "policy/hpa.h"

namespace headroom::policy::hpa {
namespace {

constexpr std::int32_t kDefaultUtilization = 80;
constexpr std::int32_t kDefaultPeriod = 15;

/// What was left out of `rules` is taken from `standard`. An empty list is not left out.
void fill(std::optional<ScalingRules>& rules, const ScalingRules& standard) {
  if (!rules) rules.emplace();
  if (!rules->stabilization_window_seconds) {
    rules->stabilization_window_seconds = standard.stabilization_window_seconds;
  }
  if (!rules->select_policy) rules->select_policy = standard.select_policy;
  if (!rules->policies) rules->policies = standard.policies;
}

}  // namespace

void set_defaults(HorizontalPodAutoscaler& hpa) {
  Spec& spec = hpa.spec;
  if (!spec.min_replicas) spec.min_replicas = 1;
  if (spec.metrics.empty()) {
    MetricSpec metric;
    metric.type = "Resource";
    metric.resource.emplace();
    metric.resource->name = "cpu";
    metric.resource->target.type = "Utilization";
    metric.resource->target.average_utilization = kDefaultUtilization;
    spec.metrics.push_back(std::move(metric));
  }
  if (!spec.behavior) return;
  ScalingRules up, down;
  up.stabilization_window_seconds = 0;
  up.select_policy = down.select_policy = "Max";
  up.policies = {{"Pods", 4, kDefaultPeriod}, {"Percent", 100, kDefaultPeriod}};
  // The window down stays open: it is the controller's.
  down.policies = {{"Percent", 100, kDefaultPeriod}};
  fill(spec.behavior->scale_up, up);
  fill(spec.behavior->scale_down, down);
}

}  // namespace headroom::policy::hpa
