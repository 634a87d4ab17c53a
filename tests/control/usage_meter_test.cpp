#include "control/usage_meter.h"

#include <optional>
#include <vector>

#include <gtest/gtest.h>

namespace headroom::control {
namespace {

using Reason = decide::Absent::Reason;

struct Sample {
  Millis at;
  std::chrono::microseconds cpu;
};

TEST(UsageMeter, CpuIsTheAverageOfTheLastSeconds) {
  struct Case {
    const char* why;
    std::vector<Sample> samples;
    Millis now;
    std::optional<std::int64_t> millicores;
    Reason reason;
  };
  const Case cases[] = {
      {"nothing read", {}, 1s, {}, Reason::no_data},
      {"read once: no difference yet", {{1s, 5s}}, 1s, {}, Reason::no_data},
      {"half a core", {{1s, 0s}, {3s, 1s}}, 3s, 500, {}},
      {"four cores", {{1s, 10s}, {2s, 14s}}, 2s, 4000, {}},
      {"a sample too close to the last is left out",
       {{1s, 0s}, {1500ms, 9s}},
       2s,
       {},
       Reason::no_data},
      {"what is older than the window has left",
       {{0s, 0s}, {1s, 100s}, {6s, 100s}, {11s, 105s}},
       11s,
       500,
       {}},
      {"less than before: another process, so no difference",
       {{1s, 8s}, {2s, 9s}, {3s, 1s}},
       3s,
       {},
       Reason::no_data},
      {"the other process, read twice", {{1s, 8s}, {2s, 1s}, {3s, 2s}}, 3s, 1000, {}},
      {"not read for long", {{1s, 0s}, {2s, 1s}}, 18s, {}, Reason::stale},
  };
  for (const auto& [why, samples, now, millicores, reason] : cases) {
    SCOPED_TRACE(why);
    UsageMeter meter;
    for (const auto& [at, cpu] : samples) meter.add(Instant{at}, cpu, 1);
    const auto reading = meter.cpu(Instant{now});
    ASSERT_EQ(reading.has_value(), millicores.has_value());
    if (millicores) {
      EXPECT_EQ(reading->value, Quantity{*millicores});
    } else {
      EXPECT_EQ(reading.error().reason, reason);
    }
  }
}

TEST(UsageMeter, MemoryIsTheNewestSample) {
  UsageMeter meter;
  EXPECT_FALSE(meter.memory(Instant{1s}).has_value());
  meter.add(Instant{1s}, 0us, 100);
  meter.add(Instant{2s}, 0us, 70);
  EXPECT_EQ(meter.memory(Instant{2s})->value, Quantity{70'000});
  EXPECT_EQ(meter.memory(Instant{2s})->at, Instant{2s});
  EXPECT_EQ(meter.memory(Instant{60s}).error().reason, Reason::stale);
}

TEST(UsageMeter, IsDueOnceASecond) {
  UsageMeter meter;
  EXPECT_TRUE(meter.due(Instant{5s}));
  meter.add(Instant{5s}, 0us, 0);
  EXPECT_FALSE(meter.due(Instant{5999ms}));
  EXPECT_TRUE(meter.due(Instant{6s}));
}

}  // namespace
}  // namespace headroom::control
