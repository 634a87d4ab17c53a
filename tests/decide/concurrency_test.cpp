#include "decide/concurrency.h"

#include <cmath>

#include <gmock/gmock.h>

#include "decide/explain.h"
#include "decide/make.h"
#include "decide/steps.h"
#include "decide/waiting.h"
#include "policy/knative.h"

namespace headroom::decide {
namespace {

using namespace make;  // NOLINT
using ::testing::Contains;
using ::testing::HasSubstr;

std::vector<std::string> in_words(const policy::Autoscaler& policy, const Observation& seen,
                                  std::vector<Step> steps) {
  Decision decision;
  decision.steps = std::move(steps);
  put_into_words(policy, seen, decision);
  std::vector<std::string> texts;
  for (const Step& step : decision.steps) texts.push_back(step.text);
  return texts;
}

TEST(ByLoad, LookingFourTimesAsOftenDoesNotHalveFourTimes) {
  const auto policy = by_concurrency(1, 20);
  ConcurrencyMemory memory;
  std::int32_t ready = 16;
  std::vector<std::int32_t> answers;
  for (int look = 0; look < 16; ++look) {
    const Instant now = kStart + look * 250ms;
    auto seen = observation(now, ready, ready);
    seen.load = load(0, now);
    // Nothing remembered would hold what is asked for; here something is.
    const Replicas asked{look == 0 ? 1 : ready};
    ready = propose_by_load(*policy.concurrency, seen, asked, memory).replicas->count;
    answers.push_back(ready);
  }
  EXPECT_THAT(answers, ::testing::ElementsAre(8, 8, 8, 8, 8, 8, 8, 8, 4, 4, 4, 4, 4, 4, 4, 4));
}

TEST(ByLoad, SaysOfWhatIsReadyHowFarItFallsAtMost) {
  const auto policy = by_concurrency(0, 20);
  struct Case {
    std::int32_t ready, ready_later;
    const char* expected;
  };
  const Case cases[] = {
      {3, 3, "falls in 2 s to no less than 3 ready / 2, rounded down → 1 replica"},
      {10, 10, "falls in 2 s to no less than 10 ready / 2, rounded down → 5 replicas"},
      {11, 6, "falls in 2 s to no less than 11 ready / 2, rounded down → 5 replicas"},
  };
  for (const auto& [ready, ready_later, expected] : cases) {
    ConcurrencyMemory memory;
    std::vector<std::string> said;
    for (const bool later : {false, true}) {
      const Instant now = kStart + (later ? 250ms : 0ms);
      auto seen = observation(now, 1, later ? ready_later : ready);
      seen.load = load(0, now);
      said = in_words(policy, seen, propose_by_load(*policy.concurrency, seen, {1}, memory).steps);
    }
    EXPECT_THAT(said, Contains(expected));
  }
}

TEST(ByLoad, KeepsRoomForABurst) {
  auto policy = by_concurrency(0, 20);
  policy.concurrency->target_burst_capacity = 25;
  ConcurrencyMemory memory;
  const auto look = [&](double concurrency) {
    auto seen = observation(kStart, 1, 1);
    seen.load = load(concurrency, kStart);
    return propose_by_load(*policy.concurrency, seen, {1}, memory);
  };
  auto proposal = look(4);
  EXPECT_EQ(*proposal.replicas, Replicas{3}) << "4 + 25 of 10 each";
  EXPECT_EQ(proposal.steps.back().code, step::kTargetBurstCapacity);
  EXPECT_EQ(in_words(policy, {}, proposal.steps).back(),
            "room for 25 more at once of 10 per replica → 3 replicas");
  EXPECT_EQ(*look(5.1).replicas, Replicas{4});
  policy.concurrency->target_burst_capacity = 0;
  EXPECT_EQ(*look(4).replicas, Replicas{1}) << "off";
}

TEST(Settings, TargetPerReplica) {
  struct Case {
    const char* why;
    bool rps;
    std::optional<double> target;
    std::int32_t container_concurrency;
    double percent, expected;
  };
  const Case cases[] = {
      {"the default of a hundred at 70%", false, {}, 0, 70, 70},
      {"the hard limit is the total", false, {}, 10, 70, 7},
      {"an explicit target of 10 aims at 7", false, 10.0, 0, 70, 7},
      {"a target is not above the hard limit", false, 50.0, 10, 100, 10},
      {"a rate's default", true, {}, 10, 70, 140},
      {"the hard limit plays no part in a rate", true, 50.0, 10, 100, 50},
      {"never nothing", false, 0.01, 0, 1, 0.01},
  };
  for (const auto& [why, rps, target, hard, percent, expected] : cases) {
    SCOPED_TRACE(why);
    policy::Concurrency policy;
    if (rps) policy.metric = policy::Concurrency::Metric::rps;
    policy.target = target;
    policy.container_concurrency = hard;
    policy.target_utilization_percentage = percent;
    EXPECT_DOUBLE_EQ(settings_of(policy).target, expected);
  }
}

TEST(Settings, PanicWindowIsWholeSecondsAndAtLeastOne) {
  struct Case {
    Millis window, panic;
  };
  for (const auto& [window, panic] :
       {Case{60s, 6s}, Case{25s, 3s}, Case{24s, 2s}, Case{15s, 2s}, Case{6s, 1s}}) {
    policy::Concurrency policy;
    policy.window = window;
    EXPECT_EQ(settings_of(policy).panic_window, panic);
  }
}

TEST(Waiting, NeedsWhatIsOpenNow) {
  struct Case {
    const char* why;
    policy::Concurrency::Metric metric;
    std::int32_t hard;
    std::int64_t waiting, running;
    std::optional<Replicas> expected;
  };
  using enum policy::Concurrency::Metric;
  const Case cases[] = {
      {"nothing waits, whatever runs", concurrency, 10, 0, 50, std::nullopt},
      {"what runs counts, too", concurrency, 10, 1, 7, Replicas{2}},
      {"a burst", concurrency, 10, 40, 2, Replicas{6}},
      {"a rate says nothing of open requests", rps, 0, 40, 2, std::nullopt},
      {"but a hard limit does", rps, 10, 40, 2, Replicas{6}},
  };
  for (const auto& [why, metric, hard, waiting, running, expected] : cases) {
    SCOPED_TRACE(why);
    policy::Concurrency policy;
    policy.metric = metric;
    policy.container_concurrency = hard;
    Load load;
    load.waiting = waiting;
    load.running = running;
    EXPECT_EQ(needed_for_waiting(policy, load), expected);
  }
}

TEST(ByLoad, WordsAndNumbers) {
  const auto policy = by_concurrency(1, 8);
  ConcurrencyMemory memory;
  Instant now = kStart;
  Proposal proposal;
  for (int second = 0; second < 60; ++second, now += 1s) {
    auto seen = observation(now, 3, 3);
    seen.load = load(14.2, now);
    proposal = propose_by_load(*policy.concurrency, seen, {3}, memory);
  }
  EXPECT_THAT(in_words(policy, {}, proposal.steps),
              Contains("concurrency 14.2 over 60 s of 7 per replica (70% of 10) → 3 replicas"));
}

TEST(ByLoad, SaysThatAStartIsHeldAndNotAPeak) {
  const auto policy = by_concurrency(0, 8);
  ConcurrencyMemory memory;
  const auto look = [&](Millis later, double concurrency, std::int32_t current) {
    const Instant now = kStart + later;
    auto seen = observation(now, current, current);
    seen.load = load(concurrency, now);
    return in_words(policy, seen,
                    propose_by_load(*policy.concurrency, seen, {current}, memory).steps);
  };
  const auto held = [](const std::string& left) {
    return "the load was unknown at the start: what was asked for is held for another " + left +
           " → 2 replicas";
  };
  EXPECT_THAT(look(0s, 0, 2), Contains(held("60 s")));
  EXPECT_THAT(look(10s, 0, 2), Contains(held("50 s")));
  // Above what was held: from then on there is a peak.
  EXPECT_THAT(look(12s, 1000, 2), Contains(HasSubstr("panic: ")));
  look(13s, 0, 2);
  EXPECT_THAT(look(18s, 0, 2), Contains(HasSubstr("the panic's peak is held for another 55 s")));
  EXPECT_THAT(look(200s, 0, 0), ::testing::Not(Contains(HasSubstr("held"))));
}

TEST(ByLoad, APeakIsHeldFromWhenTheLoadWasLastOverTheThreshold) {
  const auto policy = by_concurrency(0, 2);
  struct Case {
    const char* why;
    int second;
    const char* expected;
  };
  const Case cases[] = {
      {"the burst is less, but asks for more than twice the two that a maximum leaves", 5,
       "still over the panic threshold: the peak is held until 60 s after that → 14 replicas"},
      {"it has gone, but not yet from the panic window", 7,
       "still over the panic threshold: the peak is held until 60 s after that → 14 replicas"},
      {"18 s after that", 25, "the panic's peak is held for another 42 s → 14 replicas"},
      {"59 s after that", 66, "the panic's peak is held for another 1 s → 14 replicas"},
  };
  ConcurrencyMemory memory;
  std::vector<std::vector<std::string>> said;
  for (int second = 0; second < 70; ++second) {
    const Instant now = kStart + second * 1s;
    auto seen = observation(now, 1, 2);
    seen.load = load(second == 0 ? 98 : second <= 5 ? 40 : 0, now);
    said.push_back(
        in_words(policy, seen, propose_by_load(*policy.concurrency, seen, {1}, memory).steps));
  }
  for (const auto& [why, second, expected] : cases) {
    EXPECT_THAT(said[static_cast<std::size_t>(second)], Contains(expected)) << why;
  }
  EXPECT_THAT(said.back(), ::testing::Not(Contains(HasSubstr("panic")))) << "then it is over";
}

TEST(ByLoad, WhatWaitsIsHeldAgainstTheLimitWhereTheTargetIsARate) {
  auto policy = by_concurrency(0, 8);
  policy.concurrency->metric = policy::Concurrency::Metric::rps;
  ConcurrencyMemory memory;
  auto seen = observation(kStart, 1, 1);
  seen.load = load(1, kStart);
  seen.load->waiting = 20;
  const auto proposal = propose_by_load(*policy.concurrency, seen, {1}, memory);
  EXPECT_EQ(in_words(policy, seen, proposal.steps).back(),
            "20 waiting and 1 running now of 7 per replica (70% of 10) → 3 replicas");
}

TEST(ByLoad, AnAbsentOrImpossibleLoadFailsAndChangesNoMemory) {
  const auto policy = by_concurrency(1, 8);
  ConcurrencyMemory memory;
  auto seen = observation(kStart, 3, 3);
  seen.load = load(14, kStart);
  propose_by_load(*policy.concurrency, seen, {3}, memory);
  const auto before = memory;
  std::vector<decltype(seen.load)> loads = {tl::unexpected<Absent>(Absent{})};
  for (const double bad : {std::nan(""), -1.0}) {
    loads.emplace_back(load(1, kStart))->concurrency = bad;
    loads.emplace_back(load(1, kStart))->rate = bad;
  }
  loads.emplace_back(load(1, kStart))->waiting = -1;
  loads.emplace_back(load(1, kStart))->running = -1;
  for (const auto& each : loads) {
    seen.load = each;
    const auto proposal = propose_by_load(*policy.concurrency, seen, {3}, memory);
    EXPECT_FALSE(proposal.replicas);
    EXPECT_EQ(proposal.failure, "FailedGetLoad");
    EXPECT_THAT(in_words(policy, seen, proposal.steps).back(), HasSubstr("the gateway's load: "));
    EXPECT_EQ(memory, before);
  }
}

TEST(ByLoad, ALateLookFillsTheSecondsItCovers) {
  const auto policy = by_concurrency(1, 8);
  ConcurrencyMemory memory;
  const auto look = [&](Instant now, Millis over, double concurrency) {
    auto seen = observation(now, 2, 2);
    seen.load = load(concurrency, now);
    seen.load->over = over;
    const auto proposal = propose_by_load(*policy.concurrency, seen, {2}, memory);
    return in_words(policy, seen, proposal.steps).front();
  };
  look(kStart, 1s, 14);
  EXPECT_EQ(look(kStart + 5s, 5s, 14),
            "concurrency 14 over 6 s of 7 per replica (70% of 10) → 2 replicas");
}

TEST(ByLoad, SecondsThatNobodyMeasuredAreNotZeros) {
  const auto policy = by_concurrency(1, 8, 10s);
  ConcurrencyMemory memory;
  Instant now = kStart;
  const auto look = [&](Millis over) {
    auto seen = observation(now, 6, 6);
    seen.load = load(42, now);
    seen.load->over = over;
    return *propose_by_load(*policy.concurrency, seen, {6}, memory).replicas;
  };
  for (; now < kStart + 80s; now += 1s) look(1s);
  now += 7s;
  EXPECT_EQ(look(1ms), Replicas{6}) << "Headroom was down for eight of ten seconds";
}

}  // namespace
}  // namespace headroom::decide
