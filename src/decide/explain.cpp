#include "decide/explain.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <span>
#include <string_view>

#include <fmt/format.h>

#include "decide/concurrency.h"
#include "decide/prepared.h"
#include "decide/replica_calculator.h"
#include "decide/steps.h"
#include "decide/words.h"
#include "policy/knative.h"

namespace headroom::decide {
namespace {

using policy::Metric;

Quantity milli(double value) {
  constexpr double kMost = 9.2e18;
  return {static_cast<std::int64_t>(std::clamp(value, -kMost, kMost))};
}

/// A value of the metric with its unit, where it has one.
std::string value_of(const Metric& metric, double value) {
  const bool resource =
      metric.type == Metric::Type::resource || metric.type == Metric::Type::container_resource;
  if (resource && metric.name == "memory") return bytes(milli(value));
  return number(value / 1000);
}

std::string name_of(const Metric& metric) {
  if (metric.type == Metric::Type::container_resource) {
    return fmt::format("{} of container {}", metric.name, metric.container);
  }
  if (metric.type == Metric::Type::object && metric.described_object) {
    return fmt::format("{} of {} {}", metric.name, metric.described_object->kind,
                       metric.described_object->name);
  }
  return metric.name;
}

/// Why the number is not just the ratio's.
std::string note_of(const Step& step, const Tolerances& tolerances) {
  const double filled_in = step.inputs[2];
  const double ratio = step.inputs[3];
  if (filled_in > 0) {
    return fmt::format(" ({} without a reading count{} as {})", number(filled_in),
                       filled_in == 1 ? "s" : "", ratio < 1.0 ? "full" : "idle");
  }
  if (!tolerances.hold(ratio)) return "";
  return fmt::format(" (within {}% of it)",
                     number(100 * (ratio > 1.0 ? tolerances.up : tolerances.down)));
}

std::string by_metric(const Metric& metric, const Step& step, const Tolerances& tolerances) {
  const double value = step.inputs[0];
  const double target = step.inputs[1];
  const std::string name = name_of(metric);
  const std::string to = arrow(step.after);
  if (step.code == step::kUtilization) {
    return fmt::format("{} {}% of {}%{} {}", name, number(value), number(target),
                       note_of(step, tolerances), to);
  }
  if (step.code == step::kAverageValue) {
    return fmt::format("{} {} of {} per replica{} {}", name, value_of(metric, value),
                       value_of(metric, target), note_of(step, tolerances), to);
  }
  if (step.code == step::kAverageOfAll) {
    return fmt::format("{} {} at {} per replica {}", name, value_of(metric, value),
                       value_of(metric, target), to);
  }
  return fmt::format("{} {} of {} {}", name, value_of(metric, value), value_of(metric, target), to);
}

/// A step, and what it is about.
struct Told {
  const policy::Autoscaler& policy;  // whose metrics the steps name: the HPA that KEDA would write
  const std::optional<Prepared>& prepared;  // where it has triggers
  const Observation& observation;
  const Step& step;

  double input(std::size_t index) const { return step.inputs[index]; }
  std::string to() const { return arrow(step.after); }
  const Metric& metric() const { return policy.metrics[static_cast<std::size_t>(step.source)]; }
  bool of_metric() const {
    return step.source >= 0 && static_cast<std::size_t>(step.source) < policy.metrics.size();
  }
  MetricReadings readings() const {
    const auto source = static_cast<std::size_t>(step.source);
    return readings_of(observation, prepared ? prepared->sources[source].index : source);
  }
  /// What the gateway's load is counted in.
  const char* load() const {
    const bool rps =
        policy.concurrency && policy.concurrency->metric == policy::Concurrency::Metric::rps;
    return rps ? "requests per second" : "concurrency";
  }
  policy::Concurrency by_load() const { return policy.concurrency.value_or(policy::Concurrency{}); }
};

/// "1 request", "2 requests".
std::string requests(double count) {
  return fmt::format("{} request{}", number(count), count == 1 ? "" : "s");
}

/// Calls `look` with each replica that stays, and what was read of it, until that gives a reason.
template <class Look>
std::string first_reason(const Told& told, const char* otherwise, const Look& look) {
  const auto readings = told.readings();
  const auto& replicas = told.observation.replicas;
  std::string reason;
  for (std::size_t i = 0; i < replicas.size() && reason.empty(); ++i) {
    if (replicas[i].deleting) continue;
    if (readings.own) {
      reason =
          look(replicas[i], told.metric().name == "memory" ? replicas[i].memory : replicas[i].cpu);
    } else if (i < readings.of_replicas.size()) {
      reason = look(replicas[i], readings.of_replicas[i]);
    }
  }
  return reason.empty() ? otherwise : reason;
}

std::string why_no_reading(const Told& told) {
  return first_reason(told, "no data", [](const ReplicaSeen&, const Reading& reading) {
    return reading ? std::string() : said(reading.error());
  });
}

/// By the first that is ready: most often the oldest, so its reading will be the first to count.
std::string why_not_ready(const Told& told) {
  return first_reason(
      told, "no replica is ready yet", [](const ReplicaSeen& replica, const Reading& reading) {
        if (!reading || !replica.is_ready()) return std::string();
        const Millis ready = std::max(0ms, reading->at - replica.ready->since);
        return fmt::format("replica {} was ready for {} of the {} that its reading is over",
                           replica.id, span_of(ready), span_of(reading->window));
      });
}

struct Failure {
  std::string_view code;
  std::string (*why)(const Told&);
};
constexpr std::array kFailures = {
    Failure{step::kSourceFailed,
            [](const Told& told) {
              const auto* failed = told.readings().failed;
              return said(failed != nullptr ? *failed : Absent{});
            }},
    Failure{step::kNoReading, why_no_reading},
    Failure{step::kNotReady, why_not_ready},
    Failure{step::kNoReplicas, [](const Told&) { return std::string("no replica runs yet"); }},
    Failure{step::kNoRequest,
            [](const Told&) { return std::string("a container requests none of it"); }},
    Failure{step::kNoTarget, [](const Told&) { return std::string("it has no target"); }},
};

bool fails(std::string_view code) {
  return code == step::kLoadUnavailable ||
         std::ranges::find(kFailures, code, &Failure::code) != kFailures.end();
}

std::string of_metric(const Told& told) {
  const auto code = told.step.code;
  const auto name = name_of(told.metric());
  const auto failure = std::ranges::find(kFailures, code, &Failure::code);
  if (failure != kFailures.end()) return fmt::format("{}: {}", name, failure->why(told));
  if (code == step::kLargestWins) return fmt::format("{} asks for the most {}", name, told.to());
  if (code == step::kFailedHolds) {
    return fmt::format("not down while {} cannot be read {}", name, told.to());
  }
  return by_metric(told.metric(), told.step, tolerances_of(told.policy));
}

/// "7 per replica (70% of 10)": what a replica is meant to have is not all that the policy says.
std::string per_replica(const Told& told, double target, double total) {
  const double percent = told.by_load().target_utilization_percentage;
  auto each = fmt::format("{} per replica", number(target));
  if (percent >= 100) return each;
  return fmt::format("{} ({}% of {})", each, number(percent), number(total));
}

std::string by_average(const Told& told) {
  return fmt::format(
      "{} {} over {} of {} {}", told.load(), number(told.input(0)), span_of(told.input(1)),
      per_replica(told, told.input(2), policy::settings_of(told.by_load()).total), told.to());
}

std::string panicked(const Told& told) {
  const auto settings = policy::settings_of(told.by_load());
  if (!holds(told.step)) {
    return fmt::format("panic: {} {} over {} of {} {}", told.load(), number(told.input(0)),
                       span_of(settings.panic_window),
                       per_replica(told, told.input(1), settings.total), told.to());
  }
  const double ago = told.input(3);
  if (ago <= 0) {
    return fmt::format("still over the panic threshold: the peak is held until {} after that {}",
                       span_of(settings.window), told.to());
  }
  const double left = std::max(0.0, in_seconds(settings.window) - ago);
  return fmt::format("the panic's peak is held for another {} {}", span_of(std::ceil(left)),
                     told.to());
}

/// By the limit on open requests, where the target is a rate.
std::string waits(const Told& told) {
  const auto settings = policy::settings_of(told.by_load());
  const double total = settings.rps ? told.by_load().container_concurrency : settings.total;
  return fmt::format("{} waiting and {} running now of {} {}", number(told.input(0)),
                     number(told.input(1)), per_replica(told, told.input(2), total), told.to());
}

std::string paused(const Told& told) {
  if (told.policy.pause.paused) {
    const bool moved = told.step.before != told.step.after;
    return moved ? "paused " + told.to() : "paused: nothing is changed";
  }
  if (told.input(0) != 0)
    return "a trigger is active, but scaling out is paused: held " + told.to();
  return "no trigger is active, but scaling in is paused: held " + told.to();
}

struct Wording {
  std::string_view code;
  std::string (*text)(const Told&);
};

/// What KEDA's activation and the gateway do between zero and one.
constexpr std::array kActivations = {
    Wording{step::kWoken, [](const Told& told) { return "a trigger is active " + told.to(); }},
    Wording{step::kSlept,
            [](const Told& told) {
              return fmt::format("no trigger is active, and none was for {} {}",
                                 span_of(told.input(0)), told.to());
            }},
    Wording{step::kRaised, [](const Told& told) { return "below minReplicas " + told.to(); }},
    Wording{step::kCoolingDown,
            [](const Told& told) {
              return fmt::format("no trigger is active; down in {}", span_of(told.input(0)));
            }},
    Wording{step::kTriggerActive,
            [](const Told& told) {
              return std::string("a trigger is active") +
                     (told.input(0) != 0 ? ", another fails" : "");
            }},
    Wording{step::kTriggerFails,
            [](const Told& told) {
              return "a trigger fails and none is active: " +
                     (told.input(0) != 0 ? "the fallback's turn" : "held " + told.to());
            }},
    Wording{step::kTriggersInactive,
            [](const Told&) { return std::string("no trigger is active"); }},
    Wording{step::kPaused, paused},
    Wording{step::kScalingDisabled,
            [](const Told&) {
              return std::string("at zero because somebody set it so; 1 or more scales again");
            }},
    Wording{step::kInitialScale,
            [](const Told& told) {
              return fmt::format("begins with {} until they were ready once {}",
                                 number(told.input(0)), told.to());
            }},
    Wording{step::kActivated,
            [](const Told& told) {
              if (told.input(0) == 0) return "the first replica at once " + told.to();
              return fmt::format("{} {} at zero {}", requests(told.input(0)),
                                 told.input(0) == 1 ? "waits" : "wait", told.to());
            }},
    Wording{step::kActive,
            [](const Told& told) {
              return fmt::format("{} open {}", requests(told.input(0)), told.to());
            }},
    Wording{step::kAsleep,
            [](const Told& told) {
              return std::string("at zero and ") +
                     (told.observation.load ? "nothing waits" : "the load cannot be read");
            }},
    Wording{step::kCooldown,
            [](const Told& told) {
              return fmt::format("last request {} ago, to zero after {} {}", span_of(told.input(0)),
                                 span_of(told.input(1)), told.to());
            }},
    Wording{step::kScaledToZero,
            [](const Told& told) {
              return fmt::format("no request for {}, to zero after {} {}", span_of(told.input(0)),
                                 span_of(told.input(1)), told.to());
            }},
    Wording{
        step::kKeptAwake,
        [](const Told& told) { return "without a gateway nothing would wake it " + told.to(); }},
};

/// The gateway's load.
constexpr std::array kByLoad = {
    Wording{step::kConcurrency, by_average},
    Wording{step::kRequestRate, by_average},
    Wording{step::kLoadUnavailable,
            [](const Told& told) {
              return "the gateway's load: " +
                     said(missing_load(told.observation).value_or(Absent{}));
            }},
    Wording{step::kScaleUpRate,
            [](const Told& told) {
              return fmt::format("at most {} times what is ready {}", number(told.input(0)),
                                 told.to());
            }},
    Wording{step::kScaleDownRate,
            [](const Told& told) {
              return fmt::format("falls in 2 s to no less than {} ready / {}, rounded down {}",
                                 number(told.input(1)), number(told.input(0)), told.to());
            }},
    Wording{step::kActivationScale,
            [](const Told& told) {
              return fmt::format("at least {} under any load {}", number(told.input(0)), told.to());
            }},
    Wording{step::kPanic, panicked},
    Wording{step::kStartHeld,
            [](const Told& told) {
              return fmt::format(
                  "the load was unknown at the start: what was asked for is held for another {} {}",
                  span_of(std::ceil(told.input(0))), told.to());
            }},
    Wording{step::kScaleDownDelay,
            [](const Told& told) {
              return fmt::format("the most of the last {} {}", span_of(told.input(0)), told.to());
            }},
    Wording{step::kTargetBurstCapacity,
            [](const Told& told) {
              return fmt::format("room for {} more at once of {} per replica {}",
                                 number(told.input(0)), number(told.input(1)), told.to());
            }},
    Wording{step::kWaiting, waits},
    Wording{step::kWaitingHeld,
            [](const Told& told) {
              return fmt::format("for requests that waited {} ago, held for {} {}",
                                 span_of(told.input(0)), span_of(told.input(1)), told.to());
            }},
};

std::string stabilised(const Told& told) {
  return fmt::format("held at {} for another {} by the {} window", told.step.after.count,
                     span_of(std::ceil(told.input(1))), span_of(told.input(0)));
}

/// By the rates of one direction, or by the doubling that holds without a behavior.
std::string rated(const Told& told, std::string_view field,
                  std::optional<policy::ScalingRules> policy::Behavior::*direction) {
  if (!told.policy.behavior) {
    return fmt::format("without a behavior at most doubled{} {}",
                       told.policy.target.scale_target_ref ? "" : " in 10 s", told.to());
  }
  const auto& rules = (*told.policy.behavior).*direction;
  if (rules && rules->select_policy == policy::ScalingRules::Select::disabled) {
    return fmt::format("{} is Disabled {}", field, told.to());
  }
  return fmt::format("{} allows no further yet {}", field, told.to());
}

/// What all ways of deciding share.
constexpr std::array kShared = {
    Wording{
        step::kInvalidSelector,
        [](const Told&) { return std::string("the target does not say which replicas it has"); }},
    Wording{step::kNothingReadable,
            [](const Told& told) { return "nothing could be read: held " + told.to(); }},
    Wording{step::kLargestWins,
            [](const Told& told) {
              return fmt::format("{} asks for the most {}", told.load(), told.to());
            }},
    Wording{step::kFailedHolds,
            [](const Told& told) { return "not down while not all can be read " + told.to(); }},
    Wording{step::kScaleUpStabilized, stabilised},
    Wording{step::kScaleDownStabilized, stabilised},
    Wording{step::kScaleUpLimit,
            [](const Told& told) {
              return rated(told, "behavior.scaleUp", &policy::Behavior::scale_up);
            }},
    Wording{step::kScaleDownLimit,
            [](const Told& told) {
              return rated(told, "behavior.scaleDown", &policy::Behavior::scale_down);
            }},
    Wording{step::kPinned,
            [](const Told& told) {
              return fmt::format(
                  "{} at {} {}", told.input(1) != 0 ? "paused" : "pinned", told.step.after.count,
                  told.input(0) < 0 ? std::string("until resumed")
                                    : "for another " + span_of(std::ceil(told.input(0))));
            }},
    Wording{step::kTooManyReplicas,
            [](const Told& told) {
              return fmt::format("at most {} (maxReplicas) {}", number(told.input(0)), told.to());
            }},
    Wording{step::kTooFewReplicas,
            [](const Told& told) {
              return fmt::format("at least {} (minReplicas) {}", number(told.input(0)), told.to());
            }},
};

std::string text_of(const Told& told) {
  if (told.of_metric()) return of_metric(told);
  for (const auto list : {std::span<const Wording>(kShared), std::span<const Wording>(kByLoad),
                          std::span<const Wording>(kActivations)}) {
    const auto wording = std::ranges::find(list, told.step.code, &Wording::code);
    if (wording != list.end()) return wording->text(told);
  }
  return std::string(told.step.code);
}

/// A condition's message: the step of the same word, or the first that failed, or its meaning.
std::string message_of(const Decision& decision, const Condition& condition) {
  for (const Step& step : decision.steps) {
    const bool same = step.code == condition.reason;
    if (same || (condition.reason.starts_with("FailedGet") && fails(step.code))) return step.text;
  }
  for (const auto& kind : kReasons) {
    if (kind.reason == condition.reason) return std::string(kind.meaning);
  }
  return "";
}

}  // namespace

void put_into_words(const policy::Autoscaler& policy, const Observation& observation,
                    Decision& decision) {
  std::optional<Prepared> prepared;
  policy::Autoscaler hpa;
  if (!policy.triggers.empty()) hpa = hpa_as_said(prepared.emplace(policy), observation);
  for (Step& step : decision.steps) {
    if (!step.text.empty()) continue;
    step.text = text_of({prepared ? hpa : policy, prepared, observation, step});
  }
  for (Condition& condition : decision.conditions) {
    if (condition.message.empty()) condition.message = message_of(decision, condition);
  }
}

}  // namespace headroom::decide
