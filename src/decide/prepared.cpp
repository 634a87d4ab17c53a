#include "decide/prepared.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "base/text.h"
#include "policy/trigger_syntax.h"

namespace headroom::decide {
namespace {

using policy::Metric;
using policy::MetricTarget;

constexpr std::string_view kComposite = "composite-metric";

bool by_value(policy::Trigger::MetricType type) {
  return type == policy::Trigger::MetricType::value;
}

void aim_at(Quantity target, bool value, MetricTarget& made) {
  made = {.type = value ? MetricTarget::Type::value : MetricTarget::Type::average_value};
  (value ? made.value : made.average_value) = target;
}

std::string text_of(const policy::Trigger& trigger, std::string_view name) {
  return policy::parameter_of(trigger.type, trigger.metadata, name).value_or("");
}

Result<cron::Schedule> schedule_of(const policy::Trigger& trigger, std::string_view name) {
  auto schedule = cron::parse(text_of(trigger, name));
  if (schedule && schedule->zone.empty()) schedule->zone = text_of(trigger, "timezone");
  return schedule;
}

Result<cron::Trigger> cron_of(const policy::Trigger& trigger) {
  auto start = schedule_of(trigger, "start");
  if (!start) return fail(start.error());
  auto end = schedule_of(trigger, "end");
  if (!end) return fail(end.error());
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  const auto desired = policy::json_integer(text_of(trigger, "desiredReplicas"));
  if (!desired) return fail({Code::invalid, "desiredReplicas: expected a whole number"});
  const auto count = static_cast<std::int32_t>(std::clamp<std::int64_t>(*desired, 0, kMost));
  return cron::Trigger{std::move(*start), std::move(*end), {count}};
}

Prepared::Trigger prepare(const policy::Autoscaler& policy, std::size_t index) {
  const auto& trigger = policy.triggers[index];
  Prepared::Trigger made;
  made.resource = policy::support_of(trigger.type) == policy::TriggerSupport::resource;
  if (made.resource) return made;
  made.scaler = trigger.type.starts_with("external");
  auto target = policy::target_of(trigger, static_cast<int>(index), policy.namespace_);
  if (target) {
    made.target = std::move(*target);
  } else {
    made.wrong = target.error().what;
  }
  if (made.target.metric_name.empty()) {
    made.target.metric_name = fmt::format("s{}-{}", index, trigger.type);
  }
  if (trigger.type != "cron") return made;
  auto cron = cron_of(trigger);
  if (cron) {
    made.cron = std::move(*cron);
  } else {
    made.wrong = cron.error().what;
  }
  return made;
}

Result<formula::Modifiers> compile(const policy::Autoscaler& policy) {
  const auto& modifiers = *policy.scaling_modifiers;
  std::vector<std::string> names;
  for (const auto& trigger : policy.triggers) {
    const bool resource = policy::support_of(trigger.type) == policy::TriggerSupport::resource;
    names.push_back(resource ? "" : trigger.name);
  }
  return formula::Modifiers::load({modifiers.formula, modifiers.target, modifiers.activation_target,
                                   by_value(modifiers.metric_type) ? "Value" : "AverageValue"},
                                  names);
}

/// Upstream's way to pause a direction.
void disable_paused(const policy::Pause& pause, policy::Autoscaler& hpa) {
  const auto disable = [&](std::optional<policy::ScalingRules> policy::Behavior::*direction) {
    if (!hpa.behavior) hpa.behavior.emplace();
    auto& rules = (*hpa.behavior).*direction;
    if (!rules) rules.emplace();
    rules->select_policy = policy::ScalingRules::Select::disabled;
  };
  if (pause.scale_in) disable(&policy::Behavior::scale_down);
  if (pause.scale_out) disable(&policy::Behavior::scale_up);
}

/// Resource metrics come last, where upstream sorts them to.
void add_own(bool resource, Prepared& made) {
  const auto& metrics = made.policy.metrics;
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    if ((metrics[i].type == Metric::Type::resource) != resource) continue;
    made.hpa.metrics.push_back(metrics[i]);
    made.sources.push_back({false, i});
  }
}

void add_external(std::string_view name, Quantity target, bool value, std::size_t index,
                  Prepared& made) {
  Metric metric{.type = Metric::Type::external, .name = std::string(name)};
  aim_at(target, value, metric.target);
  made.hpa.metrics.push_back(std::move(metric));
  made.sources.push_back({true, index});
}

/// As the observation has them: no allocation, no map.
class Offsets : public cron::Zone {
 public:
  explicit Offsets(const std::vector<OffsetSeen>& offsets) : offsets_(offsets) {}

  std::int32_t offset_at(std::int64_t unix_seconds) const override {
    const auto after = std::ranges::upper_bound(offsets_, unix_seconds, {}, &OffsetSeen::from);
    return (after == offsets_.begin() ? after : after - 1)->seconds;
  }

 private:
  const std::vector<OffsetSeen>& offsets_;
};

const ZoneSeen* zone_in(const Observation& observation, std::string_view name) {
  const auto found = std::ranges::find(observation.zones, name, &ZoneSeen::name);
  return found != observation.zones.end() && !found->offsets.empty() ? &*found : nullptr;
}

Absent unknown_zone(std::string_view name) {
  return {Absent::Reason::no_data, fmt::format("unknown time zone \"{}\"", printable(name, 60))};
}

}  // namespace

Prepared::Prepared(const policy::Autoscaler& from) : policy(from) {
  if (policy.triggers.empty()) return;
  for (std::size_t i = 0; i < policy.triggers.size(); ++i) triggers.push_back(prepare(policy, i));
  hpa.name = policy.name;
  hpa.target.scale_target_ref = policy.target.scale_target_ref;
  hpa.behavior = policy.behavior;
  hpa.controller = policy.controller;
  disable_paused(policy.pause, hpa);

  add_own(false, *this);
  if (policy.scaling_modifiers) {
    modifiers = compile(policy);
    fallback_target = formula::read_go_float(policy.scaling_modifiers->target).value_or(0);
    add_external(kComposite, *modifiers ? (*modifiers)->target_milli() : Quantity{},
                 by_value(policy.scaling_modifiers->metric_type), 0, *this);
  } else {
    for (std::size_t i = 0; i < triggers.size(); ++i) {
      const auto& [name, target, quantity, activation] = triggers[i].target;
      if (triggers[i].resource) continue;
      add_external(name, quantity, by_value(policy.triggers[i].metric_type), i, *this);
    }
  }
  add_own(true, *this);
}

std::optional<policy::TriggerTarget> target_said(const Prepared& prepared, std::size_t trigger,
                                                 const Observation& observation) {
  const auto said = std::ranges::find(observation.scalers, static_cast<std::int32_t>(trigger),
                                      &ScalerSeen::trigger);
  if (said == observation.scalers.end()) return std::nullopt;
  policy::TriggerTarget target;
  target.metric_name = said->metric.empty() ? prepared.triggers[trigger].target.metric_name
                                            : fmt::format("s{}-{}", trigger, said->metric);
  target.target = said->target;
  target.quantity = policy::to_quantity(said->target);
  if (target.quantity.milli <= 0) return std::nullopt;
  return target;
}

policy::Autoscaler hpa_as_said(const Prepared& prepared, const Observation& observation) {
  policy::Autoscaler hpa = prepared.hpa;
  if (prepared.modifiers) return hpa;
  for (std::size_t i = 0; i < hpa.metrics.size(); ++i) {
    const auto& [trigger, index] = prepared.sources[i];
    if (!trigger || !prepared.triggers[index].scaler) continue;
    const auto said = target_said(prepared, index, observation);
    if (!said) continue;
    hpa.metrics[i].name = said->metric_name;
    aim_at(said->quantity, by_value(prepared.policy.triggers[index].metric_type),
           hpa.metrics[i].target);
  }
  return hpa;
}

std::vector<std::string> zones_of(const policy::Trigger& trigger) {
  if (trigger.type != "cron") return {};
  const auto cron = cron_of(trigger);
  if (!cron) return {};
  if (cron->start.zone == cron->end.zone) return {cron->start.zone};
  return {cron->start.zone, cron->end.zone};
}

std::vector<std::string> zones_of(const policy::Autoscaler& policy) {
  std::vector<std::string> zones;
  for (const auto& trigger : policy.triggers) {
    for (auto& zone : zones_of(trigger)) {
      if (std::ranges::find(zones, zone) == zones.end()) zones.push_back(std::move(zone));
    }
  }
  return zones;
}

tl::expected<std::optional<Replicas>, Absent> desired_by_cron(const cron::Trigger& trigger,
                                                              const Observation& observation) {
  const ZoneSeen* start = zone_in(observation, trigger.start.zone);
  if (start == nullptr) return tl::unexpected(unknown_zone(trigger.start.zone));
  const ZoneSeen* end = zone_in(observation, trigger.end.zone);
  if (end == nullptr) return tl::unexpected(unknown_zone(trigger.end.zone));
  const auto now = std::chrono::floor<std::chrono::seconds>(Millis(observation.unix_millis));
  return cron::desired(trigger, Offsets(start->offsets), Offsets(end->offsets), now.count());
}

}  // namespace headroom::decide
