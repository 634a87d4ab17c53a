#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gateway/trace.h"
#include "journal/journal.h"
#include "otlp/settings.h"
#include "server/metrics.h"

/// What is sent, as OTLP's JSON: the bodies of /v1/traces, /v1/logs and /v1/metrics. Pure.
namespace headroom::otlp {

/// Who sends: the same in each body. Ready-made JSON.
struct Sender {
  std::string resource, scope;
};
Sender make_sender(const Pairs& resource, const std::string& version);

/// `epoch` is the wall clock's time, in ns since 1970, at which the spans' clock was 0.
std::string spans_json(const Sender& sender, std::span<const gateway::Span> spans,
                       std::int64_t epoch);

/// What happened; of a rescale the decision, where the journal still has it.
struct LogRecord {
  journal::Event event;
  std::optional<journal::Entry> entry;
};
std::string logs_json(const Sender& sender, std::span<const LogRecord> records,
                      std::int64_t now_unix_ms);

struct Times {
  std::int64_t begin_unix_ms = 0;  // of the process; an autoscaler's counters may begin later
  std::int64_t now_unix_ms = 0;
};
struct Metrics {
  std::string json;
  std::size_t points = 0;
};
/// Names, labels and values are those of /metrics. What is not finite is left out, and so is a
/// family without samples. A counter's start is that of its autoscaler, where it has one: of what
/// falls without a new start a reader could not tell that it began anew.
Metrics metrics_json(const Sender& sender, Times times,
                     const std::function<void(server::MetricSink&)>& measure);

}  // namespace headroom::otlp
