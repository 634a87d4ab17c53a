#include "decide/explain.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

#include "decide/replica_calculator.h"
#include "decide/steps.h"
#include "decide/words.h"

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
    return fmt::format(" ({} without a reading count as {})", number(filled_in),
                       ratio < 1.0 ? "full" : "idle");
  }
  if (!tolerances.hold(ratio)) return "";
  return fmt::format(" (within {} of it)", number(ratio > 1.0 ? tolerances.up : tolerances.down));
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
    return fmt::format("{} {}, {} per replica aimed at {}", name, value_of(metric, value),
                       value_of(metric, target), to);
  }
  return fmt::format("{} {} of {} {}", name, value_of(metric, value), value_of(metric, target), to);
}

/// The first reason that a replica gives.
std::string why_no_reading(const Metric& metric, const Observation& observation,
                           std::size_t index) {
  const bool own = index >= observation.metrics.size();
  for (std::size_t i = 0; i < observation.replicas.size(); ++i) {
    const auto& replica = observation.replicas[i];
    if (replica.deleting) continue;
    if (own) {
      const Reading& reading = metric.name == "memory" ? replica.memory : replica.cpu;
      if (!reading) return said(reading.error());
    } else if (const auto& readings = observation.metrics[index].of_replicas;
               i < readings.size() && !readings[i]) {
      return said(readings[i].error());
    }
  }
  return "no data";
}

std::string by_failure(const Metric& metric, const Step& step, const Observation& observation) {
  const auto index = static_cast<std::size_t>(step.source);
  const std::string name = name_of(metric);
  if (step.code == step::kSourceFailed) {
    return fmt::format("{}: {}", name, said(*observation.metrics[index].failed));
  }
  if (step.code == step::kNotReady) {
    return name + ": no reading of a replica that has been ready long enough";
  }
  if (step.code == step::kNoReplicas) return name + ": no replica runs yet";
  if (step.code == step::kNoRequest) return name + ": a container requests none of it";
  if (step.code == step::kNoTarget) return name + ": it has no target";
  return fmt::format("{}: {}", name, why_no_reading(metric, observation, index));
}

bool fails(std::string_view code) {
  return code == step::kSourceFailed || code == step::kNoReading || code == step::kNotReady ||
         code == step::kNoReplicas || code == step::kNoRequest || code == step::kNoTarget;
}

std::string text_of(const policy::Autoscaler& policy, const Observation& observation,
                    const Step& step) {
  const double first = step.inputs[0];
  const bool has_source =
      step.source >= 0 && static_cast<std::size_t>(step.source) < policy.metrics.size();
  if (has_source) {
    const auto& metric = policy.metrics[static_cast<std::size_t>(step.source)];
    if (fails(step.code)) return by_failure(metric, step, observation);
    if (step.code != step::kLargestWins) return by_metric(metric, step, tolerances_of(policy));
    return fmt::format("{} asks for the most {}", name_of(metric), arrow(step.after));
  }
  if (step.code == step::kNothingReadable) {
    return "nothing could be read: held " + arrow(step.after);
  }
  if (step.code == step::kFailedHolds) {
    return "not down while not all can be read " + arrow(step.after);
  }
  if (step.code == step::kScaleUpStabilized || step.code == step::kScaleDownStabilized) {
    return fmt::format("held at {} by the {} s window", step.after.count, number(first));
  }
  if (step.code == step::kTooManyReplicas) {
    return fmt::format("at most {} {}", number(first), arrow(step.after));
  }
  if (step.code == step::kTooFewReplicas) {
    return fmt::format("at least {} {}", number(first), arrow(step.after));
  }
  if (step.code == step::kScaleUpLimit) {
    return "not faster up than the policies allow " + arrow(step.after);
  }
  if (step.code == step::kScaleDownLimit) {
    return "not faster down than the policies allow " + arrow(step.after);
  }
  if (step.code == step::kPinned) {
    const bool pause = step.inputs[1] > 0;
    const auto end = first < 0 ? std::string("until resumed")
                               : fmt::format("for another {} s", number(std::ceil(first)));
    return fmt::format("{} at {} {}", pause ? "paused" : "pinned", step.after.count, end);
  }
  if (step.code == step::kScalingDisabled) {
    return "at zero because somebody set it so; 1 or more scales again";
  }
  if (step.code == step::kInvalidSelector) return "the target does not say which replicas it has";
  return std::string(step.code);
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
  for (Step& step : decision.steps) {
    if (step.text.empty()) step.text = text_of(policy, observation, step);
  }
  for (Condition& condition : decision.conditions) {
    if (condition.message.empty()) condition.message = message_of(decision, condition);
  }
}

}  // namespace headroom::decide
