#include "policy/resource_triggers.h"

#include <algorithm>
#include <limits>

#include "policy/trigger_parameters.h"
#include "policy/trigger_syntax.h"

namespace headroom::policy {
namespace {

std::string text_of(const Trigger& trigger, std::string_view name) {
  return parameter_of(trigger.type, trigger.metadata, name).value_or("");
}

bool stands_for_metric(const Trigger& trigger, const Autoscaler& autoscaler) {
  const auto metric = metric_of(trigger);
  return metric && std::ranges::find(autoscaler.metrics, *metric) != autoscaler.metrics.end();
}

}  // namespace

std::optional<Metric> metric_of(const Trigger& trigger) {
  if (support_of(trigger.type) != TriggerSupport::resource) return std::nullopt;
  Metric metric;
  metric.name = trigger.type;
  metric.container = text_of(trigger, "containerName");
  if (!metric.container.empty()) metric.type = Metric::Type::container_resource;
  const auto value = text_of(trigger, "value");
  if (trigger.metric_type == Trigger::MetricType::utilization) {
    const auto percent = go_integer(value);
    constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
    if (!percent || *percent <= 0 || *percent > kMost) return std::nullopt;
    metric.target.average_utilization = static_cast<std::int32_t>(*percent);
  } else {
    const auto quantity = parse_quantity(value);
    if (!quantity || quantity->milli <= 0) return std::nullopt;
    metric.target.type = MetricTarget::Type::average_value;
    metric.target.average_value = *quantity;
  }
  return metric;
}

void add_resource_metrics(Autoscaler& autoscaler) {
  for (const auto& trigger : autoscaler.triggers) {
    if (stands_for_metric(trigger, autoscaler)) continue;
    if (auto metric = metric_of(trigger)) autoscaler.metrics.push_back(std::move(*metric));
  }
}

bool drop_resource_triggers(Autoscaler& autoscaler) {
  return std::erase_if(autoscaler.triggers, [&](const Trigger& trigger) {
           return stands_for_metric(trigger, autoscaler);
         }) > 0;
}

Autoscaler without_resource_triggers(Autoscaler autoscaler) {
  if (!drop_resource_triggers(autoscaler) || !autoscaler.triggers.empty()) return autoscaler;
  static const Autoscaler kDefault{};
  autoscaler.polling_interval = kDefault.polling_interval;
  autoscaler.cooldown_period = kDefault.cooldown_period;
  autoscaler.initial_cooldown_period = kDefault.initial_cooldown_period;
  autoscaler.min_replicas = std::max(Replicas{1}, autoscaler.min_replicas);
  return autoscaler;
}

}  // namespace headroom::policy
