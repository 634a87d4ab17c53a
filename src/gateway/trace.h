#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/gateway.h"
#include "gateway/wheel.h"

/// Traces of requests (W3C Trace Context; docs/opentelemetry.md): which request is sampled, what
/// its replica is told of that, and what is left of it when it has ended.
namespace headroom::gateway {

/// In lower-case hexadecimal, as ids are written.
std::string to_hex(std::span<const std::uint8_t> bytes);

using TraceId = std::array<std::uint8_t, 16>;
using SpanId = std::array<std::uint8_t, 8>;

/// What a traceparent says. In one that was received, `span` is the caller's.
struct TraceContext {
  TraceId trace{};
  SpanId span{};
  std::uint8_t flags = 0;

  bool sampled() const { return (flags & 1) != 0; }
};

/// Reads version 00, and of later versions what 00 has. None: it is malformed (another length,
/// version ff, an id of zeros, anything but lower-case digits).
std::optional<TraceContext> parse_traceparent(std::string_view value);

constexpr std::size_t kTraceparentSize = 55;
void write_traceparent(const TraceContext& context, std::span<char, kTraceparentSize> to);

constexpr std::size_t kTraceparentField = kTraceparentSize + sizeof "traceparent: \r\n" - 1;
/// Makes `context` the only traceparent of the request's head that the first `size` bytes of
/// `head` hold, as http1::read_request() wrote it; its tracestate goes unless `keep_state`.
/// Gives the head's new size. Needs kTraceparentField bytes of room behind the head.
std::size_t put_traceparent(std::span<char> head, std::size_t size, const TraceContext& context,
                            bool keep_state);

/// At most so many bytes of a text, without a place elsewhere.
template <std::uint8_t kMost>
class ShortText {
 public:
  void set(std::string_view text) {
    size_ = static_cast<std::uint8_t>(std::min<std::size_t>(text.size(), kMost));
    std::memcpy(bytes_, text.data(), size_);
  }
  std::string_view view() const { return {bytes_, size_}; }

 private:
  std::uint8_t size_ = 0;
  char bytes_[kMost];
};

/// One sampled request, when it has ended. What a client sent is in it as visible ASCII, cut.
struct Span {
  TraceContext context;  // `span` is the request's own
  SpanId parent{};       // all 0: none
  Time start{};          // its head was complete
  /// These three make up all the time from the start to the end: waiting while there was no
  /// replica; waiting for room at one, for a connection, or for another try; with one, up to the
  /// last byte of the answer.
  Micros held{}, queued{}, upstream{};
  std::uint64_t replica = 0;          // Backend::name of the last it was sent to; 0: none
  std::uint16_t status = 0;           // that the client got; 0: none
  Failure failure = Failure::kCount;  // kCount: none
  std::uint8_t retries = 0;
  std::uint8_t minor = 1;  // of HTTP/1
  ShortText<63> service;
  ShortText<16> method;
  ShortText<160> path;  // without the query, which may hold what is nobody's business
  ShortText<80> host;
  ShortText<45> client;
};

/// The spans of one I/O thread on their way to another thread: one writes, one reads, nobody
/// waits. Bound: kSize; what finds it full is dropped and counted.
class SpanRing {
 public:
  static constexpr std::size_t kSize = 4096;

  void put(const Span& span);
  /// Moves what there is behind `into`, at most so many.
  void take(std::vector<Span>& into, std::size_t most);
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  std::vector<Span> spans_{kSize};
  alignas(64) std::atomic<std::uint64_t> written_{0};
  std::atomic<std::uint64_t> dropped_{0};
  alignas(64) std::atomic<std::uint64_t> read_{0};
};

/// One I/O thread's part: draws ids and decides what is sampled.
class Tracer {
 public:
  /// `ratio` of the traces that begin here is sampled, by their ids, as OpenTelemetry's
  /// TraceIdRatioBased does: others who go by the same ratio sample the same ones.
  Tracer(double ratio, std::uint64_t seed);

  /// Whether the request is sampled: a valid traceparent's flag says so, else the ratio. Then
  /// the context and the parent of `span` are set.
  bool begin(std::string_view traceparent, Span& span);

  SpanRing ring;

 private:
  std::uint64_t draw();  // never 0

  std::uint64_t below_;  // of 2^63
  std::uint64_t state_;
};

/// What traces one gateway. Outlives its threads.
class Tracing {
 public:
  explicit Tracing(double ratio) : ratio_(ratio) {}

  /// Of one more I/O thread. Thread-safe; the reference holds as long as this.
  Tracer& add();
  /// The ended spans, at most so many from each thread. From one thread at a time.
  void take(std::vector<Span>& into, std::size_t most_each = SpanRing::kSize);
  std::uint64_t dropped() const;

 private:
  const double ratio_;
  mutable std::mutex mutex_;
  std::deque<Tracer> tracers_;
};

}  // namespace headroom::gateway
