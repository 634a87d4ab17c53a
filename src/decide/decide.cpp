#include "decide/decide.h"

#include <algorithm>

#include "decide/activate.h"
#include "decide/combine.h"
#include "decide/concurrency.h"
#include "decide/explain.h"
#include "decide/hpa.h"
#include "decide/limit.h"
#include "decide/replica_calculator.h"
#include "decide/scaled_object.h"
#include "decide/stabilise.h"
#include "decide/steps.h"
#include "decide/words.h"

namespace headroom::decide {
namespace {

using Stage = Step::Stage;

constexpr Millis kSoon = 1s;
constexpr Millis kSoonest = 10ms;
constexpr Millis kAsleep = 15s;

/// What the policy says, read for one decision.
struct Plan {
  const policy::Autoscaler& policy;
  std::optional<policy::Concurrency> by_load;  // with Knative's defaults where nothing is named
  Rules rules;
  bool damped;  // HPA's windows and rates are in force
  Bounds bounds;
  Replicas initial;  // initialScale, inside the maximum
};

Plan plan_of(const policy::Autoscaler& policy) {
  Plan plan{.policy = policy,
            .by_load = policy.concurrency,
            .rules = rules_of(policy),
            .damped = false,
            .bounds = {},
            .initial = {}};
  if (!plan.by_load && policy.metrics.empty()) plan.by_load = policy::Concurrency{};
  // The KPA damps by its own windows; HPA's defaults on top of them would hold every burst for
  // five minutes.
  plan.damped = policy.behavior || !plan.by_load;
  plan.bounds.max = std::max(Replicas{0}, policy.max_replicas);
  plan.bounds.min = std::clamp(policy.min_replicas, Replicas{0}, plan.bounds.max);
  if (plan.by_load) plan.initial = {std::min(plan.by_load->initial_scale, plan.bounds.max.count)};
  return plan;
}

void show(std::string_view type, Truth status, std::string_view reason, Decision& decision) {
  decision.conditions.push_back({type, status, reason, ""});
}

void link_limit(const Limited& limited, Chain& chain) {
  chain.link(Stage::limit, limited.reason, limited.replicas,
             {static_cast<double>(limited.replicas.count)});
}

void add_limit(const Limited& limited, Chain& chain, Decision& decision) {
  const bool free = limited.reason == Limited{}.reason;
  if (!free) link_limit(limited, chain);
  show("ScalingLimited", free ? Truth::no : Truth::yes, limited.reason, decision);
}

Proposal propose_by_metric(const policy::Autoscaler& policy, std::size_t index,
                           const Tolerances& tolerances, const Observation& observation,
                           Replicas current) {
  const auto source = static_cast<std::int32_t>(index);
  const auto answer =
      calculate(policy, index, readings_of(observation, index), observation, current, tolerances);
  Proposal proposal{.source = source};
  Chain(proposal.steps, current)
      .link(Stage::recommend, answer.code, answer.failed ? current : answer.replicas, answer.inputs,
            source);
  if (answer.failed) {
    proposal.failure = failure_of(policy.metrics[index].type);
  } else {
    proposal.replicas = answer.replicas;
  }
  return proposal;
}

std::vector<Proposal> propose(const Plan& plan, const Observation& observation, Replicas current,
                              Memory& memory) {
  std::vector<Proposal> proposals;
  if (current.count > 0) {  // at zero there is no replica to read
    const auto tolerances = tolerances_of(plan.policy);
    for (std::size_t i = 0; i < plan.policy.metrics.size(); ++i) {
      proposals.push_back(propose_by_metric(plan.policy, i, tolerances, observation, current));
    }
  }
  if (plan.by_load) {
    proposals.push_back(propose_by_load(*plan.by_load, observation, current, memory.concurrency));
  }
  return proposals;
}

void show_active(const std::vector<Proposal>& proposals, const Combined& combined,
                 Decision& decision) {
  constexpr std::string_view kType = "ScalingActive";
  if (combined.held_by != nullptr) {
    show(kType, Truth::no, combined.held_by->failure, decision);
  } else if (proposals.empty()) {
    show(kType, Truth::no, "ScalingDisabled", decision);
  } else {
    show(kType, Truth::yes, "ValidMetricFound", decision);
  }
}

/// Windows and rates. What a failed reading held is not damped and not remembered.
void damp(const Plan& plan, const Observation& observation, Replicas current, Memory& memory,
          Chain& chain, Decision& decision) {
  const Instant now = observation.now;
  std::string_view able = "ReadyForNewScale";
  if (plan.damped && current.count > 0) {
    const Replicas wanted = chain.number();
    const Replicas stable = stabilise({current, wanted}, plan.rules, now, memory.recommendations);
    if (stable != wanted) {
      const bool up = plan.rules.given && wanted >= current;
      able = up ? step::kScaleUpStabilized : step::kScaleDownStabilized;
      const Millis left = held_for(stable, up, plan.rules, now, memory.recommendations);
      chain.link(
          Stage::stabilise, able, stable,
          {in_seconds(up ? plan.rules.up_window : plan.rules.down_window), in_seconds(left)});
    }
  }
  show("AbleToScale", Truth::yes, able, decision);
  const Limited limited = plan.damped ? limit({current, chain.number()}, plan.rules, plan.bounds,
                                              now, memory.ups, memory.downs)
                                      : within_bounds(chain.number(), plan.bounds);
  add_limit(limited, chain, decision);
}

void hold(const Plan& plan, Chain& chain, Decision& decision) {
  show("AbleToScale", Truth::yes, "SucceededGetScale", decision);
  add_limit(within_bounds(chain.number(), plan.bounds), chain, decision);
}

/// Once the count goes to zero, a new life starts at the next request: what the last one remembered
/// would wake it with the replicas of a load that is gone. What a pin keeps up goes on remembering.
void forget(Memory& memory) {
  memory.recommendations.clear();
  const bool initialised = memory.concurrency.initialised;
  memory.concurrency = {};
  memory.concurrency.initialised = initialised;
}

/// An operator's word is the last one, inside the maximum. One that is over is forgotten.
void pin(const Plan& plan, Instant now, Memory& memory, Decision& decision) {
  auto& hold = memory.hold;
  if (hold && hold->until && *hold->until <= now) hold.reset();
  if (!hold) return;
  const double left = hold->until ? std::chrono::duration<double>(*hold->until - now).count() : -1;
  Chain chain(decision.steps, decision.replicas);
  chain.link(Stage::limit, step::kPinned, std::min(hold->replicas, plan.bounds.max),
             {left, hold->pause ? 1.0 : 0.0});
  decision.replicas = chain.number();
}

Millis look_again(const Plan& plan, const Observation& observation, const Decision& decision,
                  const Memory& memory) {
  Millis wait = kSoon;
  if (memory.hold && memory.hold->until) {
    wait = std::clamp(*memory.hold->until - observation.now, kSoonest, wait);
  } else if (decision.replicas.count == 0 && decision.current.count == 0) {
    return kAsleep;
  }
  if (plan.bounds.min.count == 0 && memory.last_active) {
    const Millis left = *memory.last_active + plan.policy.cooldown_period - observation.now;
    if (left > 0ms) wait = std::min(wait, std::max(left, kSoonest));
  }
  return wait;
}

/// HPA reads no metric where the count is outside the bounds, and brings it inside at once.
bool only_bounds(const Plan& plan, Replicas current, Replicas inside) {
  return !plan.by_load && current != inside;
}

/// Whether initialScale is still to be reached.
bool begins(const Plan& plan, const Memory& memory) {
  return plan.initial.count > 0 && !memory.concurrency.initialised;
}
Activation begin(const Plan& plan, Chain& chain) {
  chain.move(Stage::activate, step::kInitialScale, std::max(chain.number(), plan.initial),
             {static_cast<double>(plan.initial.count)});
  return {Activation::Kind::none, chain.number()};
}

void run(const Plan& plan, const Observation& observation, Replicas current, Memory& memory,
         Decision& decision) {
  const Limited inside = within_bounds(current, plan.bounds);
  if (inside.replicas != current) {
    Chain chain(decision.steps, current);
    link_limit(inside, chain);
  }
  decision.replicas = inside.replicas;
  if (only_bounds(plan, current, inside.replicas)) {
    show("AbleToScale", Truth::yes, "SucceededGetScale", decision);
    show("ScalingLimited", Truth::yes, inside.reason, decision);
    return;
  }
  const auto proposals = propose(plan, observation, inside.replicas, memory);
  const Combined combined = combine(proposals, inside.replicas, decision.steps);
  show_active(proposals, combined, decision);

  Chain chain(decision.steps, combined.replicas);
  const auto activation = begins(plan, memory)
                              ? begin(plan, chain)
                              : activate(plan.policy, observation, inside.replicas,
                                         combined.held_by != nullptr, memory, chain);
  if (activation.kind == Activation::Kind::sleep) {
    hold(plan, chain, decision);
  } else if (combined.held_by != nullptr && activation.kind == Activation::Kind::none) {
    hold(plan, chain, decision);
  } else {
    damp(plan, observation, inside.replicas, memory, chain, decision);
    if (activation.kind == Activation::Kind::wake) {
      chain.move(Stage::activate, step::kActivated, std::max(Replicas{1}, chain.number()));
    }
  }
  decision.replicas = chain.number();
}

/// HPA's: an object with a scale subresource, and no gateway before it.
Bounds bounds_of(const policy::Autoscaler& policy) {
  return {policy.min_replicas, policy.max_replicas};
}

void decide_for_processes(const policy::Autoscaler& policy, const Observation& observation,
                          Memory& memory, Decision& decision) {
  const Plan plan = plan_of(policy);
  note_activity(observation, memory);
  if (plan.by_load && observation.ready() >= std::max(plan.bounds.min, plan.initial).count) {
    memory.concurrency.initialised = true;
  }
  run(plan, observation, std::max(Replicas{0}, observation.current), memory, decision);
  pin(plan, observation.now, memory, decision);
  if (decision.current.count > 0 && decision.replicas.count == 0) forget(memory);
  if (plan.damped && decision.replicas != decision.current) {
    remember_change({decision.current, decision.replicas}, plan.rules, observation.now, memory);
  }
  decision.write = decision.rescales();
  decision.look_again = look_again(plan, observation, decision, memory);
}

void begin(const Observation& observation, Decision& decision) {
  decision.steps.clear();
  decision.metrics.clear();
  decision.current = observation.current;
  decision.write = decision.error = false;
}

}  // namespace

void decide_into(const Prepared& prepared, const Observation& observation, Memory& memory,
                 Decision& decision) {
  if (prepared.triggers.empty()) {
    return decide_into(prepared.policy, observation, memory, decision);
  }
  begin(observation, decision);
  decide_by_triggers(prepared, observation, memory, decision);
}

void decide_into(const policy::Autoscaler& policy, const Observation& observation, Memory& memory,
                 Decision& decision) {
  if (!policy.triggers.empty()) {
    return decide_into(Prepared(policy), observation, memory, decision);
  }
  begin(observation, decision);
  if (policy.target.scale_target_ref) {
    reconcile(policy, bounds_of(policy), observation, {}, memory, decision);
    decision.look_again = kSyncPeriod;
  } else {
    decision.conditions.clear();
    decide_for_processes(policy, observation, memory, decision);
  }
}

void settle(const policy::Autoscaler& policy, const Observation& observation, bool refused,
            Memory& memory, Decision& decision) {
  if (!policy.triggers.empty()) {
    return settle_by_triggers(policy, observation.now, refused, memory, decision);
  }
  if (!policy.target.scale_target_ref) return;  // nothing of a process is refused
  settle(policy, observation.now, refused, memory, decision);
}

Decision decide(const policy::Autoscaler& policy, const Observation& observation, Memory& memory) {
  Decision decision;
  decide_into(policy, observation, memory, decision);
  settle(policy, observation, false, memory, decision);
  put_into_words(policy, observation, decision);
  return decision;
}

}  // namespace headroom::decide
