#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"
#include "decide/memory.h"

/// Averages over the last n seconds in buckets of one second, as Knative's TimedFloat64Buckets.
/// There samples of one second are added; here one can also take the place of what was before,
/// because control samples the load of the trailing second several times in each.
namespace headroom::decide {

inline constexpr std::int64_t kMostBuckets = 3600;

/// The second that `at` lies in; a whole number also before the epoch.
std::int64_t second_of(Instant at);

/// Makes the window `seconds` (1..3600) long. The newest buckets stay; a part that was not yet
/// filled counts as zeros from then on. A window that has run out at `now` is emptied.
void resize(Window& window, std::int64_t seconds, std::int64_t now);

/// Sets the bucket of `second`. Dropped: a second that has left the window. Seconds between the
/// newest one and a later `second` become zeros; after a gap of a whole window all starts anew.
void record(Window& window, std::int64_t second, double value);

/// The same, but adds to what stands in the bucket: upstream's way, where each source has its own
/// sample of a second.
void add(Window& window, std::int64_t second, double value);

/// What stands in the bucket of `second`; nullopt outside the window.
std::optional<double> value_at(const Window& window, std::int64_t second);

/// Nothing ever, or the newest is more than a window old.
bool empty(const Window& window, std::int64_t now);

/// How many seconds the linear average at `now` is over; 0 where the window has run out.
std::int64_t covered(const Window& window, std::int64_t now);

/// Over what is covered, rounded to 6 decimals: a window not yet filled averages what there is,
/// and silence is no zero: without new samples the old ones only leave. 0 where run out.
double linear_average(const Window& window, std::int64_t now);

/// Each second back weighs (1 − k) times the one after it, k = max(0.2, 1 − 0.0001^(1/n)); neither
/// normalised nor rounded. Silence decays.
double weighted_average(const Window& window, std::int64_t now);

double average(const Window& window, bool weighted, std::int64_t now);

}  // namespace headroom::decide
