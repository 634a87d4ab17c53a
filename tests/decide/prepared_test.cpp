#include "decide/prepared.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/zone.h"
#include "decide/decide.h"

namespace headroom::decide {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using MetricType = policy::Trigger::MetricType;

constexpr std::int64_t kHour = 3'600;
constexpr std::int64_t kDay = 24 * kHour;
constexpr std::int64_t kSpring = 1'774'746'000;  // 2026-03-29 01:00 UTC: 02:00 becomes 03:00
constexpr std::int64_t kAutumn = 1'792'890'000;  // 2026-10-25 01:00 UTC: 03:00 becomes 02:00

policy::Trigger cron_trigger(const char* start, const char* end, const char* desired = "6",
                             const char* zone = "Europe/Berlin") {
  return {.type = "cron",
          .metadata = {
              {"timezone", zone}, {"start", start}, {"end", end}, {"desiredReplicas", desired}}};
}

policy::Autoscaler by(std::vector<policy::Trigger> triggers) {
  policy::Autoscaler made;
  made.name = "shop";
  made.target.scale_target_ref = policy::ObjectReference{"apps/v1", "Deployment", "shop"};
  made.min_replicas = {0};
  made.max_replicas = {10};
  made.triggers = std::move(triggers);
  return made;
}

/// As `headroom decide` collects it.
ZoneSeen zone(const std::string& name, std::int64_t now) {
  ZoneSeen seen{name, {}};
  const auto offsets = zone_offsets(name, {now - cron::kLooksBack, now + cron::kLooksAhead});
  for (const auto& [from, seconds] : offsets.value()) seen.offsets.push_back({from, seconds});
  return seen;
}

Observation at(std::int64_t unix_seconds, std::int32_t current = 0) {
  Observation seen;
  seen.now = Instant{1h};
  seen.unix_millis = unix_seconds * 1000;
  seen.current = seen.status = {current};
  return seen;
}

TEST(Cron, ByTheClocksOfItsZone) {
  struct Case {
    const char* why;
    policy::Trigger trigger;
    std::int64_t now;
    std::optional<std::int32_t> expected;
  };
  const auto office = cron_trigger("0 9 * * *", "0 17 * * *");
  const auto night = cron_trigger("30 2 * * *", "45 2 * * *");
  const Case cases[] = {
      {"winter: 9:00 is 8:00 UTC", office, kSpring - kDay + 7 * kHour, 6},
      {"a second before", office, kSpring - kDay + 7 * kHour - 1, {}},
      {"summer: 9:00 is 7:00 UTC", office, kSpring + 6 * kHour, 6},
      {"a second before", office, kSpring + 6 * kHour - 1, {}},
      {"it closes at the second itself", office, kSpring + 14 * kHour, {}},
      {"and is open before", office, kSpring + 14 * kHour - 1, 6},
      {"2:30 that there is not: closed all night", night, kSpring, {}},
      {"the night after", night, kSpring + kDay - kHour / 2, 6},
      {"2:30 the first time", night, kAutumn - kHour / 2, 6},
      {"2:50 between the two", night, kAutumn - kHour / 6, {}},
      {"2:30 the second time", night, kAutumn + kHour / 2, 6},
      {"over midnight", cron_trigger("0 22 * * *", "0 6 * * *"), kSpring, 6},
      {"whichever fires next: Thursday's start comes before Friday's end",
       cron_trigger("0 9 * * 1-5", "0 17 * * 5"),
       kSpring + 3 * kDay + 10 * kHour,
       {}},
      {"a zone of its own for an end",
       cron_trigger("0 9 * * *", "CRON_TZ=America/New_York 0 17 * * *"), kSpring + 19 * kHour, 6},
      {"fewer than none", cron_trigger("0 9 * * *", "0 17 * * *", "-3"), kSpring + 7 * kHour, 0},
      {"more than there can be", cron_trigger("0 9 * * *", "0 17 * * *", "9000000000000000000"),
       kSpring + 7 * kHour, std::numeric_limits<std::int32_t>::max()},
      {"before the first offset the first holds",
       cron_trigger("0 9 * * *", "0 17 * * *", "6", "Late/Zone"), kSpring + 6 * kHour, 6},
      {"no zone named: UTC", cron_trigger("0 9 * * *", "0 17 * * *", "6", ""), kSpring + 8 * kHour,
       6},
  };
  for (const auto& [why, trigger, now, expected] : cases) {
    SCOPED_TRACE(why);
    const auto policy = by({trigger});
    const Prepared prepared(policy);
    ASSERT_TRUE(prepared.triggers[0].cron) << prepared.triggers[0].wrong;
    auto seen = at(now);
    for (const auto& name : zones_of(policy)) {
      if (name != "Late/Zone") seen.zones.push_back(zone(name, now));
    }
    seen.zones.push_back({"Late/Zone", {{now + kDay, 7'200}, {now + 2 * kDay, 0}}});
    const auto desired = desired_by_cron(*prepared.triggers[0].cron, seen);
    ASSERT_TRUE(desired) << desired.error().answer.text();
    EXPECT_EQ(*desired ? std::optional((*desired)->count) : std::nullopt, expected);
  }
}

TEST(Cron, TheZonesThatAnObservationHasToHave) {
  EXPECT_THAT(zones_of(by({cron_trigger("0 9 * * *", "TZ=Asia/Kolkata 0 9 * * *"),
                           cron_trigger("TZ=UTC 0 9 * * *", "TZ=UTC 0 10 * * *"),
                           {.type = "redis"},
                           cron_trigger("1 9 * * *", "2 9 * * *")})),
              ElementsAre("Europe/Berlin", "Asia/Kolkata", "UTC"));
  EXPECT_THAT(
      zones_of(by({cron_trigger("60 9 * * *", "0 17 * * *"), cron_trigger("0 9 * * *", "17 * * *"),
                   cron_trigger("0 9 * * *", "0 17 * * *", "many")})),
      IsEmpty())
      << "what cannot be read asks for none";
}

/// One look with nothing before it.
Decision look(const policy::Autoscaler& policy, const Observation& seen) {
  Memory memory;
  return decide(policy, seen, memory);
}

std::string text_of(const Decision& decision, std::string_view code) {
  for (const Step& step : decision.steps) {
    if (step.code == code) return step.text;
  }
  return "no such step";
}

TEST(Cron, NeedsNoReading) {
  const auto policy = by({cron_trigger("0 9 * * *", "0 17 * * *")});
  const std::int64_t noon = kSpring + 9 * kHour;
  auto seen = at(noon);
  seen.zones = {zone("Europe/Berlin", noon)};
  EXPECT_EQ(look(policy, seen).replicas, Replicas{1}) << "woken";
  seen.current = seen.status = {1};
  auto decision = look(policy, seen);
  EXPECT_EQ(decision.replicas, Replicas{4}) << "not faster";
  EXPECT_EQ(text_of(decision, "AverageOfAll"),
            "s0-cron-Europe-Berlin-09xxx-017xxx 6 at 1 per replica → 6 replicas");
  seen.triggers = {tl::unexpected<Absent>({Absent::Reason::timeout, "whatever"})};
  EXPECT_EQ(look(policy, seen), decision) << "nor is one read";
  seen.unix_millis += 12 * kHour * 1000;
  decision = look(policy, seen);
  EXPECT_EQ(text_of(decision, "CoolingDown"), "no trigger is active; down in 0 s");
}

TEST(Cron, WithoutItsZoneOrScheduleItFails) {
  const std::int64_t noon = kSpring + 9 * kHour;
  auto seen = at(noon, 3);
  seen.zones = {zone("Europe/Berlin", noon), {"Empty/Zone", {}}};
  struct Case {
    const char* why;
    policy::Trigger trigger;
    const char* expected;
  };
  const Case cases[] = {
      {"a zone that nobody knows", cron_trigger("0 9 * * *", "0 17 * * *", "6", "Nowhere/City"),
       "s0-cron-Nowhere-City-09xxx-017xxx: no data (unknown time zone \"Nowhere/City\")"},
      {"one of two", cron_trigger("0 9 * * *", "TZ=Empty/Zone 0 17 * * *"),
       "s0-cron-Europe-Berlin-09xxx-TZ=EmptySlZone017xxx: no data (unknown time zone "
       "\"Empty/Zone\")"},
      {"no schedule", cron_trigger("0 9 * *", "0 17 * * *"),
       "s0-cron-Europe-Berlin-09xx-017xxx: no data (found \"0 9 * *\", expected five fields: "
       "minute, "
       "hour, day of month, month, day of week)"},
      {"no number", cron_trigger("0 9 * * *", "0 17 * * *", ""),
       "s0-cron-Europe-Berlin-09xxx-017xxx: no data (desiredReplicas: expected a whole number)"},
  };
  for (const auto& [why, trigger, expected] : cases) {
    SCOPED_TRACE(why);
    const auto decision = look(by({trigger}), seen);
    EXPECT_TRUE(decision.error);
    EXPECT_EQ(decision.replicas, Replicas{3}) << "held";
    EXPECT_EQ(text_of(decision, "SourceFailed"), expected);
  }
}

TEST(ExternalScaler, SaysItsTargetItself) {
  struct Case {
    const char* why;
    ScalerSeen said;
    MetricType type;
    std::int32_t expected;
    const char* code;
    const char* text;
  };
  const auto average = MetricType::average_value, value = MetricType::value;
  const Case cases[] = {
      {"for each",
       {0, "jobs", 5, {}},
       average,
       4,
       "AverageOfAll",
       "s0-jobs 18 at 5 per replica → 4 replicas"},
      {"for all", {0, "jobs", 9, {}}, value, 4, "Value", "s0-jobs 18 of 9 → 4 replicas"},
      {"without a name",
       {0, "", 5, {}},
       average,
       4,
       "AverageOfAll",
       "s0-external 18 at 5 per replica → 4 replicas"},
      {"no target",
       {0, "jobs", 0, {}},
       average,
       2,
       "SourceFailed",
       "s0-external: no data (the scaler has said no target)"},
      {"of another trigger",
       {1, "jobs", 5, {}},
       average,
       2,
       "SourceFailed",
       "s0-external: no data (the scaler has said no target)"},
      {"it calls itself active",
       {0, "jobs", 5, true},
       average,
       4,
       "TriggerActive",
       "a trigger is active"},
      {"it does not",
       {0, "jobs", 5, false},
       average,
       4,
       "CoolingDown",
       "no trigger is active; down in 0 s"},
  };
  for (const auto& [why, said, type, expected, code, text] : cases) {
    SCOPED_TRACE(why);
    const auto policy = by({{.type = "external",
                             .metadata = {{"scalerAddress", "scaler:9090"}},
                             .metric_type = type}});
    auto seen = at(0, 2);
    const Readiness ready{Truth::yes, Instant{}};
    seen.replicas = {{.id = 1, .started = Instant{}, .ready = ready},
                     {.id = 2, .started = Instant{}, .ready = ready}};
    seen.triggers = {Measured{{18'000}, Instant{}, 0s}};
    seen.scalers = {said};
    const auto decision = look(policy, seen);
    EXPECT_EQ(decision.replicas, Replicas{expected});
    EXPECT_EQ(text_of(decision, code), text);
  }
}

TEST(ExternalScaler, TwoOfThemAndAFormula) {
  auto policy = by({{.type = "external", .name = "a", .metadata = {{"scalerAddress", "a:1"}}},
                    {.type = "external", .name = "b", .metadata = {{"scalerAddress", "b:1"}}},
                    {.type = "redis",
                     .name = "c",
                     .metadata = {{"address", "r:1"}, {"listName", "c"}, {"listLength", "5"}}}});
  auto seen = at(0, 3);
  seen.triggers = {Measured{{8'000}, Instant{}, 0s}, Measured{{12'000}, Instant{}, 0s},
                   Measured{{5'000}, Instant{}, 0s}};
  seen.scalers = {{0, "x", 4, {}}, {1, "y", 3, {}}};
  auto decision = look(policy, seen);
  EXPECT_EQ(decision.replicas, Replicas{4});
  EXPECT_EQ(text_of(decision, "LargestWins"), "s1-y asks for the most → 4 replicas");
  policy.scaling_modifiers = policy::ScalingModifiers{.formula = "a + b + c", .target = "5"};
  decision = look(policy, seen);
  EXPECT_EQ(text_of(decision, "AverageOfAll"), "composite-metric 25 at 5 per replica → 5 replicas");
}

TEST(ExternalScaler, ItsFallbackNeedsATarget) {
  auto policy = by({{.type = "external-push", .metadata = {{"scalerAddress", "scaler:9090"}}}});
  policy.min_replicas = {1};
  policy.fallback = policy::Fallback{0, {6}, policy::Fallback::Behavior::static_};
  auto seen = at(0, 3);
  seen.triggers = {tl::unexpected<Absent>({Absent::Reason::unreachable, "refused"})};
  const auto held = look(policy, seen);
  EXPECT_EQ(held.replicas, Replicas{3}) << "nothing can be made up for a target that is unknown";
  EXPECT_EQ(text_of(held, "SourceFailed"), "s0-external-push: unreachable (refused)");
  seen.scalers = {{0, "jobs", 5, {}}};
  EXPECT_EQ(look(policy, seen).replicas, Replicas{6}) << "said while it could be reached";
}

TEST(Prepared, WhatTheApiServerWouldRefuseScalesNothing) {
  auto policy =
      by({{.type = "prometheus",
           .metadata = {
               {"serverAddress", "http://p:9090"}, {"query", "up"}, {"threshold", "0.0001"}}}});
  auto seen = at(0, 3);
  seen.triggers = {Measured{{18'000}, Instant{}, 0s}};
  const auto decision = look(policy, seen);
  EXPECT_EQ(decision.replicas, Replicas{3});
  EXPECT_EQ(text_of(decision, "SourceFailed"),
            "s0-prometheus: no data (its target is not above 0)");
}

}  // namespace
}  // namespace headroom::decide
