#include "decide/resource.h"

#include <algorithm>
#include <limits>
#include <vector>

#include <fmt/format.h>

#include "decide/rounding.h"
#include "decide/steps.h"
#include "decide/words.h"

namespace headroom::decide {
namespace {

using Resource = policy::Metric::Resource;

/// Replicas in the groups that upstream makes of pods; draining ones are in none.
struct Groups {
  std::vector<std::int64_t> ready;  // what they use, milli-units
  std::int64_t unready = 0;
  std::int64_t missing = 0;
};

bool cpu_unready(const ReplicaSeen& replica, const Measured& measured, Instant now) {
  const bool ready = replica.state == ReplicaSeen::State::ready;
  if (replica.started + kCpuInitializationPeriod > now) {
    // Starting up burns CPU that says nothing of the load.
    return !ready || measured.at < replica.state_since + measured.window;
  }
  return !ready && replica.started + kInitialReadinessDelay > replica.state_since;
}

Groups group(Resource resource, const Observation& observation) {
  Groups groups;
  for (const auto& replica : observation.replicas) {
    if (replica.state == ReplicaSeen::State::draining) continue;
    const Reading& reading = resource == Resource::cpu ? replica.cpu : replica.memory;
    if (!reading || reading->value.milli < 0) {
      ++groups.missing;
    } else if (resource == Resource::cpu && cpu_unready(replica, *reading, observation.now)) {
      ++groups.unready;
    } else {
      groups.ready.push_back(reading->value.milli);
    }
  }
  return groups;
}

std::int64_t add(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<std::int64_t>::max() : sum;
}

std::int64_t multiply(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? std::numeric_limits<std::int64_t>::max()
                                                : product;
}

/// What is compared with the target: percent of the request, or milli-units per replica.
struct Measure {
  bool utilization = true;
  std::int64_t request = 1;  // milli-units, of one replica
  std::int64_t target = 1;   // percent or milli-units

  /// Integers, as upstream: 54.9% is 54.
  std::int64_t of(std::int64_t sum, std::int64_t count) const {
    return utilization ? multiply(sum, 100) / multiply(request, count) : sum / count;
  }
  double ratio(std::int64_t sum, std::int64_t count) const {
    return static_cast<double>(of(sum, count)) / static_cast<double>(target);
  }
  /// What a replica without a reading is taken to use on the way down: all that it may.
  std::int64_t full() const {
    return utilization ? multiply(request, std::max<std::int64_t>(100, target)) / 100 : target;
  }
};

struct Calculated {
  Replicas replicas;
  std::int64_t measured = 0;
  std::string note;  // why it is not just the ratio
};

Calculated calculate(const Measure& measure, const Groups& groups, const Tolerances& tolerances,
                     Replicas current) {
  std::int64_t sum = 0;
  for (const std::int64_t used : groups.ready) sum = add(sum, used);
  auto count = static_cast<std::int64_t>(groups.ready.size());
  const double ratio = measure.ratio(sum, count);
  const std::int64_t measured = measure.of(sum, count);
  const bool up_with_unready = groups.unready > 0 && ratio > 1.0;
  const auto tolerated = [&](double of) {
    return Calculated{current, measured, fmt::format(" (within {} of it)", number(of))};
  };
  if (!up_with_unready && groups.missing == 0) {
    if (tolerances.hold(ratio)) return tolerated(ratio > 1 ? tolerances.up : tolerances.down);
    return {ceil_replicas(ratio * static_cast<double>(count)), measured, ""};
  }
  if (ratio < 1.0) sum = add(sum, multiply(measure.full(), groups.missing));
  if (ratio != 1.0) count += groups.missing;
  if (up_with_unready) count += groups.unready;
  const double damped = measure.ratio(sum, count);
  const std::string note = fmt::format(" ({} without a reading count as {})",
                                       groups.missing + (up_with_unready ? groups.unready : 0),
                                       ratio < 1.0 ? "full" : "idle");
  if (tolerances.hold(damped) || (ratio < 1.0 && damped > 1.0) || (ratio > 1.0 && damped < 1.0)) {
    return {current, measured, note};
  }
  const Replicas wanted = ceil_replicas(damped * static_cast<double>(count));
  const bool turned = (damped < 1.0 && wanted > current) || (damped > 1.0 && wanted < current);
  return {turned ? current : wanted, measured, note};
}

Measure measure_of(const policy::Metric& metric, const policy::Requests& requests) {
  const auto& target = metric.target;
  Measure measure;
  // Both given: averageValue first, as upstream.
  measure.utilization = !target.average_value.has_value();
  const Quantity request = metric.resource == Resource::cpu ? requests.cpu : requests.memory;
  measure.request = std::max<std::int64_t>(1, request.milli);
  measure.target =
      std::max<std::int64_t>(1, measure.utilization ? target.average_utilization.value_or(80)
                                                    : target.average_value->milli);
  return measure;
}

std::string text_of(const Measure& measure, Resource resource, const Calculated& calculated) {
  const auto value = [&](std::int64_t milli) {
    return resource == Resource::cpu ? cores({milli}) : bytes({milli});
  };
  const char* name = resource == Resource::cpu ? "cpu" : "memory";
  if (measure.utilization) {
    return fmt::format("{} {}% of {}%{} {}", name, calculated.measured, measure.target,
                       calculated.note, arrow(calculated.replicas));
  }
  return fmt::format("{} {} of {} per replica{} {}", name, value(calculated.measured),
                     value(measure.target), calculated.note, arrow(calculated.replicas));
}

std::string_view code_of(const Measure& measure, Resource resource) {
  if (resource == Resource::cpu) {
    return measure.utilization ? step::kCpuUtilization : step::kCpuAverageValue;
  }
  return measure.utilization ? step::kMemoryUtilization : step::kMemoryAverageValue;
}

/// The first reason that a replica gives, or why there is none to ask.
std::string why_none(Resource resource, const Observation& observation, const Groups& groups) {
  if (groups.unready > 0) {
    return fmt::format("no reading of a replica that has been ready long enough ({} not yet)",
                       groups.unready);
  }
  for (const auto& replica : observation.replicas) {
    const Reading& reading = resource == Resource::cpu ? replica.cpu : replica.memory;
    if (replica.state != ReplicaSeen::State::draining && !reading) return said(reading.error());
  }
  return groups.missing > 0 ? "negative" : "no replica runs yet";
}

}  // namespace

Tolerances tolerances_of(const policy::Autoscaler& policy) {
  Tolerances tolerances;
  if (!policy.behavior) return tolerances;
  if (const auto& down = policy.behavior->scale_down) {
    tolerances.down = down->tolerance.value_or(kTolerance);
  }
  if (const auto& up = policy.behavior->scale_up) {
    tolerances.up = up->tolerance.value_or(kTolerance);
  }
  return tolerances;
}

Proposal propose_by_resource(const policy::Metric& metric, const policy::Requests& requests,
                             const Tolerances& tolerances, const Observation& observation,
                             Replicas current) {
  const bool cpu = metric.resource == Resource::cpu;
  Proposal proposal{.name = cpu ? "cpu" : "memory"};
  Chain chain(proposal.steps, current);
  const Groups groups = group(metric.resource, observation);
  if (groups.ready.empty()) {
    proposal.failure = "FailedGetResourceMetric";
    proposal.message =
        fmt::format("{}: {}", proposal.name, why_none(metric.resource, observation, groups));
    chain.add(Step::Stage::recommend, cpu ? step::kCpuUnavailable : step::kMemoryUnavailable,
              current, proposal.message);
    return proposal;
  }
  const Measure measure = measure_of(metric, requests);
  const Calculated calculated = calculate(measure, groups, tolerances, current);
  chain.add(Step::Stage::recommend, code_of(measure, metric.resource), calculated.replicas,
            text_of(measure, metric.resource, calculated));
  proposal.replicas = calculated.replicas;
  return proposal;
}

}  // namespace headroom::decide
