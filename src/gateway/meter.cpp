#include "gateway/meter.h"

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

const char* name(Failure failure) {
  switch (failure) {
    case Failure::refused:
      return "refused";
    case Failure::connect_timeout:
      return "connect_timeout";
    case Failure::reset_before_head:
      return "reset_before_head";
    case Failure::reset_in_body:
      return "reset_in_body";
    case Failure::bad_response:
      return "bad_response";
    case Failure::head_timeout:
      return "head_timeout";
    case Failure::idle_timeout:
      return "idle_timeout";
    case Failure::client_abort:
      return "client_abort";
    case Failure::hold_full:
      return "hold_full";
    case Failure::hold_timeout:
      return "hold_timeout";
    case Failure::drain_cut:
      return "drain_cut";
    case Failure::request_timeout:
      return "request_timeout";
    case Failure::bad_request:
      return "bad_request";
    case Failure::kCount:
      break;
  }
  return "unknown";
}

}  // namespace headroom::gateway
