#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "control/status.h"
#include "gateway/trace.h"
#include "otlp/settings.h"
#include "server/metrics.h"

namespace headroom::otlp {

/// What is sent, and where it comes from. All but the tracing outlives the exporter.
struct Sources {
  std::shared_ptr<gateway::Tracing> tracing;  // null: no spans
  const control::Board& board;
  std::string journal;  // its path; read over a connection of the exporter's own
  std::string version;
  std::optional<std::int64_t> told;  // the newest event that a predecessor sent
};

/// Sends to the collector, from a thread of its own, what Settings says of:
/// - spans: 512 at once, or what there is after a second. 16,384 wait at most; then the oldest
///   are dropped, and counted;
/// - log records: the journal's events from the start (or the predecessor's last) on, in their
///   order, 256 at once. They wait
///   in the journal: a collector that is away for a while misses none;
/// - metrics: all of /metrics, every Settings::metrics_every. What cannot be sent is dropped: the
///   next ones say all.
/// Where the collector does not answer, or says 429, 502, 503 or 504, each kind is tried again
/// after 1 s, later up to 30 s (a random part of it less), or what Retry-After says. Another
/// refusal drops what was refused, and counts it.
/// What there is no memory for is dropped and counted, too: its thread never ends the process.
/// Log lines: one when it does not answer, at most one a minute; one when it has answered again
/// for 30 s; and of refusals one a minute.
class Exporter {
 public:
  /// Errors: invalid (the certificate), unavailable (the journal).
  static Result<std::unique_ptr<Exporter>> start(const Settings& settings, const Sources& sources);
  /// As stop(0s).
  ~Exporter();

  /// For a successor, who sends the rest of the log records, and metrics of its own: only spans
  /// from now on, and at the end, once, the metrics, which no other process counts. The newest
  /// event that was sent; the next ones may be under way, and come twice then.
  std::int64_t let_go();
  /// Takes that back.
  void go_on();

  /// Sends what there is, for so long at most, and ends. Once.
  void stop(Millis within);

  /// What became of what was measured. Thread-safe.
  void measure(server::MetricSink& sink) const;

 private:
  struct Impl;
  explicit Exporter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace headroom::otlp
