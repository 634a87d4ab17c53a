#pragma once

#include <random>

#include "decide/make.h"

/// Seeded random worlds and memories: anything that a valid record can hold.
namespace headroom::decide::make {

class Arbitrary {
 public:
  explicit Arbitrary(std::uint32_t seed) : random_(seed) {}

  std::int64_t whole(std::int64_t least, std::int64_t most) {
    return std::uniform_int_distribution<std::int64_t>(least, most)(random_);
  }
  bool one_in(int n) { return whole(1, n) == 1; }
  double real(double most) { return std::uniform_real_distribution<double>(0, most)(random_); }
  Instant at() { return kStart - Millis(whole(0, 2'000'000)); }
  Replicas replicas() { return {static_cast<std::int32_t>(whole(0, 40))}; }
  Absent absent() {
    return {static_cast<Absent::Reason>(whole(0, 5)),
            one_in(2) ? "" : "said \"no\"\n\t\\ — \x01 ümlaut → 🙂"};
  }
  Reading reading(double most) {
    if (one_in(4)) return tl::unexpected<Absent>(absent());
    return Measured{{static_cast<std::int64_t>(real(most) * 1000)}, at(), Millis(whole(0, 60'000))};
  }
  Load load() {
    Load made;
    made.concurrency = one_in(3) ? 0 : real(200);
    made.rate = one_in(3) ? 0 : real(5000);
    made.over = Millis(whole(1, 16'000));
    made.waiting = one_in(2) ? 0 : whole(0, 300);
    made.running = one_in(3) ? 0 : whole(0, 300);
    made.last_active = one_in(5) ? Instant{} : at();
    return made;
  }
  Truth truth() { return static_cast<Truth>(whole(0, 2)); }
  ReplicaSeen replica(std::uint64_t id) {
    ReplicaSeen made{.id = id,
                     .phase = static_cast<ReplicaSeen::Phase>(one_in(3) ? whole(0, 3) : 1),
                     .deleting = one_in(8),
                     .made_of = one_in(9) ? 1 : 0,
                     .cpu = reading(4),
                     .memory = reading(1e9),
                     .restarts = static_cast<std::int32_t>(one_in(4) ? whole(1, 9) : 0)};
    if (!one_in(8)) made.started = at();
    if (!one_in(8)) made.ready = Readiness{truth(), at()};
    return made;
  }
  Observation observation(Instant now) {
    Observation made;
    made.now = now;
    made.unix_millis = whole(0, 2'000'000'000'000);
    made.current = made.status = replicas();
    made.templates = {process(), {.sidecars = {{"proxy", {{"cpu", {100}}}}}}};
    for (std::int64_t i = whole(0, 12); i > 0; --i) {
      made.replicas.push_back(replica(static_cast<std::uint64_t>(i)));
    }
    if (one_in(6)) {
      made.load = tl::unexpected<Absent>(absent());
    } else {
      made.load = load();
    }
    return made;
  }
  policy::ScalingRules rules() {
    policy::ScalingRules made;
    if (one_in(2)) made.stabilization_window = Millis(whole(0, 120'000));
    made.select_policy = static_cast<policy::ScalingRules::Select>(one_in(6) ? 2 : whole(0, 1));
    for (std::int64_t i = whole(0, 2); i > 0; --i) {
      made.policies.push_back({static_cast<policy::ScalingPolicy::Type>(whole(0, 1)),
                               static_cast<std::int32_t>(whole(1, 150)),
                               Millis(whole(1, 60) * 1000)});
    }
    if (one_in(4)) made.tolerance = real(0.5);
    return made;
  }
  policy::Autoscaler policy() {
    policy::Autoscaler made;
    made.max_replicas = replicas();
    made.min_replicas = {static_cast<std::int32_t>(whole(0, std::min(3, made.max_replicas.count)))};
    made.cooldown_period = Millis(whole(0, 60'000));
    if (!one_in(5)) made.gateway.emplace();
    if (one_in(2)) {
      auto& by = made.concurrency.emplace();
      by.metric = static_cast<policy::Concurrency::Metric>(whole(0, 1));
      if (one_in(2)) by.target = 0.01 + real(50);
      by.container_concurrency = one_in(2) ? 0 : static_cast<std::int32_t>(whole(1, 50));
      by.window = Millis(whole(6, 90) * 1000);
      by.activation_scale = one_in(4) ? static_cast<std::int32_t>(whole(2, 5)) : 0;
      by.initial_scale = one_in(4) ? static_cast<std::int32_t>(whole(1, 5)) : 0;
      by.target_burst_capacity = one_in(4) ? real(100) : 0;
      by.scale_to_zero_pod_retention_period = Millis(one_in(4) ? whole(0, 30'000) : 0);
      by.scale_down_delay = Millis(one_in(3) ? whole(0, 30) * 1000 : 0);
      by.metric_aggregation_algorithm = static_cast<policy::Concurrency::Aggregation>(whole(0, 1));
    }
    for (std::int64_t i = whole(0, 2); i > 0; --i) {
      auto& metric = made.metrics.emplace_back();
      metric.name = i == 1 ? "cpu" : "memory";
      if (one_in(2)) {
        metric.target.average_value = Quantity{whole(1, 2'000)};
      } else {
        metric.target.average_utilization = static_cast<std::int32_t>(whole(1, 150));
      }
    }
    if (one_in(2)) {
      made.behavior.emplace();
      if (one_in(2)) made.behavior->scale_up = rules();
      if (one_in(2)) made.behavior->scale_down = rules();
    }
    return made;
  }

 private:
  std::mt19937 random_;
};

}  // namespace headroom::decide::make
