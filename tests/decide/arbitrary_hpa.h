#pragma once

#include <algorithm>
#include <array>
#include <ostream>
#include <tuple>
#include <vector>

#include <rapidcheck.h>

#include "decide/explain.h"
#include "decide/make.h"
#include "decide/record.h"
#include "policy/read.h"

/// Random policies and histories of an HPA, made so that RapidCheck can shrink them: what goes
/// wrong is shown with as few looks, replicas and rules as still go wrong.
namespace headroom::decide::make {

namespace gen = rc::gen;

inline constexpr int kMostMetrics = 3;

/// At most so many; each of them as large as it likes.
template <class T>
rc::Gen<std::vector<T>> some(int most, rc::Gen<T> each) {
  return gen::resize(most, gen::container<std::vector<T>>(gen::resize(100, std::move(each))));
}
/// -1: none.
inline rc::Gen<int> maybe(rc::Gen<int> each) {
  return gen::weightedOneOf<int>({{1, gen::just(-1)}, {3, std::move(each)}});
}
inline rc::Gen<bool> one_in(int n) {
  return gen::map(gen::resize(100, gen::inRange(0, n)), [n](int drawn) { return drawn == n - 1; });
}

/// A replica as a look finds it, whatever the policy's metrics are.
struct Pod {
  int phase = 1;        // ReplicaSeen::Phase
  int started = -1;     // seconds ago
  int ready = -1;       // Truth
  int ready_since = 0;  // seconds ago
  bool deleting = false;
  bool unrequested = false;             // made of a template that asks for nothing
  std::array<int, kMostMetrics> milli;  // of each metric; -1: no reading
};
inline rc::Gen<Pod> any_pod() {
  return gen::build<Pod>(
      gen::set(&Pod::phase, gen::weightedOneOf<int>({{5, gen::just(1)}, {1, gen::inRange(0, 4)}})),
      gen::set(&Pod::started, maybe(gen::inRange(0, 900))),
      gen::set(&Pod::ready, gen::weightedOneOf<int>({{5, gen::just(1)}, {1, gen::inRange(-1, 3)}})),
      gen::set(&Pod::ready_since, gen::inRange(0, 900)), gen::set(&Pod::deleting, one_in(8)),
      gen::set(&Pod::unrequested, one_in(40)),
      gen::set(&Pod::milli,
               gen::container<std::array<int, kMostMetrics>>(maybe(gen::inRange(0, 3000)))));
}
/// Ready for long, and measured in full.
inline rc::Gen<Pod> any_good_pod() {
  return gen::map(gen::container<std::array<int, kMostMetrics>>(gen::inRange(0, 3000)),
                  [](const std::array<int, kMostMetrics>& milli) {
                    return Pod{.started = 900, .ready = 1, .ready_since = 890, .milli = milli};
                  });
}

/// What one look finds.
struct Look {
  std::vector<Pod> pods;
  std::array<int, kMostMetrics> value;  // of an Object or External metric; -1: its source fails
  std::vector<int> strays;
  int others = -1;         // somebody else scales to this
  int min = -1, max = -1;  // the bounds are edited
  bool refused = false;    // the new scale is
  bool selects = true;
};
inline rc::Gen<Look> any_look() {
  return gen::build<Look>(
      gen::set(&Look::pods, some(12, any_pod())),
      gen::set(&Look::value,
               gen::container<std::array<int, kMostMetrics>>(maybe(gen::inRange(0, 20'000)))),
      gen::set(&Look::strays, some(1, gen::inRange(0, 3000))),
      gen::set(&Look::others,
               gen::weightedOneOf<int>({{9, gen::just(-1)}, {1, gen::inRange(0, 40)}})),
      gen::set(&Look::min, gen::weightedOneOf<int>({{9, gen::just(-1)}, {1, gen::inRange(0, 12)}})),
      gen::set(&Look::max, gen::weightedOneOf<int>({{9, gen::just(-1)}, {1, gen::inRange(1, 40)}})),
      gen::set(&Look::refused, one_in(12)),
      gen::set(&Look::selects, gen::map(one_in(30), [](bool no) { return !no; })));
}

/// Of all five types, with targets of all the kinds that each may have.
inline rc::Gen<policy::Metric> any_metric() {
  using Type = policy::Metric::Type;
  using Target = policy::MetricTarget::Type;
  return gen::map(gen::tuple(gen::inRange(0, 5), gen::arbitrary<bool>(), gen::arbitrary<bool>(),
                             gen::inRange(1, 200)),
                  [](const std::tuple<int, bool, bool, int>& drawn) {
                    const auto [type, memory, average, target] = drawn;
                    policy::Metric made;
                    made.type = static_cast<Type>(type);
                    const bool resource =
                        made.type == Type::resource || made.type == Type::container_resource;
                    made.name = !resource ? "queue" : memory ? "memory" : "cpu";
                    if (made.type == Type::container_resource) made.container = "app";
                    if (made.type == Type::object) {
                      made.described_object = policy::ObjectReference{"v1", "Service", "shop"};
                    }
                    if (average || made.type == Type::pods) {
                      made.target.type = Target::average_value;
                      made.target.average_value = Quantity{target * 10};
                    } else if (resource) {
                      made.target.average_utilization = target;
                    } else {
                      made.target.type = Target::value;
                      made.target.value = Quantity{target * 100};
                    }
                    return made;
                  });
}

inline rc::Gen<policy::ScalingRules> any_rules() {
  using Policy = policy::ScalingPolicy;
  auto one = gen::map(
      gen::tuple(gen::inRange(0, 2), gen::inRange(1, 150), gen::inRange(1, 1800)),
      [](const std::tuple<int, int, int>& drawn) {
        const auto [type, value, period] = drawn;
        return Policy{static_cast<Policy::Type>(type), value, Millis(std::int64_t{1000} * period)};
      });
  return gen::map(gen::tuple(maybe(gen::inRange(0, 3600)),
                             gen::weightedOneOf<int>({{6, gen::inRange(0, 2)}, {1, gen::just(2)}}),
                             some(3, std::move(one)), maybe(gen::inRange(0, 50))),
                  [](const std::tuple<int, int, std::vector<Policy>, int>& drawn) {
                    const auto& [window, select, policies, tolerance] = drawn;
                    policy::ScalingRules made;
                    if (window >= 0)
                      made.stabilization_window = Millis(std::int64_t{1000} * window);
                    made.select_policy = static_cast<policy::ScalingRules::Select>(select);
                    made.policies = policies;
                    if (tolerance >= 0) made.tolerance = tolerance / 100.0;
                    return made;
                  });
}

/// None, one, both or neither of its directions.
inline rc::Gen<std::optional<policy::Behavior>> any_behavior() {
  return gen::map(gen::tuple(gen::inRange(0, 5), any_rules(), any_rules()),
                  [](const std::tuple<int, policy::ScalingRules, policy::ScalingRules>& drawn) {
                    const auto& [which, up, down] = drawn;
                    std::optional<policy::Behavior> made;
                    if (which == 0) return made;
                    made.emplace();
                    if (which == 2 || which == 4) made->scale_up = up;
                    if (which == 3 || which == 4) made->scale_down = down;
                    return made;
                  });
}

inline rc::Gen<policy::ControllerSettings> any_controller() {
  return gen::map(gen::tuple(gen::inRange(0, 30), gen::inRange(0, 600), gen::inRange(0, 400),
                             gen::inRange(0, 60), gen::arbitrary<bool>()),
                  [](const std::tuple<int, int, int, int, bool>& drawn) {
                    const auto [tolerance, down, initial, delay, zero] = drawn;
                    return policy::ControllerSettings{tolerance / 100.0, std::chrono::seconds(down),
                                                      std::chrono::seconds(initial),
                                                      std::chrono::seconds(delay), zero};
                  });
}

inline rc::Gen<policy::Autoscaler> any_hpa() {
  return gen::map(
      gen::tuple(some(kMostMetrics, any_metric()), any_behavior(), any_controller(),
                 gen::inRange(0, 6), gen::inRange(1, 40)),
      [](const std::tuple<std::vector<policy::Metric>, std::optional<policy::Behavior>,
                          policy::ControllerSettings, int, int>& drawn) {
        policy::Autoscaler made;
        std::tie(made.metrics, made.behavior, made.controller, made.min_replicas.count,
                 made.max_replicas.count) = drawn;
        made.name = "shop";
        made.target.scale_target_ref = policy::ObjectReference{"apps/v1", "Deployment", "shop"};
        made.max_replicas = std::max(made.max_replicas, made.min_replicas);
        return made;
      });
}

/// What `look` finds of the policy, `now`, at `current` replicas.
inline Observation seen_by(const policy::Autoscaler& policy, const Look& look, Instant now,
                           Replicas current) {
  Observation seen;
  seen.now = now;
  seen.current = seen.status = current;
  seen.selects = look.selects;
  seen.templates = {process(), {.containers = {{"app", {}}}}};
  for (const Pod& pod : look.pods) {
    auto& replica = seen.replicas.emplace_back();
    replica.id = seen.replicas.size();
    replica.phase = static_cast<ReplicaSeen::Phase>(pod.phase);
    replica.deleting = pod.deleting;
    if (pod.started >= 0) replica.started = now - std::chrono::seconds(pod.started);
    if (pod.ready >= 0) {
      replica.ready =
          Readiness{static_cast<Truth>(pod.ready), now - std::chrono::seconds(pod.ready_since)};
    }
    replica.made_of = pod.unrequested ? 1 : 0;
    replica.cpu = replica.memory = none();
  }
  for (std::size_t i = 0; i < policy.metrics.size(); ++i) {
    auto& metric = seen.metrics.emplace_back();
    if (look.value.at(i) < 0) metric.failed = Absent{};
    metric.values = {{look.value.at(i)}};
    for (const int stray : look.strays) metric.strays.push_back({stray});
    for (const Pod& pod : look.pods) {
      const int milli = pod.milli.at(i);
      metric.of_replicas.push_back(milli < 0 ? none() : Reading(Measured{{milli}, now, 15s}));
    }
  }
  return seen;
}

/// A policy, and what is found every 15 s.
struct Life {
  policy::Autoscaler policy;
  std::vector<Look> looks;
  int first = 1;  // replicas
};

inline void showValue(const Life& life, std::ostream& to) {
  to << policy::write_document(life.policy) << "\ncontroller: tolerance "
     << life.policy.controller.tolerance << ", downscale "
     << life.policy.controller.downscale_stabilization.count() << " ms, zero "
     << life.policy.controller.scale_to_zero << "; starts at " << life.first << "\n";
  for (const Look& look : life.looks) {
    to << to_json(seen_by(life.policy, look, kStart, {life.first})) << " others " << look.others
       << " min " << look.min << " max " << look.max << " refused " << look.refused << "\n";
  }
}

inline rc::Gen<Life> any_life(rc::Gen<Look> look = any_look()) {
  return gen::build<Life>(gen::set(&Life::policy, any_hpa()),
                          gen::set(&Life::looks, gen::nonEmpty(some(30, std::move(look)))),
                          gen::set(&Life::first, gen::weightedOneOf<int>({{6, gen::inRange(1, 40)},
                                                                          {1, gen::just(0)}})));
}

/// One look of a life, and what came of it.
struct Lived {
  const policy::Autoscaler& policy;
  const Observation& seen;
  const Memory& before;
  const Memory& after;
  const Decision& decision;  // in words
  bool refused;
};

/// Calls `check(lived)` for each look.
template <class Check>
void live(const Life& life, const Check& check) {
  auto policy = life.policy;
  Memory memory;
  Replicas current{life.first};
  Instant now = kStart;
  for (const Look& look : life.looks) {
    if (look.max > 0) policy.max_replicas = {look.max};
    if (look.min >= 0) policy.min_replicas = {look.min};
    policy.max_replicas = std::max(policy.max_replicas, policy.min_replicas);
    if (look.others >= 0) current = {look.others};
    const auto seen = seen_by(policy, look, now, current);
    const Memory before = memory;
    Decision decision;
    decide_into(policy, seen, memory, decision);
    settle(policy, seen, look.refused, memory, decision);
    put_into_words(policy, seen, decision);
    check(Lived{policy, seen, before, memory, decision, look.refused && decision.write});
    current = decision.replicas;
    now += 15s;
  }
}

}  // namespace headroom::decide::make

namespace rc {
template <>
struct Arbitrary<headroom::decide::make::Life> {
  static Gen<headroom::decide::make::Life> arbitrary() {
    return headroom::decide::make::any_life();
  }
};
}  // namespace rc
