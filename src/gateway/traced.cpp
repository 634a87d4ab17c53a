#include "gateway/worker.h"

namespace headroom::gateway {

/// Whether the request is traced; then its span is begun, and its head names it as the parent.
bool Worker::sample(Exchange& exchange, const http1::Request& request) {
  if (!exchange.span) exchange.span = std::make_unique<Span>();
  auto& span = *exchange.span;
  if (!tracer_->begin(request.traceparent, span)) return false;
  span.start = exchange.phase_since = now_;
  span.held = span.queued = span.upstream = Micros{};
  span.replica = 0;
  span.minor = request.minor;
  span.service.set(exchange.service->settings->name);
  span.method.set(request.method);
  span.path.set(request.target.substr(0, request.target.find('?')));
  span.host.set(request.host);
  span.client.set(exchange.client->peer());
  exchange.phase = Exchange::Phase::queued;
  // Last, because the target may be a view into the head.
  auto& head = exchange.request;
  buffers_.reserve(head, kTraceparentField);
  head.end = head.begin + static_cast<std::uint32_t>(
                              put_traceparent({head.data + head.begin, head.capacity - head.begin},
                                              head.size(), span.context, span.parent != SpanId{}));
  return true;
}

/// What was until now is counted to the phase that ends.
void Worker::enter(Exchange& exchange, Exchange::Phase phase, Time at) {
  auto& span = *exchange.span;
  const auto took = at - exchange.phase_since;
  switch (exchange.phase) {
    case Exchange::Phase::held:
      span.held += took;
      break;
    case Exchange::Phase::queued:
      span.queued += took;
      break;
    case Exchange::Phase::upstream:
      span.upstream += took;
      break;
  }
  exchange.phase = phase;
  exchange.phase_since = at;
}

/// The sampled request has ended.
void Worker::trace(Exchange& exchange, int status, Failure failure) {
  enter(exchange, exchange.phase, steady_now());
  auto& span = *exchange.span;
  span.status = static_cast<std::uint16_t>(status);
  span.failure = failure;
  span.retries = exchange.retries;
  tracer_->ring.put(span);
  exchange.sampled = false;
}

}  // namespace headroom::gateway
