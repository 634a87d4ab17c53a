#include "load/schedule.h"

#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "base/time.h"

namespace headroom::bench {

Result<Schedule> Schedule::parse(std::string_view text) {
  Schedule schedule;
  while (!text.empty()) {
    const std::string_view item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(item.size() + 1, text.size()));
    const auto colon = item.find(':');
    const auto bad = [&] {
      return fail({Code::invalid, fmt::format("schedule: found \"{}\", expected TIME:RATE as in "
                                              "0s:0,5s:2000,10s:2000,12s:0",
                                              item)});
    };
    if (colon == item.npos) return bad();
    const auto at = parse_duration(item.substr(0, colon));
    double rate = 0;
    const char* last = item.data() + item.size();
    const auto [end, error] = std::from_chars(item.data() + colon + 1, last, rate);
    if (!at || error != std::errc{} || end != last || !(rate >= 0) || rate > 1e7) return bad();
    const double seconds = static_cast<double>(at->count()) / 1000;
    if (!schedule.points_.empty() && seconds < schedule.points_.back().at) {
      return fail(
          {Code::invalid, fmt::format("schedule: {} lies before the point before it", item)});
    }
    if (schedule.points_.empty() && seconds > 0) schedule.points_.push_back({0, 0});
    schedule.points_.push_back({seconds, rate});
  }
  if (schedule.points_.size() < 2) {
    return fail({Code::invalid, "schedule: at least two points are needed, as in 0s:100,10s:100"});
  }
  return schedule;
}

Schedule Schedule::steady(double rate, double seconds) {
  Schedule schedule;
  schedule.points_ = {{0, rate}, {seconds, rate}};
  return schedule;
}

std::optional<std::int64_t> Schedule::next() {
  for (; segment_ + 1 < points_.size(); ++segment_) {
    const auto& [from, rate] = points_[segment_];
    const auto& [to, last_rate] = points_[segment_ + 1];
    const double length = to - from;
    const double due = (rate + last_rate) / 2 * length;
    const double need = count_ + 1 - before_;  // the first is due once a whole one is
    if (need > due) {
      before_ += due;
      continue;
    }
    // need = rate t + slope t^2 / 2, solved in the form that does not cancel.
    const double slope = (last_rate - rate) / length;
    const double root = std::sqrt(std::max(rate * rate + 2 * slope * need, 0.0));
    const double time = std::min(2 * need / (rate + root), length);
    count_ += 1;
    return static_cast<std::int64_t>((from + time) * 1e9);
  }
  return {};
}

double Schedule::rate(double seconds) const {
  for (std::size_t i = 0; i + 1 < points_.size(); ++i) {
    const auto& [from, rate] = points_[i];
    const auto& [to, last_rate] = points_[i + 1];
    if (seconds < to) return rate + (last_rate - rate) * (seconds - from) / (to - from);
  }
  return points_.back().rate;
}

}  // namespace headroom::bench
