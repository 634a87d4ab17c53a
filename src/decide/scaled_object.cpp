#include "decide/scaled_object.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "decide/explain.h"
#include "decide/hpa.h"
#include "decide/keda_activation.h"
#include "decide/keda_activity.h"
#include "decide/keda_fallback.h"
#include "decide/proposal.h"
#include "decide/steps.h"
#include "decide/words.h"
#include "formula/modifiers.h"
#include "policy/trigger_parameters.h"

namespace headroom::decide {
namespace {

using policy::Metric;
using policy::MetricTarget;
using Rule = KedaAnswer::Rule;
using Stage = Step::Stage;

constexpr Millis kSyncPeriod = 15s;
constexpr std::string_view kComposite = "composite-metric";

Bounds bounds_of(const policy::Autoscaler& policy) {
  return {std::max(Replicas{1}, policy.min_replicas), policy.max_replicas};
}

/// One external metric: what it aims at, and what is served for it.
struct External {
  std::string name;
  Quantity target;
  bool by_value = false;
  tl::expected<Quantity, Absent> served = tl::unexpected<Absent>(Absent{});
};

MetricTarget target_of(const External& external) {
  MetricTarget target;
  target.type = external.by_value ? MetricTarget::Type::value : MetricTarget::Type::average_value;
  (external.by_value ? target.value : target.average_value) = external.target;
  return target;
}

class Look {
 public:
  Look(const policy::Autoscaler& policy, const Observation& observation, Memory& memory,
       Decision& decision)
      : policy_(policy), observation_(observation), memory_(memory), decision_(decision) {}

  void run() {
    Chain chain(decision_.steps, observation_.current);
    read_triggers();
    if (policy_.scaling_modifiers) compose();
    const auto activity = keda::object_activity(triggers_, composite_);
    decision_.error = activity.error;
    note_fallback();
    decision_.replicas = observation_.current;
    if (due()) activate({activity.active, activity.error}, chain);
    if (!decision_.write && !policy_.pause.paused && !idle()) by_hpa();
    look_again();
  }

 private:
  /// What the source said, as KEDA serves it, with the fallback in its place where it is due.
  void read_triggers() {
    for (std::size_t i = 0; i < policy_.triggers.size(); ++i) {
      const auto& trigger = policy_.triggers[i];
      if (policy::support_of(trigger.type) == policy::TriggerSupport::resource) {
        triggers_.push_back({.resource = true});
        values_.emplace_back();
        continue;
      }
      const auto target = policy::target_of(trigger, static_cast<int>(i), policy_.namespace_);
      Reading reading = tl::unexpected<Absent>(Absent{});
      if (i < observation_.triggers.size()) reading = observation_.triggers[i];
      if (!target) reading = tl::unexpected<Absent>({Absent::Reason::no_data, target.error().what});
      read_trigger(trigger, target ? *target : policy::TriggerTarget{}, i, reading);
    }
  }

  void read_trigger(const policy::Trigger& trigger, const policy::TriggerTarget& target,
                    std::size_t index, const Reading& reading) {
    External external{target.metric_name.empty() ? fmt::format("s{}-{}", index, trigger.type)
                                                 : target.metric_name,
                      target.quantity, trigger.metric_type == policy::Trigger::MetricType::value,
                      tl::unexpected<Absent>(reading ? Absent{} : reading.error())};
    const auto value = reading ? std::optional(reading->value) : std::nullopt;
    const auto stands_in = serve(policy_.fallback, external.name, value, aimed(external, target),
                                 replicas(), memory_.keda.health);
    using Kind = Served::Kind;
    const bool made_up = stands_in.kind == Kind::fallback;
    if (stands_in.kind == Kind::value || made_up) external.served = stands_in.value;
    triggers_.push_back(
        {.value = value ? std::optional(formula::as_variable(*value)) : std::nullopt,
         .activation = target.activation,
         .fallback = made_up || stands_in.kind == Kind::nil});
    values_.push_back(triggers_.back().value);
    if (made_up) replaced_ = stands_in.value;
    externals_.push_back(std::move(external));
  }

  Aimed aimed(const External& external, const policy::TriggerTarget& target) const {
    if (!policy_.scaling_modifiers) return {target.target, external.by_value};
    const auto& modifiers = *policy_.scaling_modifiers;
    return {formula::read_go_float(modifiers.target).value_or(0),
            modifiers.metric_type == policy::Trigger::MetricType::value};
  }

  ReplicasSeen replicas() const {
    std::int32_t ready = 0;
    for (const auto& replica : observation_.replicas) {
      if (replica.phase == ReplicaSeen::Phase::running && replica.is_ready()) ++ready;
    }
    return {observation_.current, ready};
  }

  /// One metric in place of the triggers' own. A fallback of any of them replaces it whole.
  void compose() {
    const auto& modifiers = *policy_.scaling_modifiers;
    const bool by_value = modifiers.metric_type == policy::Trigger::MetricType::value;
    std::vector<std::string> names;
    for (const auto& trigger : policy_.triggers) {
      const bool resource = policy::support_of(trigger.type) == policy::TriggerSupport::resource;
      names.push_back(resource ? "" : trigger.name);
    }
    External external{std::string(kComposite), {}, by_value, tl::unexpected<Absent>(Absent{})};
    const auto loaded =
        formula::Modifiers::load({modifiers.formula, modifiers.target, modifiers.activation_target,
                                  by_value ? "Value" : "AverageValue"},
                                 names);
    keda::CompositeReading reading;
    if (!loaded) {
      external.served = tl::unexpected<Absent>({Absent::Reason::no_data, loaded.error().what});
    } else {
      external.target = loaded->target_milli();
      reading.activation = loaded->activation_target();
      evaluate(*loaded, external);
    }
    if (external.served) reading.value = formula::as_variable(*external.served);
    externals_ = {std::move(external)};
    composite_ = reading;
  }

  void evaluate(const formula::Modifiers& modifiers, External& external) const {
    if (replaced_) {
      external.served = *replaced_;
      return;
    }
    for (const auto& trigger : triggers_) {
      if (!trigger.resource && !trigger.value && !trigger.fallback) return;  // a source failed
    }
    const auto replicas = policy_.fallback ? std::optional(policy_.fallback->replicas.count)
                                           : std::optional<std::int32_t>();
    const auto composite =
        modifiers.composite(values_, replicas, {.unix_millis = observation_.unix_millis});
    if (composite) {
      external.served = composite->value;
    } else {
      external.served = tl::unexpected<Absent>({Absent::Reason::no_data, composite.error().what});
    }
  }

  void note_fallback() {
    if (!policy_.fallback) return;
    const bool falls = falls_back(*policy_.fallback, memory_.keda.health);
    set_condition(memory_.conditions, "Fallback", falls ? Truth::yes : Truth::no,
                  falls ? "FallbackExists" : "NoFallbackFound");
  }

  bool due() const {
    return !memory_.keda.polled ||
           observation_.now - *memory_.keda.polled >= policy_.polling_interval;
  }

  void activate(const TriggersSeen& triggers, Chain& chain) {
    memory_.keda.polled = observation_.now;
    if (!memory_.keda.created) memory_.keda.created = observation_.now;
    memory_.keda.last_active_before = memory_.keda.last_active;
    auto answer =
        activate_by_keda(policy_, observation_.current, triggers, observation_.now, memory_);
    hold_at_pause(answer);
    conclude(answer, false, observation_.now, memory_, memory_.conditions);
    decision_.write = answer.write;
    decision_.replicas = answer.replicas;
    chain
        .link(Stage::activate, code_of(answer.rule), answer.replicas,
              {static_cast<double>(answer.left.count()) / 1000})
        .text = text_of(answer);
  }

  /// The count of the pause is set once; whoever changes it then is let.
  void hold_at_pause(KedaAnswer& answer) {
    bool& held = memory_.keda.held;
    if (answer.rule != Rule::paused) {
      if (held) set_condition(memory_.conditions, "Paused", Truth::no, "ScaledObjectUnpaused");
      held = false;
      return;
    }
    if (!held && policy_.pause.replicas && *policy_.pause.replicas != answer.current) {
      answer.replicas = *policy_.pause.replicas;
      answer.write = true;
    }
    held = true;
  }

  bool idle() const { return policy_.idle_replicas && observation_.current < policy_.min_replicas; }

  /// What the HPA that KEDA writes would do: container resources, then the triggers, then
  /// resources.
  void by_hpa() {
    policy::Autoscaler hpa = policy_;
    Observation seen = observation_;
    hpa.metrics.clear();
    seen.metrics.clear();
    add_own(Metric::Type::container_resource, hpa, seen);
    for (const auto& external : externals_) {
      hpa.metrics.push_back(
          {.type = Metric::Type::external, .name = external.name, .target = target_of(external)});
      MetricSeen metric;
      if (external.served) {
        metric.values = {*external.served};
      } else {
        metric.failed = external.served.error();
      }
      seen.metrics.push_back(std::move(metric));
    }
    add_own(Metric::Type::resource, hpa, seen);
    disable_paused(hpa);
    reconcile(hpa, bounds_of(policy_), seen, memory_, decision_);
    const auto active = std::ranges::find(memory_.conditions, "ScalingActive", &Condition::type);
    if (active != memory_.conditions.end()) {
      const Condition scaling_active = *active;  // what follows may move it
      set_hpa_active(scaling_active, memory_.conditions);
    }
    put_into_words(hpa, seen, decision_);  // only here are its metrics known
  }

  void add_own(Metric::Type type, policy::Autoscaler& hpa, Observation& seen) const {
    for (std::size_t i = 0; i < policy_.metrics.size(); ++i) {
      if (policy_.metrics[i].type != type) continue;
      hpa.metrics.push_back(policy_.metrics[i]);
      MetricSeen metric;
      if (i < observation_.metrics.size()) {
        metric = observation_.metrics[i];
      } else {
        const bool memory = policy_.metrics[i].name == "memory";
        std::ranges::transform(
            observation_.replicas, std::back_inserter(metric.of_replicas),
            [&](const ReplicaSeen& replica) { return memory ? replica.memory : replica.cpu; });
      }
      seen.metrics.push_back(std::move(metric));
    }
  }

  void disable_paused(policy::Autoscaler& hpa) const {
    const auto disable = [&](std::optional<policy::ScalingRules> policy::Behavior::*direction) {
      if (!hpa.behavior) hpa.behavior.emplace();
      auto& rules = (*hpa.behavior).*direction;
      if (!rules) rules.emplace();
      rules->select_policy = policy::ScalingRules::Select::disabled;
    };
    if (policy_.pause.scale_in) disable(&policy::Behavior::scale_down);
    if (policy_.pause.scale_out) disable(&policy::Behavior::scale_up);
  }

  void look_again() {
    decision_.look_again = kSyncPeriod;
    if (!memory_.keda.polled) return;
    const Millis left = *memory_.keda.polled + policy_.polling_interval - observation_.now;
    decision_.look_again = std::clamp(left, Millis{1s}, kSyncPeriod);
  }

  static std::string_view code_of(Rule rule);
  std::string text_of(const KedaAnswer& answer) const;

  const policy::Autoscaler& policy_;
  const Observation& observation_;
  Memory& memory_;
  Decision& decision_;
  std::vector<keda::TriggerReading> triggers_;
  std::vector<formula::Value> values_;  // one a trigger
  std::vector<External> externals_;
  std::optional<keda::CompositeReading> composite_;
  std::optional<Quantity> replaced_;  // what a fallback puts in the composite's place
};

std::string_view Look::code_of(Rule rule) {
  switch (rule) {
    case Rule::woken:
      return step::kWoken;
    case Rule::slept:
      return step::kSlept;
    case Rule::raised:
      return step::kRaised;
    case Rule::cooling_down:
      return step::kCoolingDown;
    case Rule::error_holds:
    case Rule::fallback_holds:
      return step::kTriggerFails;
    case Rule::paused:
    case Rule::scale_in_paused:
    case Rule::scale_out_paused:
      return step::kPaused;
    case Rule::active:
    case Rule::active_with_errors:
      return step::kTriggerActive;
    case Rule::unreadable:
    case Rule::inactive:
      break;
  }
  return step::kTriggersInactive;
}

std::string Look::text_of(const KedaAnswer& answer) const {
  const auto to = arrow(answer.replicas);
  switch (answer.rule) {
    case Rule::woken:
      return "a trigger is active " + to;
    case Rule::slept:
      return fmt::format("no trigger is active, and none was for {} {}",
                         seconds(memory_.keda.last_active ? policy_.cooldown_period
                                                          : policy_.initial_cooldown_period),
                         to);
    case Rule::raised:
      return fmt::format("below minReplicas {}", to);
    case Rule::cooling_down:
      return fmt::format("no trigger is active; down in {}", seconds(answer.left));
    case Rule::error_holds:
      return "a trigger fails and none is active: held " + to;
    case Rule::fallback_holds:
      return "a trigger fails and none is active: the fallback's turn";
    case Rule::paused:
      return answer.write ? "paused " + to : "paused: nothing is changed";
    case Rule::scale_in_paused:
      return "no trigger is active, but scaling in is paused: held " + to;
    case Rule::scale_out_paused:
      return "a trigger is active, but scaling out is paused: held " + to;
    case Rule::active:
      return "a trigger is active";
    case Rule::active_with_errors:
      return "a trigger is active, another fails";
    case Rule::unreadable:
    case Rule::inactive:
      break;
  }
  return "no trigger is active";
}

}  // namespace

void decide_by_triggers(const policy::Autoscaler& policy, const Observation& observation,
                        Memory& memory, Decision& decision) {
  Look(policy, observation, memory, decision).run();
}

void settle_by_triggers(const policy::Autoscaler& policy, Instant now, bool refused, Memory& memory,
                        Decision& decision) {
  // The activation's step comes first; where it moves the number, the HPA's part had no turn.
  const Step* first = decision.steps.empty() ? nullptr : &decision.steps.front();
  const bool activation =
      first != nullptr && first->stage == Stage::activate && first->before != first->after;
  if (!activation) return settle(policy, bounds_of(policy), now, refused, memory, decision);
  if (refused) {
    memory.keda.last_active = memory.keda.last_active_before;
    set_condition(memory.conditions, "Ready", Truth::no, "ErrorScalingTarget");
    decision.error = true;
    decision.replicas = decision.current;
  }
  show_conditions(memory.conditions, decision);
}

}  // namespace headroom::decide
