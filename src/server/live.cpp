#include "server/live.h"

#include <algorithm>

namespace headroom::server {
namespace {

constexpr std::size_t kLooks = 11;  // ten seconds lie between the first and the last

using Counts = Histogram::Counts;

/// Counters go back where the service was removed and came again.
bool goes_on(const Counts& before, const Counts& after) {
  return std::ranges::equal(before.bucket, after.bucket, std::ranges::less_equal());
}

double millis(std::chrono::microseconds duration) {
  return static_cast<double>(duration.count()) / 1e3;
}

}  // namespace

void Live::look() {
  std::map<std::string, Past> kept;
  for (auto& status : board_.all()) {
    if (!status->traffic) continue;
    auto past = std::move(past_[status->name]);
    if (!past.empty() && !goes_on(past.back()->traffic->duration, status->traffic->duration)) {
      past.clear();
    }
    if (past.size() == kLooks) past.pop_front();
    const auto& name = status->name;
    past.push_back(std::move(status));
    kept.emplace(name, std::move(past));
  }
  past_ = std::move(kept);
}

Seen Live::seen(std::shared_ptr<const control::Status> status) const {
  Seen seen{std::move(status), std::nullopt};
  const auto past = past_.find(seen.status->name);
  if (past == past_.end() || !seen.status->traffic) return seen;
  const auto& before = past->second.front()->traffic->duration;
  auto counts = seen.status->traffic->duration;
  if (!goes_on(before, counts)) return seen;
  counts -= before;
  if (counts.total() > 0) {
    seen.latency = Latency{millis(counts.quantile(0.5)), millis(counts.quantile(0.95)),
                           millis(counts.quantile(0.99))};
  }
  return seen;
}

std::vector<Seen> Live::all() const {
  std::vector<Seen> all;
  for (auto& status : board_.all()) all.push_back(seen(std::move(status)));
  return all;
}

std::optional<Seen> Live::find(const std::string& name) const {
  auto status = board_.find(name);
  if (!status) return std::nullopt;
  return seen(std::move(status));
}

}  // namespace headroom::server
