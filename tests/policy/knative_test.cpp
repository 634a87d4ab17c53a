#include "policy/knative.h"

#include <chrono>
#include <limits>
#include <optional>

#include <gmock/gmock.h>

namespace headroom::policy {
namespace {

using ::testing::HasSubstr;

/// The settings of a revision in a cluster; both as people write them.
Result<KpaSettings> settings(const Strings& config, const KnativeRevision& revision) {
  const auto cluster = read_knative_cluster(config);
  if (!cluster) return fail(cluster.error());
  return read_knative_revision(*cluster, revision);
}

TEST(Knative, NothingSaidIsTheDefaults) {
  const auto read = settings({}, {});
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(*read, KpaSettings{});
}

TEST(Knative, TargetAndTotal) {
  struct Case {
    const char* why;
    Strings config, annotations;
    std::int32_t container_concurrency;
    double target, total;
  };
  const Case cases[] = {
      {"the hard limit is the total", {}, {}, 10, 7, 10},
      {"an explicit target of 10 aims at 7", {}, {{"target", "10"}}, 0, 7, 10},
      {"a target is not above the hard limit", {}, {{"target", "50"}}, 10, 7, 10},
      {"a rate's default", {}, {{"metric", "rps"}}, 10, 140, 200},
      {"the hard limit plays no part in a rate",
       {},
       {{"metric", "rps"}, {"target", "50"}},
       10,
       35,
       50},
      {"a percentage of 1 is all of it",
       {{"container-concurrency-target-percentage", "1"}},
       {},
       0,
       100,
       100},
      {"and 1.5 is one and a half in a hundred",
       {{"container-concurrency-target-percentage", "1.5"}},
       {},
       0,
       1.5,
       100},
      {"it is not the rate's",
       {{"container-concurrency-target-percentage", "100"}},
       {{"metric", "rps"}},
       0,
       140,
       200},
      {"never nothing",
       {},
       {{"target", "0.01"}, {"target-utilization-percentage", "1"}},
       0,
       0.01,
       0.01},
  };
  for (const auto& [why, config, annotations, hard, target, total] : cases) {
    SCOPED_TRACE(why);
    const auto read = settings(config, {.annotations = annotations, .container_concurrency = hard});
    ASSERT_TRUE(read) << read.error().what;
    EXPECT_DOUBLE_EQ(read->target, target);
    EXPECT_DOUBLE_EQ(read->total, total);
  }
}

TEST(Knative, PanicWindowIsWholeSecondsAndAtLeastOne) {
  struct Case {
    Millis window, panic;
  };
  for (const auto& [window, panic] :
       {Case{60s, 6s}, Case{25s, 3s}, Case{24s, 2s}, Case{15s, 2s}, Case{6s, 1s}}) {
    EXPECT_EQ(panic_window_of(window, 10), panic);
  }
  constexpr auto kMost = std::chrono::floor<Millis>(std::chrono::nanoseconds::max());
  for (const double none : {8.9e109, -1.0, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_GE(panic_window_of(60s, none), 1s) << "no percentage, and no harm";
  }
  EXPECT_GT(panic_window_of(kMost, 100), 291 * 365 * 24h);
}

TEST(Knative, AnnotationsBeatTheClusterAndHaveAliases) {
  struct Case {
    const char* why;
    Strings annotations;
    std::int32_t min;
  };
  const Case cases[] = {
      {"the cluster's", {}, 2},
      {"its name", {{"min-scale", "3"}}, 3},
      {"its other name", {{"minScale", "4"}}, 4},
      {"the first name wins", {{"min-scale", "3"}, {"minScale", "4"}}, 3},
      {"a name that is nobody's", {{"MinScale", "5"}, {"min_scale", "6"}}, 2},
  };
  for (const auto& [why, annotations, min] : cases) {
    SCOPED_TRACE(why);
    const auto read = settings({{"min-scale", "2"}}, {.annotations = annotations});
    ASSERT_TRUE(read) << read.error().what;
    EXPECT_EQ(read->min_scale, Replicas{min});
  }
}

TEST(Knative, WhatIsUnreachableNeedsNoMinimumAndNoRetention) {
  const auto read = settings(
      {}, {.annotations = {{"min-scale", "3"}, {"scale-to-zero-pod-retention-period", "1m"}},
           .reachable = false});
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->min_scale, Replicas{0});
  EXPECT_EQ(read->retention, 0s);
  EXPECT_FALSE(read->reachable);
}

TEST(Knative, RefusesAnnotations) {
  struct Case {
    const char* why;
    Strings annotations;
    const char* error;  // null: it is fine
    Strings config = {};
  };
  const Case cases[] = {
      {"no number", {{"target", "x"}}, "target: found \"x\", expected a number"},
      {"nothing", {{"target", ""}}, "target: found \"\""},
      {"something after it", {{"target", "10 "}}, "expected a number"},
      {"a number that is none", {{"target", "NaN"}}, "expected a number"},
      {"no end", {{"target", "Inf"}}, "expected a number"},
      {"too large", {{"target", "1e999"}}, "expected a number"},
      {"a plus", {{"target", "+10"}}, nullptr},
      {"two signs", {{"target", "+-10"}}, "expected a number"},
      {"a fraction of a pod", {{"min-scale", "1.5"}}, "a whole number of 32 bits"},
      {"33 bits", {{"max-scale", "2147483648"}}, "a whole number of 32 bits"},
      {"min over max", {{"min-scale", "3"}, {"max-scale", "2"}}, "max-scale: found \"2\""},
      {"over the cluster's limit",
       {{"max-scale", "6"}},
       "limit",
       {{"max-scale-limit", "5"}, {"max-scale", "5"}}},
      {"and none is over it",
       {{"max-scale", "0"}},
       "limit",
       {{"max-scale-limit", "5"}, {"max-scale", "5"}}},
      {"33 bits below 0", {{"min-scale", "-2147483649"}}, "a whole number of 32 bits"},
      {"said once",
       {{"min-scale", "x"}, {"max-scale", "-1"}, {"activation-scale", "1"}},
       "min-scale"},
      {"less than nothing at most", {{"max-scale", "-1"}}, "max-scale: found \"-1\""},
      {"within the cluster's limit",
       {{"max-scale", "5"}},
       nullptr,
       {{"max-scale-limit", "5"}, {"max-scale", "5"}}},
      {"two things with one name",
       {{"max-scale", "6"}, {"min-scale", "7"}},
       "1 to the cluster's max-scale-limit",
       {{"max-scale-limit", "5"}, {"max-scale", "5"}}},
      {"an activation below the minimum",
       {{"min-scale", "3"}, {"activation-scale", "2"}},
       "activation-scale"},
      {"above the maximum", {{"max-scale", "3"}, {"activation-scale", "4"}}, "activation-scale"},
      {"between them", {{"max-scale", "3"}, {"activation-scale", "3"}}, nullptr},
      {"less than 1 %", {{"target-utilization-percentage", "0.5"}}, "1 to 100"},
      {"more than all", {{"target-utilization-percentage", "101"}}, "1 to 100"},
      {"a retention below 0",
       {{"scale-to-zero-pod-retention-period", "-1s"}},
       "no negative duration"},
      {"and beyond an hour", {{"scale-to-zero-pod-retention-period", "61m"}}, "at most 1h"},
      {"no algorithm",
       {{"metric-aggregation-algorithm", ""}, {"class", "kpa.autoscaling.knative.dev"}},
       nullptr},
      {"the usual one",
       {{"metric-aggregation-algorithm", "linear"}, {"class", "kpa.autoscaling.knative.dev"}},
       nullptr},
      {"the other, in its old spelling",
       {{"metric-aggregation-algorithm", "weightedExponential"},
        {"class", "kpa.autoscaling.knative.dev"}},
       nullptr},
      {"a class of others' is not looked at",
       {{"metric-aggregation-algorithm", "median"}, {"class", "x.example"}},
       nullptr},
      {"hexadecimal, as Go reads it", {{"target", "0x1p3"}}, nullptr},
      {"an activation of one", {{"activation-scale", "1"}}, "at least 2"},
      {"no initial scale", {{"initial-scale", "0"}}, "initial-scale"},
      {"allowed", {{"initial-scale", "0"}}, nullptr, {{"allow-zero-initial-scale", "true"}}},
      {"a window too short", {{"window", "5999ms"}}, "window"},
      {"no unit", {{"window", "60"}}, "a duration such as 1m30s"},
      {"a unit of its own", {{"window", "60sec"}}, "a duration such as 1m30s"},
      {"parts", {{"window", "1m1.5s0.5s"}}, nullptr},
      {"no whole seconds", {{"scale-down-delay", "1500ms"}}, "whole seconds"},
      {"but the retention may", {{"scale-to-zero-pod-retention-period", "1500ms"}}, nullptr},
      {"negative", {{"scale-down-delay", "-1s"}}, "scale-down-delay"},
      {"no negative zero", {{"scale-down-delay", "-0s"}}, nullptr},
      {"more hours than there are", {{"window", "9999999999999h"}}, "a duration"},
      {"many of them", {{"window", "2000000h2000000h"}}, "a duration"},
      {"a burst of less than nothing", {{"target-burst-capacity", "-0.5"}}, "or -1"},
      {"unlimited", {{"target-burst-capacity", "-1"}}, nullptr},
      {"a metric of others", {{"metric", "cpu"}}, "concurrency or rps"},
      {"theirs", {{"metric", "cpu"}, {"class", "hpa.autoscaling.knative.dev"}}, nullptr},
      {"a class of Knative's that is none", {{"class", "x.knative.dev"}}, "class"},
      {"theirs, as the cluster's class has it",
       {{"metric", "cpu"}},
       nullptr,
       {{"pod-autoscaler-class", "hpa.autoscaling.knative.dev"}}},
      {"no other name of the activation's", {{"activationScale", "x"}, {"", "x"}}, nullptr},
      {"a foreign class", {{"class", "x.example"}, {"metric", "y"}}, nullptr},
      {"an algorithm unchecked without a class",
       {{"metric-aggregation-algorithm", "median"}},
       nullptr},
      {"and checked with it",
       {{"metric-aggregation-algorithm", "median"}, {"class", "kpa.autoscaling.knative.dev"}},
       "linear or weighted"},
      {"control characters are shown as such", {{"target", std::string("\0\n", 2)}}, "\\x00\\x0A"},
      {"a long text is cut", {{"target", std::string(100'000, '9')}}, "…"},
  };
  for (const auto& [why, annotations, error, config] : cases) {
    SCOPED_TRACE(why);
    const auto read = settings(config, {.annotations = annotations});
    ASSERT_EQ(read.has_value(), error == nullptr) << (read ? "" : read.error().what);
    if (read) continue;
    EXPECT_EQ(read.error().code, Code::invalid);
    EXPECT_THAT(read.error().what, HasSubstr(error));
    EXPECT_LT(read.error().what.size(), 400U);
  }
}

TEST(Knative, RefusesConfigs) {
  struct Case {
    const char* why;
    Strings config;
    bool fine;
  };
  const Case cases[] = {
      {"a key of others", {{"_example", "x"}}, true},
      {"the aliases are the annotations'", {{"maxScaleUpRate", "0"}}, true},
      {"a rate of one", {{"max-scale-up-rate", "1"}}, false},
      {"down, too", {{"max-scale-down-rate", "1"}}, false},
      {"no grace", {{"scale-to-zero-grace-period", "0s"}}, false},
      {"a very short one", {{"scale-to-zero-grace-period", "1ns"}}, true},
      {"a switch", {{"enable-scale-to-zero", "T"}}, true},
      {"no switch", {{"enable-scale-to-zero", "yes"}}, false},
      {"a delay without a limit", {{"scale-down-delay", "2h"}}, true},
      {"a target of nearly nothing", {{"container-concurrency-target-default", "0.01"}}, false},
      {"more than all of it", {{"container-concurrency-target-percentage", "101"}}, false},
      {"a threshold as one likes", {{"panic-threshold-percentage", "-5"}}, true},
      {"a maximum where there is a limit", {{"max-scale-limit", "5"}}, false},
      {"within it", {{"max-scale-limit", "5"}, {"max-scale", "5"}}, true},
      {"an activator of less than one", {{"activator-capacity", "0.9"}}, false},
      {"no initial scale", {{"initial-scale", "0"}}, false},
      {"allowed", {{"initial-scale", "0"}, {"allow-zero-initial-scale", "1"}}, true},
      {"a minimum above the maximum", {{"min-scale", "3"}, {"max-scale", "2"}}, false},
      {"up to it", {{"min-scale", "2"}, {"max-scale", "2"}}, true},
      {"a minimum below 0", {{"min-scale", "-1"}}, false},
      {"nothing of it", {{"container-concurrency-target-percentage", "0"}}, false},
      {"no number", {{"panic-window-percentage", "x"}}, false},
      {"more than the window", {{"panic-window-percentage", "101"}}, false},
      {"a window of fractions", {{"stable-window", "7.5s"}}, false},
  };
  for (const auto& [why, config, fine] : cases) {
    SCOPED_TRACE(why);
    EXPECT_EQ(read_knative_cluster(config).has_value(), fine);
  }
}

TEST(Knative, AContainersLimitIsUpToAThousand) {
  EXPECT_TRUE(settings({}, {.container_concurrency = 1000}));
  EXPECT_FALSE(settings({}, {.container_concurrency = 1001}));
  EXPECT_FALSE(settings({}, {.container_concurrency = -1}));
}

TEST(Knative, HeadroomsDocumentSaysTheSame) {
  const KpaSettings ours = settings_of(Concurrency{});
  KpaSettings theirs;
  theirs.target_burst_capacity = 0;  // the gateway is always in the path
  theirs.initial_scale = {0};
  EXPECT_EQ(ours, theirs);
}

}  // namespace
}  // namespace headroom::policy
