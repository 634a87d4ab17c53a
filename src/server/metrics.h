#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "control/status.h"

namespace headroom::server {

enum class Format { text, open_metrics };  // Prometheus' 0.0.4, OpenMetrics 1.0
/// By what `Accept` asks for: OpenMetrics where that is named, in no other version, and weighs no
/// less than text; else text.
Format format_of(std::string_view accept);
std::string_view content_type(Format format);

using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

/// Upper bounds of the histograms' buckets. What the gateway counts more finely is added up; a
/// bucket of its own that a bound cuts (of a width of 6 %) counts as above it.
struct Bound {
  std::uint64_t micros;
  std::string_view seconds;
};
inline constexpr Bound kBounds[] = {
    {1'000, "0.001"},     {2'500, "0.0025"},    {5'000, "0.005"},    {10'000, "0.01"},
    {25'000, "0.025"},    {50'000, "0.05"},     {100'000, "0.1"},    {250'000, "0.25"},
    {500'000, "0.5"},     {1'000'000, "1.0"},   {2'500'000, "2.5"},  {5'000'000, "5.0"},
    {10'000'000, "10.0"}, {30'000'000, "30.0"}, {60'000'000, "60.0"}};
struct Distribution {
  std::array<std::uint64_t, std::size(kBounds) + 1> counts{};  // from bound to bound, and above all
  double sum = 0;                                              // seconds, within 4 %
};

/// What takes metrics: a family begins, and its samples follow.
class MetricSink {
 public:
  virtual ~MetricSink() = default;
  /// Comes before all families: when the counters began that have the label of this autoscaler.
  /// The others began with the process.
  virtual void begun(std::string_view /*autoscaler*/, std::int64_t /*unix_ms*/) {}
  /// `type` is gauge, counter (its name without "_total"), info (one sample, 1) or histogram.
  virtual void family(std::string_view name, std::string_view type, std::string_view help) = 0;
  template <class Value>
  void add(Labels labels, Value value) {
    if constexpr (std::is_floating_point_v<Value>) {
      real(labels, value);
    } else {
      whole(labels, static_cast<std::int64_t>(value));
    }
  }
  virtual void histogram(std::string_view autoscaler, const Distribution& distribution) = 0;

 protected:
  virtual void whole(Labels labels, std::int64_t value) = 0;
  virtual void real(Labels labels, double value) = 0;
};

/// Everything there is to measure. Labels are names of autoscalers and words of our own, never
/// what a request brought.
void measure(const control::Board& board, std::string_view version, MetricSink& sink);
/// The same as a page; `more` adds to it.
std::string metrics(const control::Board& board, std::string_view version, Format format,
                    const std::function<void(MetricSink&)>& more = nullptr);

}  // namespace headroom::server
