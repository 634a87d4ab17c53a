#include "control/step_meter.h"

#include <gtest/gtest.h>

namespace headroom::control {
namespace {

constexpr std::int64_t kBegin = 1'700'000'000'000;  // a step's begin

Look look(std::int64_t after, std::int32_t ready = 1) {
  return {.unix_ms = kBegin + after, .wanted = 2, .ready = ready};
}

TEST(StepMeter, AStepIsTheMostOrTheAverageOfItsLooks) {
  StepMeter meter;
  auto one = look(0, 3);
  one.concurrency = 4;
  one.waiting = 7;
  one.failed = 100;
  auto two = look(2500, 1);
  two.concurrency = 8;
  two.failed = 102;
  EXPECT_TRUE(meter.add(one).empty());
  EXPECT_TRUE(meter.add(two).empty());
  const auto ended = meter.add(look(5001));
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(
      ended[0],
      (journal::Sample{
          .unix_ms = kBegin, .wanted = 2, .ready = 3, .waiting = 7, .failed = 2, .concurrency = 6}))
      << "what failed before the first look is of no step; an unknown number stays unknown";
}

TEST(StepMeter, AStepHasWhatItsNewestLookAimedAt) {
  StepMeter meter;
  const auto aiming = [](std::int64_t after, double target, std::uint64_t judged) {
    auto seen = look(after);
    seen.target = target;
    seen.by_rate = target > 100;
    seen.objective_ms = 10 * target;
    seen.objective_percentile = 99;
    seen.judged = judged;
    seen.within = judged / 2;
    return seen;
  };
  meter.add(aiming(0, 7, 100));
  meter.add(aiming(2500, 8, 160));
  const auto ended = meter.add(aiming(12'000, 150, 200));
  ASSERT_EQ(ended.size(), 2u);
  EXPECT_EQ(ended[0], (journal::Sample{.unix_ms = kBegin,
                                       .wanted = 2,
                                       .ready = 1,
                                       .target = 8,
                                       .objective_ms = 80,
                                       .objective_percentile = 99,
                                       .judged = 60,
                                       .within = 30}));
  EXPECT_EQ(ended[1].target, 8) << "asleep: as the last look had it";
  EXPECT_EQ(ended[1].judged, 0);
  const auto next = meter.add(look(15'000));
  EXPECT_EQ(next[0].target, 150);
  EXPECT_TRUE(next[0].by_rate);
  EXPECT_EQ(next[0].judged, 40) << "those since the look before the gap";
}

TEST(StepMeter, AStepThatAnEarlierLifeBeganIsOfBoth) {
  journal::Sample earlier{.unix_ms = kBegin, .wanted = 5, .ready = 4, .waiting = 9, .failed = 7};
  earlier.judged = 100;
  earlier.within = 90;
  earlier.p99_ms = 3;
  StepMeter meter;
  meter.resume(earlier);
  EXPECT_EQ(meter.so_far(), std::nullopt);
  meter.add(look(2500));
  auto later = look(4000);
  later.failed = 1;
  later.judged = 10;
  later.within = 10;
  meter.add(later);
  auto both = earlier;
  both.failed = 8;
  both.judged = 110;
  both.within = 100;
  EXPECT_EQ(meter.so_far(), both);
  const auto ended = meter.add(look(11'000));
  ASSERT_EQ(ended.size(), 2u);
  EXPECT_EQ(ended[0], both);
  EXPECT_EQ(ended[1].failed, 0) << "of another step it is no part";
}

TEST(StepMeter, TimesBetweenLooks) {
  struct Case {
    const char* why;
    std::int64_t next;
    std::vector<std::int64_t> samples;
  };
  const Case cases[] = {
      {"the next step", 5000, {0}},
      {"asleep: nothing changed between", 17'000, {0, 5000, 10'000}},
      {"the longest sleep",
       60'000,
       {0, 5000, 10'000, 15'000, 20'000, 25'000, 30'000, 35'000, 40'000, 45'000, 50'000, 55'000}},
      {"a machine that was suspended", 65'000, {0}},
      {"the wall clock was set back", -600'000, {0}},
  };
  for (const auto& [why, next, times] : cases) {
    SCOPED_TRACE(why);
    StepMeter meter;
    meter.add(look(0));
    std::vector<std::int64_t> found;
    for (const auto& sample : meter.add(look(next))) found.push_back(sample.unix_ms - kBegin);
    EXPECT_EQ(found, times);
  }
}

TEST(StepMeter, LatencyIsOfThisStepAndTheOneBefore) {
  StepMeter meter;
  Histogram all;
  const auto after = [&](std::int64_t time, std::chrono::microseconds each) {
    for (int i = 0; i < 100; ++i) all.record(each);
    auto seen = look(time);
    seen.duration = all.counts();
    return meter.add(seen);
  };
  after(0, 900ms);
  EXPECT_FALSE(meter.latency()) << "before the first look";
  after(1000, 1ms);
  ASSERT_TRUE(meter.latency());
  EXPECT_NEAR(meter.latency()->p99_ms, 1, 0.1);
  const auto first = after(6000, 10ms);
  ASSERT_EQ(first.size(), 1u);
  ASSERT_TRUE(first[0].p99_ms);
  EXPECT_NEAR(*first[0].p99_ms, 1, 0.1);
  EXPECT_NEAR(meter.latency()->p99_ms, 10, 1);
  EXPECT_NEAR(meter.latency()->p50_ms, 1, 0.1) << "both steps";
  after(11'000, 20ms);
  EXPECT_NEAR(meter.latency()->p50_ms, 10, 1) << "the first has left";
  EXPECT_EQ(meter.latency_at(0.5), meter.latency()->p50_ms);
  EXPECT_NEAR(*meter.latency_at(0.999), 20, 2);
  const auto idle = meter.add([&] {
    auto seen = look(16'000);
    seen.duration = all.counts();
    return seen;
  }());
  EXPECT_TRUE(idle[0].p50_ms);
  auto later = look(26'000);
  later.duration = all.counts();
  EXPECT_FALSE(meter.add(later).back().p50_ms) << "nothing was answered";
  EXPECT_FALSE(meter.latency());
  EXPECT_FALSE(meter.latency_at(0.5));
}

}  // namespace
}  // namespace headroom::control
