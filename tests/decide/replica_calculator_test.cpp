#include "decide/replica_calculator.h"

#include <gtest/gtest.h>

#include "decide/explain.h"
#include "decide/make.h"
#include "decide/proposal.h"
#include "decide/steps.h"

namespace headroom::decide {
namespace {

using namespace make;  // NOLINT
using State = ReplicaSeen::State;

constexpr Instant kNow = kStart;

/// One replica as a row of a table: its state, what it uses of one core (none: no reading), how
/// long it runs, how long it is in its state, how old its reading is.
struct CalculatorRow {
  State state = State::ready;
  std::optional<double> cpu = 0.5;
  Millis age = 1000s;
  Millis in_state = 900s;
  Millis reading_age = 0s;
};

Observation seen(const std::vector<CalculatorRow>& rows, std::int32_t current) {
  auto made = observation(kNow, current, 0);
  for (const auto& row : rows) {
    auto each = replica(made.replicas.size() + 1, row.state, kNow);
    each.started = kNow - row.age;
    each.ready->since = kNow - row.in_state;
    if (row.cpu) each.cpu = cores(*row.cpu, kNow - row.reading_age);
    each.memory = each.cpu;
    made.replicas.push_back(each);
  }
  return made;
}

policy::Autoscaler by(std::optional<std::int32_t> percent, std::optional<Quantity> average,
                      const char* resource = "cpu") {
  policy::Autoscaler made;
  made.metrics.push_back({.name = resource});
  made.metrics.front().target.average_utilization = percent;
  made.metrics.front().target.average_value = average;
  return made;
}

Calculated calculated(const policy::Autoscaler& policy, const Observation& seen_now) {
  return calculate(policy, 0, readings_of(seen_now, 0), seen_now, seen_now.current,
                   tolerances_of(policy));
}

/// The step's text, as `explain` prints it.
std::string told(const policy::Autoscaler& policy, const Observation& seen_now) {
  const auto answer = calculated(policy, seen_now);
  Decision decision;
  Chain(decision.steps, seen_now.current)
      .link(Step::Stage::recommend, answer.code, answer.failed ? seen_now.current : answer.replicas,
            answer.inputs, 0);
  put_into_words(policy, seen_now, decision);
  return decision.steps.front().text;
}

TEST(ReplicaCalculator, UtilizationAsHpaV2) {
  const CalculatorRow ready{}, draining{.state = State::draining, .cpu = 9.0};
  const CalculatorRow full{.cpu = 1.0}, silent{.cpu = std::nullopt};
  const CalculatorRow young_unready{
      .state = State::starting, .cpu = 4.0, .age = 10s, .in_state = 10s};
  const CalculatorRow just_ready{.cpu = 4.0, .age = 20s, .in_state = 5s};
  const CalculatorRow slow_start{
      .state = State::starting, .cpu = 4.0, .age = 301s, .in_state = 290s};
  const CalculatorRow unready_later{
      .state = State::starting, .cpu = 1.0, .age = 900s, .in_state = 60s};
  struct Case {
    const char* why;
    std::int32_t percent, current;
    std::vector<CalculatorRow> rows;
    std::int32_t expected;
  };
  const Case cases[] = {
      {"at the target", 50, 2, {ready, ready}, 2},
      {"twice the target is twice the replicas", 50, 2, {full, full}, 4},
      {"a ratio of exactly 1.1 is inside the tolerance", 50, 1, {{.cpu = 0.55}}, 1},
      {"one percent more is outside", 50, 1, {{.cpu = 0.56}}, 2},
      {"54.9% is 54, and 54 of 49 is outside", 49, 1, {{.cpu = 0.549}}, 2},
      {"54.9% is 54: 54 of 50 is inside", 50, 1, {{.cpu = 0.549}}, 1},
      {"idle goes to none; the minimum is another's business",
       50,
       2,
       {{.cpu = 0.0}, {.cpu = 0.0}},
       0},
      {"a draining one is in no group", 50, 2, {ready, ready, draining}, 2},
      {"missing ones count as idle on the way up", 50, 4, {full, full, full, silent}, 6},
      {"which may bring it back inside the tolerance", 50, 2, {full, silent}, 2},
      {"and as full on the way down", 50, 4, {{.cpu = 0.1}, {.cpu = 0.1}, {.cpu = 0.1}, silent}, 3},
      {"which may turn the direction: nothing moves", 50, 2, {{.cpu = 0.4}, silent}, 2},
      {"starting burns CPU that is no load", 50, 2, {ready, young_unready}, 2},
      {"nor is what was measured before it was ready", 50, 2, {ready, just_ready}, 2},
      {"unready ones count as idle on the way up", 50, 3, {full, full, young_unready}, 4},
      {"never ready within 30 s of its start, long ago", 50, 2, {ready, slow_start}, 2},
      {"one that was ready once counts", 50, 2, {ready, unready_later}, 3},
  };
  for (const auto& [why, percent, current, rows, expected] : cases) {
    SCOPED_TRACE(why);
    const auto answer = calculated(by(percent, {}), seen(rows, current));
    EXPECT_FALSE(answer.failed);
    EXPECT_EQ(answer.replicas, Replicas{expected});
  }
}

TEST(ReplicaCalculator, AverageValueAsHpaV2) {
  const CalculatorRow ready{}, full{.cpu = 1.0}, silent{.cpu = std::nullopt};
  struct Case {
    const char* why;
    std::int64_t milli;
    std::int32_t current;
    std::vector<CalculatorRow> rows;
    std::int32_t expected;
  };
  const Case cases[] = {
      {"at the target", 500, 2, {ready, ready}, 2},
      {"twice", 250, 2, {ready, ready}, 4},
      {"missing ones count as the target on the way down", 1000, 3, {ready, ready, silent}, 2},
      {"and as idle on the way up", 500, 3, {full, full, silent}, 4},
  };
  for (const auto& [why, milli, current, rows, expected] : cases) {
    SCOPED_TRACE(why);
    const auto answer = calculated(by({}, Quantity{milli}), seen(rows, current));
    EXPECT_FALSE(answer.failed);
    EXPECT_EQ(answer.replicas, Replicas{expected});
  }
}

TEST(ReplicaCalculator, MemoryKnowsNoUnready) {
  const CalculatorRow starting{.state = State::starting, .cpu = 1.0, .age = 1s, .in_state = 1s};
  const auto answer = calculated(by({}, Quantity{500}, "memory"), seen({starting, starting}, 2));
  EXPECT_FALSE(answer.failed);
  EXPECT_EQ(answer.replicas, Replicas{4});
}

TEST(ReplicaCalculator, FailsWhereNoReadyReplicaHasAReading) {
  const CalculatorRow silent{.cpu = std::nullopt};
  const CalculatorRow young{.state = State::starting, .cpu = 4.0, .age = 10s, .in_state = 10s};
  struct Case {
    const char* why;
    std::vector<CalculatorRow> rows;
    std::string_view code;
    const char* text;
  };
  const Case cases[] = {
      {"no replica at all", {}, step::kNoReplicas, "cpu: no replica runs yet"},
      {"only silent ones", {silent, silent}, step::kNoReading, "cpu: no data"},
      {"only starting ones", {young}, step::kNotReady, "cpu: no replica is ready yet"},
  };
  for (const auto& [why, rows, code, text] : cases) {
    SCOPED_TRACE(why);
    const auto answer = calculated(by(50, {}), seen(rows, 2));
    EXPECT_TRUE(answer.failed);
    EXPECT_EQ(answer.code, code);
    EXPECT_EQ(told(by(50, {}), seen(rows, 2)), text);
  }
}

TEST(ReplicaCalculator, WordsAndNumbers) {
  const CalculatorRow full{.cpu = 0.83}, silent{.cpu = std::nullopt};
  const auto text = [](const policy::Autoscaler& policy, const std::vector<CalculatorRow>& rows,
                       std::int32_t current) { return told(policy, seen(rows, current)); };
  EXPECT_EQ(text(by(60, {}), {full, full, full}, 3), "cpu 83% of 60% → 5 replicas");
  EXPECT_EQ(text(by(80, {}), {full}, 1), "cpu 83% of 80% (within 10% of it) → 1 replica");
  EXPECT_EQ(text(by(60, {}), {full, full, silent}, 3),
            "cpu 83% of 60% (1 without a reading counts as idle) → 3 replicas");
  EXPECT_EQ(text(by({}, Quantity{500}), {full}, 1), "cpu 0.83 of 0.5 per replica → 2 replicas");
}

TEST(ReplicaCalculator, AbsurdReadingsSaturate) {
  auto seen_now = seen({CalculatorRow{}, CalculatorRow{}}, 2);
  for (auto& each : seen_now.replicas) each.cpu = Measured{{INT64_MAX}, kNow, 1s};
  const auto answer = calculated(by(50, {}), seen_now);
  EXPECT_FALSE(answer.failed);
  EXPECT_EQ(answer.inputs[0], INT32_MAX) << "percent";
  EXPECT_EQ(answer.replicas, Replicas{85'899'346});
}

/// Of one value for all replicas, with these targets.
policy::Metric for_all(policy::Metric::Type type, policy::MetricTarget::Type by,
                       std::optional<std::int64_t> value, std::optional<std::int64_t> average) {
  policy::Metric made{.type = type, .name = "queue"};
  made.target.type = by;
  if (value) made.target.value = Quantity{*value};
  if (average) made.target.average_value = Quantity{*average};
  return made;
}

TEST(ReplicaCalculator, OneNumberForAllAsHpaV2) {
  using Type = policy::Metric::Type;
  using By = policy::MetricTarget::Type;
  struct Case {
    const char* why;
    policy::Metric metric;
    std::vector<Quantity> values;
    std::string_view code;
    std::int32_t expected;  // -1: it fails
    std::optional<std::int64_t> now;
  };
  const auto object = [](By by, std::optional<std::int64_t> value,
                         std::optional<std::int64_t> average) {
    return for_all(Type::object, by, value, average);
  };
  const auto external = [](By by, std::optional<std::int64_t> value,
                           std::optional<std::int64_t> average) {
    return for_all(Type::external, by, value, average);
  };
  const Case cases[] = {
      {"in proportion to the 2 that are ready, of 4",
       object(By::value, 100, {}),
       {{150}},
       step::kValue,
       3,
       150},
      {"inside the tolerance all 4 stay",
       object(By::value, 100, {}),
       {{110}},
       step::kValue,
       4,
       110},
      {"a share of 3 that there are",
       object(By::average_value, {}, 100),
       {{650}},
       step::kAverageOfAll,
       7,
       217},
      {"inside the tolerance these stay",
       object(By::average_value, {}, 100),
       {{310}},
       step::kAverageOfAll,
       3,
       104},
      {"series add up", external(By::value, 100, {}), {{100}, {50}}, step::kValue, 3, 150},
      {"no series are 0", external(By::value, 100, {}), {}, step::kValue, 0, 0},
      {"no value of an object is none", object(By::value, 100, {}), {}, step::kNoReading, -1, {}},
      {"both targets: an object by its type",
       object(By::value, 100, 10),
       {{150}},
       step::kValue,
       3,
       150},
      {"both targets: an external by the average",
       external(By::value, 100, 10),
       {{150}},
       step::kAverageOfAll,
       15,
       50},
      {"the type has no target: an object",
       object(By::average_value, 100, {}),
       {{150}},
       step::kNoTarget,
       -1,
       {}},
      {"... the other way", object(By::value, {}, 100), {{150}}, step::kNoTarget, -1, {}},
      {"no target at all", external(By::value, {}, {}), {{150}}, step::kNoTarget, -1, {}},
      {"absurd values stop at the most",
       external(By::value, {}, 1),
       {{INT64_MAX}, {INT64_MAX}},
       step::kAverageOfAll,
       INT32_MAX,
       INT64_MAX},
  };
  auto seen_now =
      seen({CalculatorRow{}, CalculatorRow{}, CalculatorRow{.state = State::starting}}, 4);
  seen_now.status = {3};
  seen_now.metrics.resize(1);
  for (const auto& [why, metric, values, code, expected, now] : cases) {
    SCOPED_TRACE(why);
    policy::Autoscaler policy;
    policy.metrics = {metric};
    seen_now.metrics[0].values = values;
    const auto answer = calculated(policy, seen_now);
    EXPECT_EQ(answer.code, code);
    EXPECT_EQ(answer.failed, expected < 0);
    if (answer.failed) continue;
    EXPECT_EQ(answer.replicas, Replicas{expected});
    const auto& said = code == step::kValue ? answer.now.value : answer.now.average_value;
    EXPECT_EQ(said, Quantity{*now});
  }
  policy::Autoscaler policy;
  policy.metrics = {object(By::value, 100, {})};
  seen_now.metrics.clear();
  EXPECT_EQ(calculated(policy, seen_now).code, step::kNoReading) << "nobody looked";
  seen_now.metrics.resize(1);
  seen_now.metrics[0].values = {{150}};
  seen_now.replicas.clear();
  EXPECT_EQ(calculated(policy, seen_now).code, step::kNoReplicas) << "in proportion to none";
}

TEST(ReplicaCalculator, AShareIsHeldInside64Bits) {
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  auto policy = by(std::nullopt, Quantity{1});
  policy.metrics.front().type = policy::Metric::Type::external;
  auto seen_now = observation(kStart, 1, 1);
  seen_now.status = {1};
  seen_now.metrics.resize(1);
  for (const auto value : {kLeast, kMost}) {
    seen_now.metrics[0].values = {{value}};
    EXPECT_EQ(calculated(policy, seen_now).now.average_value, Quantity{kMost}) << "as upstream";
  }
  seen_now.metrics[0].values = {{kLeast}, {-1}};
  EXPECT_EQ(calculated(policy, seen_now).inputs[0], static_cast<double>(kLeast)) << "a sum, too";
}

TEST(ReplicaCalculator, WithoutATargetOrARequestItFails) {
  const CalculatorRow busy{.cpu = 0.9};
  EXPECT_EQ(calculated(by({}, {}), seen({busy}, 1)).code, step::kNoTarget);
  EXPECT_EQ(calculated(by(0, {}), seen({busy}, 1)).code, step::kNoTarget);
  EXPECT_EQ(calculated(by({}, Quantity{-5}), seen({busy}, 1)).code, step::kNoTarget);
  auto stray = seen({busy}, 1);
  stray.replicas[0].made_of = 7;  // a template that is not there
  EXPECT_EQ(calculated(by(50, {}), stray).code, step::kNoRequest);
  stray.replicas[0].made_of = -1;
  EXPECT_EQ(calculated(by(50, {}), stray).code, step::kNoRequest);
  auto nothing = seen({busy}, 1);
  nothing.templates = {{.containers = {{"app", {{"cpu", {0}}}}}}};
  EXPECT_EQ(calculated(by(50, {}), nothing).code, step::kNoRequest) << "a request of 0";
  EXPECT_FALSE(calculated(by({}, Quantity{500}), stray).failed) << "an average needs none";
}

TEST(ReplicaCalculator, AbsurdRequestsSaturate) {
  auto seen_now = seen({CalculatorRow{}}, 1);
  seen_now.replicas[0].cpu = Measured{{INT64_MIN}, kNow, 1s};
  seen_now.templates = {{.containers = {{"app", {{"cpu", {-1}}}}}}};
  const auto answer = calculated(by(50, {}), seen_now);
  EXPECT_EQ(answer.inputs[0], INT32_MAX) << "the least of 64 bits by -1 is the most";
}

}  // namespace
}  // namespace headroom::decide
