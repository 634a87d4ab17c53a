#include "decide/scaled_object.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory_resource>

#include <fmt/format.h>

#include "decide/hpa.h"
#include "decide/keda_activation.h"
#include "decide/keda_activity.h"
#include "decide/keda_fallback.h"
#include "decide/proposal.h"
#include "decide/steps.h"
#include "decide/words.h"

namespace headroom::decide {
namespace {

using Rule = KedaAnswer::Rule;
using Stage = Step::Stage;

Bounds bounds_of(const policy::Autoscaler& policy) {
  return {std::max(Replicas{1}, policy.min_replicas), policy.max_replicas};
}

/// What is served for an external metric.
using Answer = tl::expected<Quantity, Absent>;

/// What a source says of its trigger.
struct Asked {
  Answer value;
  std::optional<bool> active = std::nullopt;  // none: by the value
};

std::string_view code_of(Rule rule) {
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

class Look {
 public:
  Look(const Prepared& prepared, const Observation& observation, Memory& memory, Decision& decision)
      : prepared_(prepared),
        policy_(prepared.policy),
        observation_(observation),
        memory_(memory),
        decision_(decision) {}

  void run() {
    Chain chain(decision_.steps, observation_.current);
    read_triggers();
    if (prepared_.modifiers) compose();
    const auto activity = keda::object_activity(triggers_, composite_);
    decision_.error = activity.error;
    note_fallback();
    decision_.replicas = observation_.current;
    if (due()) activate({activity.active, activity.error}, chain);
    if (!decision_.write && !policy_.pause.paused && !idle()) by_hpa();
    look_again();
  }

 private:
  /// What the sources say, as KEDA serves it, with the fallback in its place where it is due.
  void read_triggers() {
    const std::size_t count = prepared_.triggers.size();
    triggers_.reserve(count);
    values_.reserve(count);
    answers_.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      const auto& trigger = prepared_.triggers[i];
      if (trigger.resource) {
        triggers_.push_back({.resource = true});
        values_.emplace_back();
        answers_.emplace_back();
      } else if (trigger.scaler) {
        read_scaler(i);
      } else {
        read_trigger(i, trigger.target, ask(i));
      }
    }
  }

  Asked ask(std::size_t index) const {
    const auto& trigger = prepared_.triggers[index];
    if (!trigger.wrong.empty()) return {absent(trigger.wrong)};
    if (trigger.cron) {
      const auto desired = desired_by_cron(*trigger.cron, observation_);
      if (!desired) return {tl::unexpected(desired.error())};
      const Replicas count = desired->value_or(Replicas{0});
      return {Quantity{std::int64_t{1000} * count.count}, desired->has_value()};
    }
    if (index >= observation_.triggers.size()) return {absent("")};
    const Reading& reading = observation_.triggers[index];
    if (!reading) return {tl::unexpected(reading.error())};
    return {reading->value};
  }

  /// An external scaler says itself what it aims at; before it has, its trigger fails.
  void read_scaler(std::size_t index) {
    if (!own_hpa_) own_hpa_ = hpa_as_said(prepared_, observation_);
    hpa_ = &*own_hpa_;
    const auto said = target_said(prepared_, index, observation_);
    auto asked = ask(index);
    if (said) {
      const auto scaler = std::ranges::find(observation_.scalers, static_cast<std::int32_t>(index),
                                            &ScalerSeen::trigger);
      asked.active = scaler->active;
    } else if (asked.value) {
      asked.value = absent("the scaler has said no target");
    }
    read_trigger(index, said ? *said : prepared_.triggers[index].target, asked);
  }

  void read_trigger(std::size_t index, const policy::TriggerTarget& target, const Asked& asked) {
    using Kind = Served::Kind;
    const bool by_value = policy_.triggers[index].metric_type == policy::Trigger::MetricType::value;
    const auto value = asked.value ? std::optional(*asked.value) : std::nullopt;
    auto stands_in = serve(policy_.fallback, target.metric_name, value, aimed(by_value, target),
                           replicas(), memory_.keda.health);
    // Of no target nothing can be made up.
    const bool aimless = !prepared_.modifiers && target.quantity.milli <= 0;
    if (aimless && stands_in.kind == Kind::fallback) stands_in.kind = Kind::fallback_error;
    const bool made_up = stands_in.kind == Kind::fallback;
    triggers_.push_back(
        {.value = value ? std::optional(formula::as_variable(*value)) : std::nullopt,
         .activation = target.activation,
         .fallback = made_up || stands_in.kind == Kind::nil,
         .says = asked.active});
    values_.push_back(triggers_.back().value);
    if (made_up) replaced_ = stands_in.value;
    if (stands_in.kind == Kind::value && aimless) {
      answers_.push_back(absent("its target is not above 0"));
    } else if (stands_in.kind == Kind::value || made_up) {
      answers_.emplace_back(stands_in.value);
    } else {
      answers_.push_back(asked.value);
    }
  }

  static tl::unexpected<Absent> absent(std::string_view why) {
    return tl::unexpected<Absent>({Absent::Reason::no_data, std::string(why)});
  }

  Aimed aimed(bool by_value, const policy::TriggerTarget& target) const {
    if (!prepared_.modifiers) return {target.target, by_value};
    return {prepared_.fallback_target,
            policy_.scaling_modifiers->metric_type == policy::Trigger::MetricType::value};
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
    const auto& modifiers = *prepared_.modifiers;
    keda::CompositeReading reading;
    Answer answer = absent("");
    if (modifiers) {
      reading.activation = modifiers->activation_target();
      answer = evaluate(*modifiers);
    } else {
      answer = absent(modifiers.error().what);
    }
    if (answer) reading.value = formula::as_variable(*answer);
    answers_.clear();
    answers_.push_back(std::move(answer));
    composite_ = reading;
  }

  Answer evaluate(const formula::Modifiers& modifiers) const {
    if (replaced_) return *replaced_;
    for (const auto& trigger : triggers_) {
      if (!trigger.resource && !trigger.value && !trigger.fallback) return absent("");
    }
    const auto replicas = policy_.fallback ? std::optional(policy_.fallback->replicas.count)
                                           : std::optional<std::int32_t>();
    const auto composite =
        modifiers.composite(values_, replicas, {.unix_millis = observation_.unix_millis});
    if (!composite) return absent(composite.error().what);
    return composite->value;
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
    link(answer, triggers.active, chain);
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

  /// What the HPA that KEDA writes would do.
  void by_hpa() {
    readings_.reserve(prepared_.sources.size());
    for (const auto& [trigger, index] : prepared_.sources) {
      readings_.push_back(trigger ? served(answers_[index]) : readings_of(observation_, index));
    }
    const std::size_t first = decision_.steps.size();
    reconcile(*hpa_, bounds_of(policy_), observation_, readings_, memory_, decision_);
    for (std::size_t i = first; i < decision_.steps.size(); ++i) say_failure(decision_.steps[i]);
    const auto active = std::ranges::find(memory_.conditions, "ScalingActive", &Condition::type);
    if (active == memory_.conditions.end()) return;
    const auto status = active->status;
    const auto reason = active->reason;  // what follows may move it
    set_hpa_active({.type = "ScalingActive", .status = status, .reason = reason},
                   memory_.conditions);
  }

  static MetricReadings served(const Answer& answer) {
    if (!answer) return {.failed = &answer.error()};
    return {.values = std::span(&*answer, 1)};
  }

  /// Of what was served only this look knows.
  void say_failure(Step& step) const {
    if (step.code != step::kSourceFailed) return;
    const auto source = static_cast<std::size_t>(step.source);
    if (!prepared_.sources[source].trigger) return;
    step.text = fmt::format("{}: {}", hpa_->metrics[source].name, said(*readings_[source].failed));
  }

  void look_again() {
    decision_.look_again = kSyncPeriod;
    if (!memory_.keda.polled) return;
    const Millis left = *memory_.keda.polled + policy_.polling_interval - observation_.now;
    decision_.look_again = std::clamp(left, Millis{1s}, kSyncPeriod);
  }

  void link(const KedaAnswer& answer, bool active, Chain& chain) const;

  /// Up to some thirty triggers nothing is allocated.
  std::array<std::byte, 8192> space_;
  std::pmr::monotonic_buffer_resource near_{space_.data(), space_.size()};

  const Prepared& prepared_;
  const policy::Autoscaler& policy_;
  const Observation& observation_;
  Memory& memory_;
  Decision& decision_;
  const policy::Autoscaler* hpa_ = &prepared_.hpa;
  std::optional<policy::Autoscaler> own_hpa_;  // where external scalers say what it is
  std::pmr::vector<keda::TriggerReading> triggers_{&near_};
  std::pmr::vector<formula::Value> values_{&near_};  // one a trigger
  std::pmr::vector<Answer> answers_{&near_};         // one a trigger, or the composite's
  std::pmr::vector<MetricReadings> readings_{&near_};
  std::optional<keda::CompositeReading> composite_;
  std::optional<Quantity> replaced_;  // what a fallback puts in the composite's place
};

/// The step's numbers: steps.h says for each code what they are.
void Look::link(const KedaAnswer& answer, bool active, Chain& chain) const {
  const auto code = code_of(answer.rule);
  double input = 0;
  if (code == step::kSlept) {
    input = in_seconds(memory_.keda.last_active ? policy_.cooldown_period
                                                : policy_.initial_cooldown_period);
  } else if (code == step::kCoolingDown) {
    input = in_seconds(answer.left);
  } else if (code == step::kPaused) {
    input = active ? 1 : 0;
  } else {
    input = answer.rule == Rule::active_with_errors || answer.rule == Rule::fallback_holds ? 1 : 0;
  }
  chain.link(Stage::activate, code, answer.replicas, {input});
}

}  // namespace

void decide_by_triggers(const Prepared& prepared, const Observation& observation, Memory& memory,
                        Decision& decision) {
  Look(prepared, observation, memory, decision).run();
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
