#include "decide/replica_calculator.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include "decide/requests.h"
#include "decide/rounding.h"
#include "decide/steps.h"

namespace headroom::decide {
namespace {

using policy::Metric;

Calculated failed(std::string_view code) { return {.code = code, .failed = true}; }

/// The readings of one metric by replica, wherever they are.
class ByReplica {
 public:
  ByReplica(const MetricReadings& readings, std::string_view resource)
      : first_(readings.own ? nullptr : readings.of_replicas.data()),
        count_(readings.own ? std::numeric_limits<std::size_t>::max()
                            : readings.of_replicas.size()),
        strays_(readings.strays),
        own_(resource == "memory" ? &ReplicaSeen::memory : &ReplicaSeen::cpu) {}

  std::span<const Quantity> strays() const { return strays_; }
  /// None: there is no reading of this replica, the observation's `index`th.
  const Measured* of(const ReplicaSeen& replica, std::size_t index) const {
    if (index >= count_) return nullptr;
    const Reading& reading = first_ == nullptr ? replica.*own_ : first_[index];
    return reading ? &*reading : nullptr;
  }

 private:
  const Reading* first_;
  std::size_t count_;
  std::span<const Quantity> strays_;
  Reading ReplicaSeen::*own_;  // where the metric has no readings of its own
};

enum class Group { ignored, unready, missing, ready };

/// Starting up burns CPU that says nothing of the load.
bool cpu_unready(const ReplicaSeen& replica, const Measured& measured,
                 const policy::ControllerSettings& settings, Instant now) {
  if (!replica.ready || !replica.started) return true;
  const auto& [status, since] = *replica.ready;
  if (*replica.started + settings.cpu_initialization_period > now) {
    return status == Truth::no || measured.at < since + measured.window;
  }
  return status == Truth::no && *replica.started + settings.initial_readiness_delay > since;
}

/// The order is upstream's: one without a reading is missing, even where it is unready.
Group group_of(const ReplicaSeen& replica, const Measured* measured, bool cpu,
               const policy::ControllerSettings& settings, Instant now) {
  using Phase = ReplicaSeen::Phase;
  if (replica.deleting || replica.phase == Phase::failed) return Group::ignored;
  if (replica.phase == Phase::pending) return Group::unready;
  if (measured == nullptr) return Group::missing;
  return cpu && cpu_unready(replica, *measured, settings, now) ? Group::unready : Group::ready;
}

/// A sum over replicas: what they use, of what they ask for, and how many they are.
struct Sum {
  std::int64_t used = 0;
  std::int64_t requested = 0;
  std::int64_t count = 0;

  void operator+=(const Sum& more) {
    used = add(used, more.used);
    requested = add(requested, more.requested);
    count += more.count;
  }
};

struct Groups {
  Sum ready;
  Sum strays;   // names that are no replica: they count, but ask for nothing
  Sum missing;  // `used` is what they are taken to use on the way down: all that they may
  Sum unready;
  bool unrequested = false;  // a replica has no request of the resource
  bool any = false;          // there is a replica
};

/// What is compared with the target.
struct Aim {
  bool utilization = false;  // percent of the request; else milli-units per replica
  std::int64_t target = 1;

  std::int64_t measured(const Sum& sum) const {
    if (!utilization) return sum.used / sum.count;
    // Integers, as upstream: 54.9% is 54.
    const std::int64_t percent = divide(multiply(sum.used, 100), sum.requested);
    return std::clamp<std::int64_t>(percent, std::numeric_limits<std::int32_t>::min(),
                                    std::numeric_limits<std::int32_t>::max());
  }
  double ratio(const Sum& sum) const {
    return static_cast<double>(measured(sum)) / static_cast<double>(target);
  }
  /// Whether there is anything to divide by.
  bool measurable(const Sum& sum) const { return utilization ? sum.requested != 0 : sum.count > 0; }
};

Groups groups_of(const Metric& metric, const Aim& aim, const ByReplica& readings,
                 const Observation& observation, const policy::ControllerSettings& settings) {
  Groups groups;
  const bool cpu = metric.type != Metric::Type::pods && metric.name == "cpu";
  const std::int64_t full = std::max<std::int64_t>(100, aim.target);  // percent
  std::int32_t known = -1;  // most replicas are made of the same
  std::optional<std::int64_t> request = 0;
  groups.any = !observation.replicas.empty();
  for (std::size_t i = 0; i < observation.replicas.size(); ++i) {
    const auto& replica = observation.replicas[i];
    if (aim.utilization && replica.made_of != known) {
      known = replica.made_of;
      const auto at = static_cast<std::size_t>(known);
      request = at < observation.templates.size()
                    ? request_of(observation.templates[at], metric.name, metric.container)
                    : std::nullopt;
    }
    if (!request) groups.unrequested = true;
    const std::int64_t asked = request.value_or(0);
    const Measured* measured = readings.of(replica, i);
    const auto group = group_of(replica, measured, cpu, settings, observation.now);
    if (group == Group::unready) {
      groups.unready += {0, asked, 1};
    } else if (group == Group::missing) {
      groups.missing += {aim.utilization ? multiply(asked, full) / 100 : aim.target, asked, 1};
    } else if (group == Group::ready) {
      groups.ready += {measured->value.milli, asked, 1};
    }
  }
  for (const auto stray : readings.strays()) {
    groups.strays += {aim.utilization ? 0 : stray.milli, 0, 1};
  }
  return groups;
}

/// The ratio over all that count, those without a reading filled in.
Replicas dampened(const Aim& aim, const Groups& groups, double ratio, Sum sum, Replicas current,
                  const Tolerances& tolerances) {
  if (ratio < 1.0) sum += groups.missing;
  if (ratio > 1.0) sum += {0, groups.missing.requested, groups.missing.count};
  if (ratio > 1.0) sum += groups.unready;
  const double all = aim.ratio(sum);
  if (tolerances.hold(all) || (ratio < 1.0 && all > 1.0) || (ratio > 1.0 && all < 1.0)) {
    return current;
  }
  const Replicas wanted = ceil_replicas(all * static_cast<double>(sum.count));
  const bool turned = (all < 1.0 && wanted > current) || (all > 1.0 && wanted < current);
  return turned ? current : wanted;
}

/// Resource, ContainerResource, Pods.
Calculated by_replica(const Metric& metric, const Aim& aim, const ByReplica& readings,
                      const Observation& observation, const policy::ControllerSettings& settings,
                      Replicas current, const Tolerances& tolerances) {
  const Groups groups = groups_of(metric, aim, readings, observation, settings);
  Sum sum = groups.ready;
  sum += groups.strays;
  if (!groups.any) return failed(step::kNoReplicas);
  if (sum.count == 0) return failed(groups.unready.count > 0 ? step::kNotReady : step::kNoReading);
  if (groups.unrequested) return failed(step::kNoRequest);
  if (!aim.measurable(sum)) return failed(step::kNoRequest);

  const double ratio = aim.ratio(sum);
  const bool up_with_unready = groups.unready.count > 0 && ratio > 1.0;
  Calculated result{.code = aim.utilization ? step::kUtilization : step::kAverageValue};
  const std::int64_t measured = aim.measured(sum);
  const std::int64_t filled_in =
      groups.missing.count + (up_with_unready ? groups.unready.count : 0);
  if (!up_with_unready && groups.missing.count == 0) {
    result.replicas = tolerances.hold(ratio)
                          ? current
                          : ceil_replicas(ratio * static_cast<double>(groups.ready.count));
  } else {
    result.replicas = dampened(aim, groups, ratio, sum, current, tolerances);
  }
  result.inputs = {static_cast<double>(measured), static_cast<double>(aim.target),
                   static_cast<double>(filled_in), ratio};
  if (aim.utilization) {
    result.now.average_utilization = static_cast<std::int32_t>(measured);
    result.now.average_value =
        Quantity{groups.ready.used / std::max<std::int64_t>(1, groups.ready.count)};
  } else {
    result.now.average_value = Quantity{measured};
  }
  return result;
}

/// One number for all replicas, against a target for all: in proportion to those that are ready.
Calculated by_value(std::int64_t value, std::int64_t target, const Observation& observation,
                    Replicas current, const Tolerances& tolerances) {
  Calculated result{.code = step::kValue};
  const double ratio = static_cast<double>(value) / static_cast<double>(target);
  result.now.value = Quantity{value};
  result.inputs = {static_cast<double>(value), static_cast<double>(target), 0, ratio};
  if (current.count == 0) {
    result.replicas = ceil_replicas(ratio);
  } else if (tolerances.hold(ratio)) {
    result.replicas = current;
  } else {
    // A replica that is on its way out still counts where it is ready: upstream's way.
    const auto ready = std::ranges::count_if(observation.replicas, [](const ReplicaSeen& replica) {
      return replica.phase == ReplicaSeen::Phase::running && replica.is_ready();
    });
    if (observation.replicas.empty()) return failed(step::kNoReplicas);
    result.inputs[2] = static_cast<double>(ready);
    result.replicas = ceil_replicas(ratio * static_cast<double>(ready));
  }
  return result;
}

/// One number for all replicas, against a target for each. By status replicas, not by spec.
Calculated by_share(std::int64_t value, std::int64_t target, const Observation& observation,
                    const Tolerances& tolerances) {
  Calculated result{.code = step::kAverageOfAll};
  const auto status = static_cast<double>(observation.status.count);
  const double ratio = static_cast<double>(value) / (static_cast<double>(target) * status);
  result.replicas = tolerances.hold(ratio)
                        ? observation.status
                        : ceil_replicas(static_cast<double>(value) / static_cast<double>(target));
  result.inputs = {static_cast<double>(value), static_cast<double>(target), status, ratio};
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  const double share = std::ceil(static_cast<double>(value) / status);
  const bool fits = share < static_cast<double>(kMost) && share > -static_cast<double>(kMost);
  result.now.average_value =
      Quantity{fits && value < kMost ? static_cast<std::int64_t>(share) : kMost};
  return result;
}

std::int64_t sum_of(std::span<const Quantity> values) {
  std::int64_t sum = 0;
  for (const auto value : values) sum = add(sum, value.milli);
  return sum;
}

/// Object and External. With both targets Object goes by the type, External by the average.
Calculated by_one(const Metric& metric, const MetricReadings& readings,
                  const Observation& observation, Replicas current, const Tolerances& tolerances) {
  // No series at all add up to 0 for External, as upstream has it. A source for which that means
  // "nobody knows" says so by failing.
  const bool none =
      readings.own || (readings.values.empty() && metric.type == Metric::Type::object);
  if (none) return failed(step::kNoReading);
  const std::int64_t value = sum_of(readings.values);
  const auto& target = metric.target;
  const bool share = metric.type == Metric::Type::object
                         ? target.type == policy::MetricTarget::Type::average_value
                         : target.average_value.has_value();
  if (share && target.average_value) {
    return by_share(value, target.average_value->milli, observation, tolerances);
  }
  if (!share && target.value) {
    return by_value(value, target.value->milli, observation, current, tolerances);
  }
  return failed(step::kNoTarget);
}

}  // namespace

Tolerances tolerances_of(const policy::Autoscaler& policy) {
  Tolerances tolerances{policy.controller.tolerance, policy.controller.tolerance};
  if (!policy.behavior) return tolerances;
  const auto& [up, down] = *policy.behavior;
  if (down) tolerances.down = down->tolerance.value_or(tolerances.down);
  if (up) tolerances.up = up->tolerance.value_or(tolerances.up);
  return tolerances;
}

Calculated calculate(const policy::Autoscaler& policy, std::size_t index,
                     const MetricReadings& readings, const Observation& observation,
                     Replicas current, const Tolerances& tolerances) {
  const Metric& metric = policy.metrics[index];
  if (readings.failed != nullptr) return failed(step::kSourceFailed);
  const auto& target = metric.target;
  if (metric.type == Metric::Type::object || metric.type == Metric::Type::external) {
    return by_one(metric, readings, observation, current, tolerances);
  }
  // Both given: averageValue first, as upstream.
  if (!target.average_value && !target.average_utilization) return failed(step::kNoTarget);
  const Aim aim{!target.average_value,
                target.average_value ? target.average_value->milli : *target.average_utilization};
  if (aim.target <= 0) return failed(step::kNoTarget);
  return by_replica(metric, aim, ByReplica(readings, metric.name), observation, policy.controller,
                    current, tolerances);
}

std::string_view failure_of(policy::Metric::Type type) {
  static constexpr std::array<std::string_view, 5> kFailures = {
      "FailedGetResourceMetric", "FailedGetContainerResourceMetric", "FailedGetPodsMetric",
      "FailedGetObjectMetric", "FailedGetExternalMetric"};
  return kFailures[static_cast<std::size_t>(type)];
}

}  // namespace headroom::decide
