#include "base/histogram.h"

#include <gtest/gtest.h>

namespace headroom {
namespace {

using std::chrono::microseconds;

TEST(Histogram, BucketsCoverAnHourWithinASixteenth) {
  for (std::uint64_t value = 1; value < 3'600'000'000ULL; value += 1 + value / 37) {
    const auto bound = Histogram::upper_bound(Histogram::index(value));
    ASSERT_GE(bound, value);
    ASSERT_LE(static_cast<double>(bound - value), static_cast<double>(value) * 0.0625);
  }
}

TEST(Histogram, QuantilesAreUpperBoundsOfTheRankedValue) {
  Histogram histogram;
  EXPECT_EQ(histogram.counts().quantile(0.5), microseconds{0});
  for (int i = 1; i <= 10; ++i) histogram.record(microseconds{i});
  EXPECT_EQ(histogram.counts().quantile(0), microseconds{1});
  EXPECT_EQ(histogram.counts().quantile(0.5), microseconds{5});
  EXPECT_EQ(histogram.counts().quantile(1), microseconds{10});
}

TEST(Histogram, ReadersSubtractToSeeAnInterval) {
  Histogram histogram;
  histogram.record(microseconds{1});
  const auto before = histogram.counts();
  histogram.record(microseconds{9});
  auto since = histogram.counts();
  since -= before;
  EXPECT_EQ(since.total(), 1U);
  EXPECT_EQ(since.quantile(0.5), microseconds{9});
}

TEST(Histogram, NothingFallsOutside) {
  Histogram histogram;
  histogram.record(microseconds{-5});
  histogram.record(std::chrono::hours{100});
  EXPECT_EQ(histogram.counts().total(), 2U);
}

}  // namespace
}  // namespace headroom
