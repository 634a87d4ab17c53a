#include "control/load_meter.h"

#include <vector>

#include <gtest/gtest.h>

namespace headroom::control {
namespace {

TEST(LoadMeter, AveragesTheLastSecond) {
  struct Case {
    const char* why;
    std::vector<LoadSample> samples;
    double concurrency, rate;
    Millis over;
  };
  const Instant t{10s};
  const Case cases[] = {
      {"one sample says only what is so now", {{t, 5, 1.0, 2, 3}}, 5, 0, 1ms},
      {"counters' difference over the time between",
       {{t, 0, 0, 0, 1}, {t + 500ms, 100, 5, 0, 10}},
       10,
       200,
       500ms},
      {"what is older than a second has left",
       {{t, 0, 0, 0, 1},
        {t + 500ms, 1000, 50, 0, 1},
        {t + 1000ms, 1000, 50.5, 0, 1},
        {t + 1500ms, 1010, 51, 0, 1}},
       1,
       10,
       1000ms},
      {"busy over a gap: the average over it",
       {{t, 0, 0, 0, 4}, {t + 4s, 400, 16, 0, 4}},
       4,
       100,
       4000ms},
      {"idle before a gap: what came, came now",
       {{t, 0, 0, 0, 0}, {t + 30s, 8, 0.5, 8, 0}},
       0.5,
       8,
       1000ms},
      {"idle, a gap, a burst: still so with the next sample",
       {{t, 0, 0, 0, 0}, {t + 30s, 1, 0, 1, 0}, {t + 30s + 100ms, 40, 2, 40, 0}},
       2,
       40,
       1000ms},
      {"two samples at one time divide by nothing", {{t, 0, 0, 0, 1}, {t, 10, 1, 0, 7}}, 7, 0, 1ms},
  };
  for (const auto& [why, samples, concurrency, rate, over] : cases) {
    SCOPED_TRACE(why);
    LoadMeter meter;
    decide::Load load;
    for (const auto& sample : samples) load = meter.add(sample);
    EXPECT_NEAR(load.concurrency, concurrency, 1e-9);
    EXPECT_NEAR(load.rate, rate, 1e-9);
    EXPECT_EQ(load.over, over);
    EXPECT_EQ(load.waiting, samples.back().waiting);
    EXPECT_EQ(load.running, samples.back().running);
  }
}

TEST(LoadMeter, KnowsWhenSomethingLastHappened) {
  LoadMeter meter;
  const Instant t{10s};
  EXPECT_EQ(meter.add({t, 0, 0, 0, 0}).last_active, Instant{}) << "nothing yet";
  EXPECT_EQ(meter.add({t + 1s, 0, 0, 1, 0}).last_active, t + 1s) << "something waits";
  EXPECT_EQ(meter.add({t + 2s, 1, 0, 0, 1}).last_active, t + 2s) << "something runs";
  EXPECT_EQ(meter.add({t + 3s, 2, 0, 0, 0}).last_active, t + 3s) << "came and went in between";
  EXPECT_EQ(meter.add({t + 4s, 2, 0, 0, 0}).last_active, t + 3s) << "quiet since";
}

TEST(LoadMeter, IsExactUnderManySamples) {
  // 7 requests at once, 70 arrivals a second, looked at every 3 ms.
  LoadMeter meter;
  decide::Load load;
  for (int i = 0; i <= 2000; ++i) {
    const double seconds = i * 0.003;
    load = meter.add(
        {Instant{Millis{i * 3}}, static_cast<std::uint64_t>(seconds * 70), seconds * 7, 0, 7});
  }
  EXPECT_NEAR(load.concurrency, 7, 1e-6);
  EXPECT_NEAR(load.rate, 70, 1.0);
  EXPECT_GE(load.over, 1s);
  EXPECT_LE(load.over, 1100ms);
}

}  // namespace
}  // namespace headroom::control
