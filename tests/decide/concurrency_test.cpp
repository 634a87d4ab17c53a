#include "decide/concurrency.h"

#include <cmath>

#include <gmock/gmock.h>

#include "decide/make.h"
#include "decide/steps.h"
#include "decide/waiting.h"

namespace headroom::decide {
namespace {

using namespace make;  // NOLINT
using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;

struct Tick {
  int second;
  double stable, panic;
  std::int32_t ready;
  std::int32_t desired;
};

KpaSettings of_ten() {
  KpaSettings settings;
  settings.target = 10;
  return settings;
}

std::int32_t tick(const KpaSettings& settings, const Tick& at, ConcurrencyMemory& memory) {
  std::vector<Step> steps;
  Chain chain(steps, {0});
  chain.add(Step::Stage::recommend, step::kConcurrency,
            {static_cast<std::int32_t>(std::ceil(at.stable / settings.target))}, "");
  return kpa_answer(settings, {at.stable, at.panic}, at.ready,
                    kStart + std::chrono::seconds(at.second), memory, chain)
      .count;
}

TEST(Kpa, DecidesAsKnatives) {
  struct Case {
    const char* why;
    KpaSettings settings;
    std::int32_t started_with;  // ready replicas: more than one starts in a panic
    std::vector<Tick> ticks;
  };
  const auto with = [](auto change) {
    KpaSettings settings = of_ten();
    change(settings);
    return settings;
  };
  const auto seventy = [](KpaSettings& s) { s.target = 70; };
  const auto slow_up = [](KpaSettings& s) { s.target = 1, s.max_scale_up_rate = 1.1; };
  const auto at_least_5 = [](KpaSettings& s) { s.activation_scale = 5; };
  const auto late_10 = [](KpaSettings& s) { s.scale_down_delay = 10s; };
  const auto late_3 = [](KpaSettings& s) { s.scale_down_delay = 3s; };
  const Case cases[] = {
      {"exactly the target is one, a little more is two",
       with(seventy),
       0,
       {{0, 70, 70, 1, 1}, {2, 70.000001, 70, 1, 2}}},
      {"half a request over is a panic of two for one, held for a window",
       with(seventy),
       0,
       {{0, 20, 70.5, 1, 2}, {2, 20, 60, 2, 2}, {60, 20, 20, 2, 2}, {62, 20, 20, 2, 1}}},
      {"the rate up goes by what is ready",
       with(slow_up),
       0,
       {{0, 3, 3, 2, 3}, {2, 30, 30, 10, 11}}},
      {"down to a half at most", of_ten(), 0, {{0, 5, 5, 9, 4}, {2, 5, 5, 3, 1}, {4, 0, 0, 1, 0}}},
      {"a start with more than one holds them for a window",
       of_ten(),
       8,
       {{0, 10, 10, 8, 8}, {60, 10, 10, 8, 8}, {62, 10, 10, 8, 4}}},
      {"activationScale is a floor under any load, passed on the way to zero",
       with(at_least_5),
       0,
       {{0, 1, 1, 0, 5}, {2, 12, 12, 5, 5}, {4, 0, 0, 5, 2}, {6, 0, 0, 2, 1}}},
      {"scaleDownDelay of five slots",
       with(late_10),
       4,
       {{0, 40, 40, 4, 4},
        {2, 20, 20, 4, 4},
        {4, 20, 20, 4, 4},
        {6, 20, 20, 4, 4},
        {8, 20, 20, 4, 4}}},
      {"scaleDownDelay of 3 s is two slots",
       with(late_3),
       0,
       {{1, 40, 40, 4, 4}, {3, 20, 20, 4, 4}, {5, 20, 20, 4, 2}}},
      {"a peak is held, and what follows it, until calm for a window",
       of_ten(),
       0,
       {{0, 10, 100, 2, 10},
        {2, 120, 60, 10, 12},
        {4, 80, 10, 12, 12},
        {62, 80, 10, 12, 8},
        {64, 20, 10, 12, 6}}},
      {"from zero", of_ten(), 0, {{0, 1, 1, 0, 1}, {2, 25, 50, 0, 5}}},
  };
  for (const auto& [why, settings, started_with, ticks] : cases) {
    SCOPED_TRACE(why);
    ConcurrencyMemory memory;
    if (started_with > 1) {
      memory.panic_since = kStart;
      memory.panic_peak = {started_with};
    }
    for (const auto& at : ticks) {
      SCOPED_TRACE(at.second);
      EXPECT_EQ(tick(settings, at, memory), at.desired);
    }
  }
}

TEST(Kpa, LookingFourTimesAsOftenDoesNotHalveFourTimes) {
  ConcurrencyMemory memory;
  std::int32_t ready = 16;
  std::vector<std::int32_t> answers;
  for (int look = 0; look < 16; ++look) {
    std::vector<Step> steps;
    Chain chain(steps, {0});
    ready = kpa_answer(of_ten(), {0, 0}, ready, kStart + look * 250ms, memory, chain).count;
    answers.push_back(ready);
  }
  EXPECT_THAT(answers, ::testing::ElementsAre(8, 8, 8, 8, 8, 8, 8, 8, 4, 4, 4, 4, 4, 4, 4, 4));
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
  EXPECT_THAT(
      proposal.steps,
      Contains(Field(&Step::text, "concurrency 14.2 over 60 s of 7 per replica → 3 replicas")));
}

TEST(ByLoad, AnAbsentOrImpossibleLoadFailsAndChangesNoMemory) {
  const auto policy = by_concurrency(1, 8);
  ConcurrencyMemory memory;
  auto seen = observation(kStart, 3, 3);
  seen.load = load(14, kStart);
  propose_by_load(*policy.concurrency, seen, {3}, memory);
  const auto before = memory;
  Load not_finite = load(1, kStart), negative = load(1, kStart);
  not_finite.concurrency = std::nan("");
  negative.rate = -1;
  const decltype(seen.load) loads[] = {tl::unexpected<Absent>(Absent{}), not_finite, negative};
  for (const auto& each : loads) {
    seen.load = each;
    const auto proposal = propose_by_load(*policy.concurrency, seen, {3}, memory);
    EXPECT_FALSE(proposal.replicas);
    EXPECT_EQ(proposal.failure, "FailedGetLoad");
    EXPECT_THAT(proposal.message, HasSubstr("the gateway's load"));
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
    return propose_by_load(*policy.concurrency, seen, {2}, memory).steps.front().text;
  };
  look(kStart, 1s, 14);
  EXPECT_EQ(look(kStart + 5s, 5s, 14), "concurrency 14 over 6 s of 7 per replica → 2 replicas");
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
