// What a decision costs on one core: HPA policies over replicas that are ready and measured, and
// ScaledObjects over triggers.
//
//   decide_bench [--json]
//
// Whole decisions: metrics, windows, rates, conditions and steps, but for the words, which are made
// where somebody reads them. Allocations are counted after the first few rounds.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "decide/decide.h"

namespace {
std::size_t allocations = 0;
}

[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  std::abort();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace headroom::decide {
namespace {

using Steady = std::chrono::steady_clock;

/// cpu at 50 % of the request and, where there are two metrics, a custom one of each pod's own.
policy::Autoscaler by(std::int32_t metrics) {
  policy::Autoscaler made;
  made.name = "web";
  made.target.scale_target_ref = policy::ObjectReference{"apps/v1", "Deployment", "web"};
  made.min_replicas = {1};
  made.max_replicas = {10'000};
  if (metrics > 0) made.metrics.push_back({.name = "cpu", .target = {.average_utilization = 50}});
  if (metrics > 1) {
    made.metrics.push_back({.type = policy::Metric::Type::pods,
                            .name = "requests_per_second",
                            .target = {.type = policy::MetricTarget::Type::average_value,
                                       .average_value = Quantity{100'000}}});
  }
  auto& behavior = made.behavior.emplace();
  behavior.scale_down.emplace().stabilization_window = 300s;
  return made;
}

/// A ScaledObject with as many lists in Redis, of which a formula may make one metric.
policy::Autoscaler by_triggers(std::int32_t triggers, bool formula) {
  policy::Autoscaler made = by(0);
  made.triggers.clear();
  for (std::int32_t i = 0; i < triggers; ++i) {
    made.triggers.push_back({.type = "redis",
                             .name = fmt::format("jobs{}", i),
                             .metadata = {{"address", "redis:6379"},
                                          {"listName", fmt::format("jobs{}", i)},
                                          {"listLength", "100"}}});
  }
  made.fallback = policy::Fallback{3, {6}, policy::Fallback::Behavior::static_};
  if (formula) {
    made.scaling_modifiers =
        policy::ScalingModifiers{.formula = "max(jobs0, jobs1) + 10", .target = "100"};
  }
  return made;
}

/// `load` in percent of what each pod requests.
Observation seen(std::int32_t pods, std::int32_t metrics) {
  Observation made;
  made.now = Instant{1h};
  made.current = made.status = {pods};
  made.templates = {{.containers = {{"app", {{"cpu", {500}}, {"memory", {1'000'000}}}}}}};
  for (std::int32_t i = 0; i < pods; ++i) {
    made.replicas.push_back({.id = static_cast<std::uint64_t>(i),
                             .started = Instant{},
                             .ready = Readiness{Truth::yes, Instant{}}});
  }
  const Reading cpu = Measured{{250}, made.now, 30s};
  const Reading own = Measured{{90'000}, made.now, 60s};
  if (metrics > 0) {
    made.metrics.push_back({.of_replicas = std::vector(static_cast<std::size_t>(pods), cpu)});
  }
  if (metrics > 1) {
    made.metrics.push_back({.of_replicas = std::vector(static_cast<std::size_t>(pods), own)});
  }
  return made;
}

/// Load that rises and falls, so that the windows have something to hold.
void vary(Observation& observation, int round) {
  observation.now += 15s;
  const std::int64_t used = 200 + 20 * (round % 8);
  if (!observation.metrics.empty()) {
    for (auto& reading : observation.metrics.front().of_replicas) {
      reading->value.milli = used;
      reading->at = observation.now;
    }
  }
  for (auto& reading : observation.triggers) reading->value.milli = 5'000 * used;
}

struct Case {
  const char* name;
  std::int32_t autoscalers, pods, metrics;
  int rounds;
  bool each;  // the figures are of one decision, not of all autoscalers: the clock costs, too
  std::int32_t triggers = 0;
  bool formula = false;
};

struct Result {
  double ns = 0;  // of a round with all its autoscalers, or of one decision
  double allocations = 0;
};

Result measure(const Case& each) {
  const auto policy =
      each.triggers > 0 ? by_triggers(each.triggers, each.formula) : by(each.metrics);
  const Prepared prepared(policy);
  const auto count = static_cast<std::size_t>(each.autoscalers);
  std::vector<Observation> observations(count, seen(each.pods, each.metrics));
  for (auto& observation : observations) {
    observation.triggers.resize(static_cast<std::size_t>(each.triggers), Measured{});
  }
  std::vector<Memory> memories(count);
  Decision decision;
  constexpr int kWarmUp = 64;  // until the windows are full
  Result result;
  std::int64_t replicas = 0;
  for (int round = 0; round < kWarmUp + each.rounds; ++round) {
    for (auto& observation : observations) vary(observation, round);
    const std::size_t before = allocations;
    const auto start = Steady::now();
    for (std::size_t i = 0; i < count; ++i) {
      decide_into(prepared, observations[i], memories[i], decision);
      settle(policy, observations[i], false, memories[i], decision);
      replicas += decision.replicas.count;
    }
    const auto took = std::chrono::duration<double, std::nano>(Steady::now() - start).count();
    if (round < kWarmUp) continue;
    result.ns += took / each.rounds;
    result.allocations += static_cast<double>(allocations - before) / each.rounds;
  }
  if (each.each) {
    result.ns /= each.autoscalers;
    result.allocations /= each.autoscalers;
  }
  if (replicas <= 0) std::abort();  // and so that nothing is left out as unused
  return result;
}

}  // namespace
}  // namespace headroom::decide

int main(int argc, char** argv) {
  using headroom::decide::Case;
  const bool json = argc > 1 && std::string_view(argv[1]) == "--json";
  constexpr Case kCases[] = {
      {"1 metric, 10 pods", 50, 10, 1, 4'000, true},
      {"2 metrics, 10 pods", 50, 10, 2, 4'000, true},
      {"1 metric, 5000 pods", 1, 5'000, 1, 500, true},
      {"2 triggers, 10 pods", 50, 10, 0, 4'000, true, 2},
      {"2 triggers and a formula, 10 pods", 50, 10, 0, 4'000, true, 2, true},
      {"10000 autoscalers of 10 pods and 2 metrics", 10'000, 10, 2, 20, false},
      {"100000 autoscalers of 10 pods and 2 metrics", 100'000, 10, 2, 3, false},
  };
  for (const auto& each : kCases) {
    const auto result = headroom::decide::measure(each);
    if (json) {
      fmt::print("{{\"name\": \"{}\", \"ns\": {:.1f}, \"allocations\": {:.2f}}}\n", each.name,
                 result.ns, result.allocations);
    } else {
      fmt::print("{:<45} {:>14.1f} ns {:>8.2f} allocations\n", each.name, result.ns,
                 result.allocations);
    }
    std::fflush(stdout);
  }
}
