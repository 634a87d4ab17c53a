#include "decide/hpa.h"

#include <algorithm>

#include "decide/proposal.h"
#include "decide/replica_calculator.h"
#include "decide/stabilise.h"
#include "decide/steps.h"
#include "decide/words.h"

namespace headroom::decide {
namespace {

using policy::Metric;
using Stage = Step::Stage;

constexpr std::string_view kAbleToScale = "AbleToScale";
constexpr std::string_view kScalingActive = "ScalingActive";
constexpr std::string_view kScalingLimited = "ScalingLimited";
constexpr std::string_view kScaledToZero = "ScaledToZero";

/// Whether something can be seen at zero.
bool wakes(const policy::Autoscaler& policy) {
  return std::ranges::any_of(policy.metrics, [](const Metric& metric) {
    return metric.type == Metric::Type::object || metric.type == Metric::Type::external;
  });
}

/// Whether it was the HPA that went to zero, and not somebody else.
bool scaled_to_zero(const policy::Autoscaler& policy, const Memory& memory) {
  if (!policy.controller.scale_to_zero) return false;
  const auto found = std::ranges::find(memory.conditions, kScaledToZero, &Condition::type);
  return found != memory.conditions.end() && found->status == Truth::yes;
}

class Reconciliation {
 public:
  Reconciliation(const policy::Autoscaler& policy, Bounds bounds, const Observation& observation,
                 std::span<const MetricReadings> readings, Memory& memory, Decision& decision)
      : policy_(policy),
        bounds_(bounds),
        observation_(observation),
        readings_(readings),
        memory_(memory),
        decision_(decision),
        current_(observation.current),
        chain_(decision.steps, current_) {}

  void run() {
    if (memory_.recommendations.empty()) {
      memory_.recommendations.push_back({observation_.now, current_});
    }
    set_condition(memory_.conditions, kAbleToScale, Truth::yes, "SucceededGetScale");
    const bool own_zero = scaled_to_zero(policy_, memory_);
    if (current_.count == 0 && !(own_zero && (bounds_.min.count != 0 || wakes(policy_)))) {
      disabled();
    } else if (current_.count != 0 && current_ > bounds_.max) {
      to_bound(step::kTooManyReplicas, bounds_.max);
    } else if (current_.count != 0 && current_ < bounds_.min) {
      to_bound(step::kTooFewReplicas, bounds_.min);
    } else {
      by_metrics();
    }
    decision_.replicas = chain_.number();
  }

 private:
  void disabled() {
    chain_.link(Stage::activate, step::kScalingDisabled, current_);
    set_condition(memory_.conditions, kScalingActive, Truth::no, "ScalingDisabled");
    if (!policy_.controller.scale_to_zero) {
      std::erase_if(memory_.conditions, [](const Condition& c) { return c.type == kScaledToZero; });
    }
  }

  /// Outside the bounds: no metric is read, nothing is damped.
  void to_bound(std::string_view code, Replicas bound) {
    chain_.link(Stage::limit, code, bound, {static_cast<double>(bound.count)});
    decision_.write = true;
  }

  void by_metrics() {
    if (!propose()) return;
    normalise();
    if (current_.count == 0 && chain_.number() < bounds_.min) {
      chain_.link(Stage::limit, step::kTooFewReplicas, bounds_.min,
                  {static_cast<double>(bounds_.min.count)});
    }
    decision_.write = chain_.number() != current_;
  }

  /// The largest of what the metrics ask for; false: not all could be read, and that holds.
  bool propose() {
    if (!observation_.selects) {
      chain_.link(Stage::recommend, step::kInvalidSelector, current_);
      set_condition(memory_.conditions, kScalingActive, Truth::no, "InvalidSelector");
      decision_.error = true;
      return false;
    }
    const auto tolerances = tolerances_of(policy_);
    const std::size_t first = decision_.steps.size();
    std::size_t failures = 0;
    std::size_t winner = 0;
    const Metric* failed = nullptr;
    Replicas wanted{0};
    for (std::size_t i = 0; i < policy_.metrics.size(); ++i) {
      const auto answer = calculate(policy_, i, readings(i), observation_, current_, tolerances);
      Chain(decision_.steps, current_)
          .link(Stage::recommend, answer.code, answer.failed ? current_ : answer.replicas,
                answer.inputs, static_cast<std::int32_t>(i));
      if (answer.failed) {
        if (failures++ == 0) failed = &policy_.metrics[i];
        continue;
      }
      decision_.metrics.push_back(answer.now);
      if (wanted.count == 0 || answer.replicas > wanted) {  // a 0 gives way to whatever comes
        wanted = answer.replicas;
        winner = i;
      }
    }
    decision_.error = failures > 0;
    const bool nothing = failures == policy_.metrics.size();
    if (nothing || (failures > 0 && wanted < current_)) {
      chain_.link(Stage::combine, nothing ? step::kNothingReadable : step::kFailedHolds, current_,
                  {});
      set_condition(memory_.conditions, kScalingActive, Truth::no,
                    failed != nullptr ? failure_of(failed->type) : "FailedGetResourceMetric");
      return false;
    }
    set_condition(memory_.conditions, kScalingActive, Truth::yes, "ValidMetricFound");
    chain_.go_on_from(wanted);
    if (policy_.metrics.size() > 1) {
      chain_.link(Stage::combine, step::kLargestWins, wanted, {},
                  decision_.steps[first + winner].source);
    }
    return true;
  }

  MetricReadings readings(std::size_t metric) const {
    return readings_.empty() ? readings_of(observation_, metric) : readings_[metric];
  }

  void normalise() {
    const auto rules = rules_of(policy_);
    const Replicas wanted = chain_.number();
    const Replicas stable =
        stabilise({current_, wanted}, rules, observation_.now, memory_.recommendations);
    std::string_view able = "ReadyForNewScale";
    if (stable != wanted) {
      const bool up = rules.given && wanted >= current_;
      able = up ? step::kScaleUpStabilized : step::kScaleDownStabilized;
      const Millis left = held_for(stable, up, rules, observation_.now, memory_.recommendations);
      chain_.link(Stage::stabilise, able, stable,
                  {in_seconds(up ? rules.up_window : rules.down_window), in_seconds(left)});
    }
    set_condition(memory_.conditions, kAbleToScale, Truth::yes, able);
    const Limited limited =
        limit({current_, stable}, rules, bounds_, observation_.now, memory_.ups, memory_.downs);
    const bool free = limited.replicas == stable;
    if (!free) {
      chain_.link(Stage::limit, limited.reason, limited.replicas,
                  {static_cast<double>(limited.replicas.count)});
    }
    set_condition(memory_.conditions, kScalingLimited, free ? Truth::no : Truth::yes,
                  limited.reason);
  }

  const policy::Autoscaler& policy_;
  const Bounds bounds_;
  const Observation& observation_;
  const std::span<const MetricReadings> readings_;
  Memory& memory_;
  Decision& decision_;
  const Replicas current_;
  Chain chain_;
};

}  // namespace

void reconcile(const policy::Autoscaler& policy, Bounds bounds, const Observation& observation,
               std::span<const MetricReadings> readings, Memory& memory, Decision& decision) {
  Reconciliation(policy, bounds, observation, readings, memory, decision).run();
}

void settle(const policy::Autoscaler& policy, Instant now, bool refused, Memory& memory,
            Decision& decision) {
  if (decision.write && refused) {
    set_condition(memory.conditions, kAbleToScale, Truth::no, "FailedUpdateScale");
    decision.error = true;
    decision.replicas = decision.current;
  } else if (decision.write) {
    set_condition(memory.conditions, kAbleToScale, Truth::yes, "SucceededRescale");
    remember_change({decision.current, decision.replicas}, rules_of(policy), now, memory);
    if (policy.controller.scale_to_zero) {
      const bool zero = decision.current.count > 0 && decision.replicas.count == 0 && wakes(policy);
      set_condition(memory.conditions, kScaledToZero, zero ? Truth::yes : Truth::no,
                    zero ? "ScaledToZero" : "NotScaledToZero");
    } else {
      std::erase_if(memory.conditions, [](const Condition& c) { return c.type == kScaledToZero; });
    }
  }
  show_conditions(memory.conditions, decision);
}

}  // namespace headroom::decide
