#include "gateway/meter.h"

#include "gateway/failures.h"

namespace headroom::gateway {

void Counters::add_to(Snapshot& sum, Time now) const {
  const auto get = [](const auto& counter) { return counter.load(std::memory_order_relaxed); };
  sum.arrived += get(arrived);
  sum.completed += get(completed);
  sum.rejected += get(rejected);
  sum.retries += get(retries);
  sum.retries_denied += get(retries_denied);
  sum.ejections += get(ejections);
  sum.panics += get(panics);
  for (std::size_t i = 0; i < static_cast<std::size_t>(Failure::kCount); ++i) {
    sum.failed[i] += get(failed[i]);
  }
  for (std::size_t i = 0; i < 6; ++i) sum.codes[i] += get(codes[i]);
  const auto [open, seconds] = in_flight.read(now);
  const auto held = get(waiting);
  const auto tunnelled = get(tunnels);
  sum.waiting += held;
  sum.tunnels += tunnelled;
  sum.outstanding += std::max<std::int64_t>(0, open - held - tunnelled);
  sum.concurrency_seconds += seconds;
  sum.client_connections += get(clients);
  sum.upstream_connections += get(upstreams);
  sum.duration += duration.counts();
  sum.hold += hold.counts();
}

std::uint64_t Snapshot::service_failures() const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < std::size(failed); ++i) {
    const auto reason = static_cast<Failure>(i);
    const bool clients = reason == Failure::client_abort || reason == Failure::client_idle ||
                         reason == Failure::bad_request;
    if (!clients) sum += failed[i];
  }
  return sum;
}

const char* name(Failure failure) {
  const auto word = about(failure).name;
  return word.empty() ? "unknown" : word.data();
}

}  // namespace headroom::gateway
