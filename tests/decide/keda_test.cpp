#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "decide/cron.h"
#include "decide/keda_activation.h"
#include "decide/keda_activity.h"
#include "decide/keda_fallback.h"
#include "policy/trigger_parameters.h"

namespace headroom::decide {
namespace {

TEST(ServedValue, IsTheNearestThousandth) {
  struct Row {
    double value;
    std::int64_t milli;
    const char* why;
  };
  const double infinite = std::numeric_limits<double>::infinity();
  for (const auto& [value, milli, why] : {
           Row{1.5, 1500, "exact"},
           Row{0.0005, 1, "its double is above the half"},
           Row{0.0004, 0, "below the half"},
           Row{-3, 0, "negative"},
           Row{std::nan(""), 0, "not a number"},
           Row{infinite, 0, "infinite"},
           Row{1e300, std::numeric_limits<std::int64_t>::max(), "capped"},
       }) {
    EXPECT_EQ(policy::to_quantity(value).milli, milli) << why;
  }
}

TEST(ObjectActivity, FollowsTheTriggersOrTheComposite) {
  struct Row {
    std::vector<keda::TriggerReading> triggers;
    std::optional<keda::CompositeReading> composite;
    bool active, error;
    const char* why;
  };
  const keda::TriggerReading cpu{.resource = true, .value = 80}, failed{};
  const keda::TriggerReading at{.value = 5, .activation = 5}, above{.value = 5.1, .activation = 5};
  const keda::TriggerReading unread{.resource = true};
  const keda::TriggerReading says{.value = 0, .says = true}, denies{.value = 9, .says = false};
  const keda::TriggerReading made_up{.fallback = true};
  const keda::CompositeReading over{2.0, 1}, equal{1.0, 1}, broken{std::nullopt, 0};
  for (const auto& row : {
           Row{{at}, {}, false, false, "the threshold is strict"},
           Row{{at, above}, {}, true, false, "any trigger"},
           Row{{cpu, at}, {}, false, false, "cpu never contributes"},
           Row{{cpu}, {}, true, false, "nothing but cpu: always active"},
           Row{{unread}, {}, true, false, "and nobody asks cpu's source here"},
           Row{{unread, at}, {}, false, false, "which is no failure beside another either"},
           Row{{says}, {}, true, false, "an external scaler's word counts"},
           Row{{denies}, {}, false, false, "whatever its value"},
           Row{{above, failed}, {}, true, true, "one active, one failing"},
           Row{{made_up}, {}, true, false, "fallback counts as active"},
           Row{{at}, over, true, false, "the composite alone decides"},
           Row{{above}, equal, false, false, "strict here too"},
           Row{{above, failed}, over, false, true, "an error makes a composite inactive"},
           Row{{above}, broken, false, true, "a failing formula is an error"},
       }) {
    const auto activity = keda::object_activity(row.triggers, row.composite);
    EXPECT_EQ(activity.active, row.active) << row.why;
    EXPECT_EQ(activity.error, row.error) << row.why;
  }
}

TEST(Activation, CooldownRunsFromTheWholeSecond) {
  policy::Autoscaler policy;
  policy.min_replicas = {0};
  policy.cooldown_period = 5s;
  Memory memory;
  memory.keda.last_active = Instant{10s};
  EXPECT_EQ(activate_by_keda(policy, Replicas{7}, {}, Instant{15s}, memory).rule,
            KedaAnswer::Rule::cooling_down);
  const auto later = activate_by_keda(policy, Replicas{7}, {}, Instant{15'001ms}, memory);
  EXPECT_EQ(later.rule, KedaAnswer::Rule::slept);
  EXPECT_EQ(later.replicas, Replicas{0});
}

class Fixed : public cron::Zone {
 public:
  std::int32_t offset_at(std::int64_t) const override { return 0; }
};

TEST(Cron, Parses) {
  for (const auto* good :
       {"* * * * *", "0 9 * * MON-fri", "*/5,7 ? 1 jan ?", "TZ=UTC 0 0 29 2 *"}) {
    EXPECT_TRUE(cron::parse(good)) << good;
  }
  for (const auto* bad : {"", "@daily", "0 0 * * 7", "0 0 30 2 *", "60 * * * *", "*/0 * * * *",
                          "5-1 * * * *", "0 0 0 * * *", ", * * * *"}) {
    EXPECT_FALSE(cron::parse(bad)) << bad;
  }
}

TEST(Cron, FiresNext) {
  struct Row {
    const char* expression;
    std::int64_t now, next;
    const char* why;
  };
  constexpr std::int64_t kDay = 86400;  // 1970-01-01 was a Thursday
  for (const auto& [expression, now, next, why] : {
           Row{"* * * * *", 0, 60, "strictly after"},
           Row{"0 9 * * *", 0, 9 * 3600, "the same day"},
           Row{"0 0 3 * 5", 0, kDay, "both restricted: either"},
           Row{"0 0 2 * */2", 0, 91 * kDay, "a star with a step: both"},
           Row{"0 0 29 2 *", 0, 789 * kDay, "the next leap day"},
       }) {
    const auto schedule = cron::parse(expression);
    ASSERT_TRUE(schedule) << why;
    EXPECT_EQ(cron::next(*schedule, Fixed{}, now), next) << why;
  }
}

/// One hour ahead from unix time 100 days on: 02:00 to 03:00 of that day is not there; back after
/// 200 days, when 03:00 shows 02:00 again.
class Summer : public cron::Zone {
 public:
  std::int32_t offset_at(std::int64_t at) const override {
    return at >= kFrom && at < kTo ? 3600 : 0;
  }
  static constexpr std::int64_t kFrom = 100 * 86400 + 2 * 3600;
  static constexpr std::int64_t kTo = 200 * 86400 + 2 * 3600;
};

TEST(Cron, SkipsAndRepeatsLocalTimes) {
  const auto schedule = cron::parse("30 2 * * *");
  ASSERT_TRUE(schedule);
  EXPECT_EQ(cron::next(*schedule, Summer{}, 100 * 86400), 101 * 86400 + 5400) << "not there";
  const auto first = cron::next(*schedule, Summer{}, 200 * 86400);
  EXPECT_EQ(first, Summer::kTo - 1800) << "still in summer";
  EXPECT_EQ(cron::next(*schedule, Summer{}, *first), Summer::kTo + 1800) << "a second time";
}

TEST(Fallback, IsActivePastTheThreshold) {
  const std::optional fallback =
      policy::Fallback{1, Replicas{6}, policy::Fallback::Behavior::static_};
  const Aimed aimed{10, true};
  const ReplicasSeen replicas{Replicas{4}, 4};
  std::vector<Health> health;
  const auto served = [&](std::optional<Quantity> answer) {
    return serve(fallback, "m", answer, aimed, replicas, health);
  };
  EXPECT_EQ(served(std::nullopt).kind, Served::Kind::source_error);
  EXPECT_EQ(served(std::nullopt).value, Quantity{15'000});
  EXPECT_TRUE(falls_back(*fallback, health));
  EXPECT_EQ(served(Quantity{7}).value, Quantity{7});
  EXPECT_FALSE(falls_back(*fallback, health)) << "one success clears it";
}

TEST(Fallback, IsHeldInside64Bits) {
  struct Case {
    const char* why;
    double target;
    std::int64_t expected;
  };
  const Case cases[] = {
      {"too large", 1e300, INT64_MAX},
      {"too small", -1e300, INT64_MIN},
      {"infinite", -std::numeric_limits<double>::infinity(), INT64_MIN},
      {"no number", std::nan(""), INT64_MAX},
  };
  for (const auto& [why, target, expected] : cases) {
    SCOPED_TRACE(why);
    std::vector<Health> health;
    const policy::Fallback now{0, Replicas{6}, policy::Fallback::Behavior::static_};
    const auto served = serve(now, "m", std::nullopt, {target, false}, {Replicas{4}, 4}, health);
    EXPECT_EQ(served.kind, Served::Kind::fallback);
    EXPECT_EQ(served.value, Quantity{expected});
  }
}

TEST(Cron, IsInsideWhileTheEndComesFirst) {
  const cron::Trigger trigger{*cron::parse("0 9 * * *"), *cron::parse("0 17 * * *"), Replicas{4}};
  const Fixed zone;
  EXPECT_FALSE(cron::desired(trigger, zone, zone, 9 * 3600 - 1));
  EXPECT_EQ(cron::desired(trigger, zone, zone, 9 * 3600), Replicas{4}) << "opens at the second";
  EXPECT_FALSE(cron::desired(trigger, zone, zone, 17 * 3600)) << "closes at the second";
}

}  // namespace
}  // namespace headroom::decide
