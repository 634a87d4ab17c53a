#include "decide/kpa_apply.h"

#include <algorithm>
#include <cmath>

#include "decide/rounding.h"

namespace headroom::decide {
namespace {

constexpr Replicas kZero{0};
constexpr Replicas kOne{1};
constexpr Millis kActivationSlack = 30s;  // so that the deployment reports its failure first

/// What is wanted, and whether to ask the target for it or only to go by it.
struct Want {
  std::optional<Replicas> replicas;  // none: unknown
  bool ask = false;
};

/// P4, inactive: the activator must be in the path for as long as the network may need.
bool may_remove_last(const KpaSettings& settings, const ToApply& what, Instant now,
                     const Applied& applied) {
  // With a negative burst capacity the activator is always in the path; nobody asks.
  if (settings.target_burst_capacity >= 0 && !what.activator_answers) return false;
  const Millis inactive = now - applied.activity_since;
  if (inactive >= std::max(settings.grace, settings.retention)) return true;
  if (inactive < settings.retention) return false;
  return applied.proxied && now - applied.proxied_since >= settings.grace;
}

/// P4.
Want at_zero(const KpaSettings& settings, const ToApply& what, Instant now,
             const Applied& applied) {
  if (!settings.scale_to_zero) return {kOne, true};
  const Millis since = now - applied.activity_since;
  if (applied.activity == Activity::activating) {
    if (since > what.progress_deadline + kActivationSlack) return {kZero, true};
    return {std::nullopt, false};
  }
  if (applied.activity == Activity::active) {
    if (since >= settings.window) return {kZero, false};
    return {kOne, true};
  }
  return {kZero, may_remove_last(settings, what, now, applied)};
}

/// P1. The minimum wins over the maximum, of which 0 is none.
Replicas within_scales(const KpaSettings& settings, bool initialised, Replicas wanted) {
  Replicas min = settings.min_scale;
  if (!initialised && settings.reachable && settings.initial_scale > kOne) {
    min = std::max(min, settings.initial_scale);
  }
  if (wanted < min) return min;
  return settings.max_scale > kZero && wanted > settings.max_scale ? settings.max_scale : wanted;
}

/// P1, P2 and P4.
Want want(const KpaSettings& settings, const ToApply& what, Instant now, const Applied& applied) {
  if (!what.desired && applied.activity != Activity::activating) return {};
  const Replicas inside =
      within_scales(settings, applied.initialised, what.desired.value_or(kZero));
  if (inside == kZero) return at_zero(settings, what, now, applied);
  return {inside, true};
}

/// What must be ready for Active.
std::int32_t threshold(const KpaSettings& settings, bool initialised) {
  if (initialised) return std::max(settings.min_scale, kOne).count;
  return std::max(settings.min_scale, settings.initial_scale).count;
}

/// P3.
Activity activity_of(const Want& wanted, std::int32_t ready, std::int32_t threshold,
                     Activity before) {
  // With an initial scale of 0 nothing is to be ready: it begins inactive.
  if (wanted.replicas == kZero || threshold == 0) return Activity::inactive;
  if (!wanted.replicas && before == Activity::inactive) return Activity::inactive;
  return ready >= threshold ? Activity::active : Activity::activating;
}

}  // namespace

void apply(const KpaSettings& settings, const ToApply& what, Instant now, Applied& applied) {
  const Want wanted = want(settings, what, now, applied);
  if (wanted.ask) applied.replicas = wanted.replicas.value_or(applied.replicas);

  const bool proxied = !wanted.replicas || *wanted.replicas <= kZero || what.excess_burst < 0;
  if (proxied != applied.proxied) applied.proxied_since = now;
  applied.proxied = proxied;

  const std::int32_t needed = threshold(settings, applied.initialised);
  const Activity activity = activity_of(wanted, what.ready, needed, applied.activity);
  if (activity != applied.activity) applied.activity_since = now;
  applied.activity = activity;
  applied.initialised = applied.initialised || what.ready >= needed;
}

std::int32_t activators(const KpaSettings& settings, std::int32_t ready) {
  constexpr Replicas kLeast{2};
  if (settings.target_burst_capacity == 0) return kLeast.count;
  const double capacity = ready * settings.total + std::max(0.0, settings.target_burst_capacity);
  return std::max(kLeast, ceil_replicas(capacity / settings.activator_capacity)).count;
}

}  // namespace headroom::decide
