#include "otlp/encode.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <map>

#include <fmt/format.h>

#include "otlp/json.h"

namespace headroom::otlp {
namespace {

using gateway::Span;

constexpr std::int64_t kMilli = 1'000'000;  // ns
constexpr std::size_t kMostSteps = 32;

void attribute(Json& json, std::string_view key, std::string_view value) {
  json.begin('{').key("key").text(key).key("value").begin('{');
  json.key("stringValue").text(value).end('}').end('}');
}

void attribute(Json& json, std::string_view key, std::int64_t value) {
  json.begin('{').key("key").text(key).key("value").begin('{').key("intValue");
  json.text(fmt::format_int(value).c_str()).end('}').end('}');
}

/// In milliseconds, which a reader need not count the zeros of.
void attribute(Json& json, std::string_view key, std::chrono::duration<double, std::milli> value) {
  json.begin('{').key("key").text(key).key("value").begin('{').key("doubleValue");
  json.real(value.count()).end('}').end('}');
}

template <class Texts>
void attribute_list(Json& json, std::string_view key, const Texts& texts) {
  json.begin('{').key("key").text(key).key("value").begin('{').key("arrayValue").begin('{');
  json.key("values").begin('[');
  for (const auto& text : texts) json.begin('{').key("stringValue").text(text).end('}');
  json.end(']').end('}').end('}').end('}');
}

/// The methods that OpenTelemetry's conventions know; others would make names without end.
bool is_known(std::string_view method) {
  constexpr std::string_view kKnown[] = {"GET",     "HEAD",    "POST",  "PUT",   "DELETE",
                                         "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"};
  return std::ranges::find(kKnown, method) != std::end(kKnown);
}

/// "shop:8080" as server.address and server.port.
void put_host(Json& json, std::string_view host) {
  if (host.empty()) return;
  const auto bracket = host.rfind(']');
  const auto colon = host.rfind(':');
  const bool has_port = colon != host.npos && (bracket == host.npos || colon > bracket);
  std::uint16_t port = 0;
  if (has_port) {
    std::from_chars(host.data() + colon + 1, host.data() + host.size(), port);
    host = host.substr(0, colon);
  }
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  attribute(json, "server.address", host);
  if (port != 0) attribute(json, "server.port", std::int64_t{port});
}

void put_attributes(Json& json, const Span& span) {
  const auto method = span.method.view();
  const bool known = is_known(method);
  json.key("attributes").begin('[');
  attribute(json, "http.request.method", known ? method : "_OTHER");
  if (!known) attribute(json, "http.request.method_original", method);
  attribute(json, "url.scheme", "http");
  attribute(json, "url.path", span.path.view());
  put_host(json, span.host.view());
  if (!span.client.view().empty()) attribute(json, "client.address", span.client.view());
  attribute(json, "network.protocol.version", span.minor == 0 ? "1.0" : "1.1");
  if (span.status != 0) attribute(json, "http.response.status_code", std::int64_t{span.status});
  if (span.failure != gateway::Failure::kCount) {
    attribute(json, "error.type", gateway::name(span.failure));
  } else if (span.status >= 500) {
    attribute(json, "error.type", fmt::format_int(span.status).c_str());
  }
  attribute(json, "headroom.autoscaler", span.service.view());
  if (span.replica != 0) {
    attribute(json, "headroom.replica", static_cast<std::int64_t>(span.replica));
  }
  if (span.retries > 0) attribute(json, "headroom.retries", std::int64_t{span.retries});
  using Ms = std::chrono::duration<double, std::milli>;
  attribute(json, "headroom.held_ms", Ms(span.held));
  attribute(json, "headroom.queued_ms", Ms(span.queued));
  attribute(json, "headroom.upstream_ms", Ms(span.upstream));
  json.end(']');
}

void put_span(Json& json, const Span& span, std::int64_t epoch) {
  constexpr std::uint32_t kKnowsRemote = 0x100, kRemote = 0x200;  // whether the parent is
  constexpr int kServer = 2, kError = 2;
  const bool child = span.parent != gateway::SpanId{};
  const auto start = epoch + std::chrono::nanoseconds(span.start.time_since_epoch()).count();
  const auto took = std::chrono::nanoseconds(span.held + span.queued + span.upstream).count();
  json.begin('{').key("traceId").text(gateway::to_hex(span.context.trace));
  json.key("spanId").text(gateway::to_hex(span.context.span));
  if (child) json.key("parentSpanId").text(gateway::to_hex(span.parent));
  json.key("flags").whole(span.context.flags | kKnowsRemote | (child ? kRemote : 0));
  const auto method = is_known(span.method.view()) ? span.method.view() : "HTTP";
  json.key("name").text(fmt::format("{} {}", method, span.service.view()));
  json.key("kind").whole(kServer);
  json.key("startTimeUnixNano").quoted(static_cast<std::uint64_t>(start));
  json.key("endTimeUnixNano").quoted(static_cast<std::uint64_t>(start + took));
  put_attributes(json, span);
  if (span.failure != gateway::Failure::kCount || span.status >= 500) {
    json.key("status").begin('{').key("code").whole(kError).end('}');
  }
  json.end('}');
}

void put_steps(Json& json, const decide::Decision& decision) {
  std::vector<std::string_view> codes, texts;
  for (const auto& step : decision.steps) {
    if (codes.size() == kMostSteps) break;
    codes.push_back(step.code);
    texts.push_back(step.text);
  }
  attribute(json, "headroom.replicas.before", std::int64_t{decision.current.count});
  attribute(json, "headroom.replicas.after", std::int64_t{decision.replicas.count});
  attribute_list(json, "headroom.decision.steps", codes);
  attribute_list(json, "headroom.decision.reasons", texts);
}

void put_record(Json& json, const LogRecord& record, std::int64_t now_unix_ms) {
  constexpr int kInfo = 9, kWarn = 13;
  const auto& event = record.event;
  const bool trouble = event.kind == journal::Event::Kind::trouble;
  json.begin('{');
  json.key("timeUnixNano").quoted(static_cast<std::uint64_t>(event.unix_ms * kMilli));
  json.key("observedTimeUnixNano").quoted(static_cast<std::uint64_t>(now_unix_ms * kMilli));
  json.key("severityNumber").whole(trouble ? kWarn : kInfo);
  json.key("severityText").text(trouble ? "WARN" : "INFO");
  json.key("eventName").text(fmt::format("headroom.{}", name(event.kind)));
  json.key("body").begin('{').key("stringValue").text(event.text).end('}');
  json.key("attributes").begin('[');
  attribute(json, "headroom.autoscaler", event.autoscaler);
  attribute(json, "headroom.event", name(event.kind));
  attribute(json, "headroom.event.id", event.id);
  if (event.decision) attribute(json, "headroom.decision.id", *event.decision);
  if (record.entry) put_steps(json, record.entry->decision);
  json.end(']').end('}');
}

/// {"resource…": [{"resource": …, "scope…": [{"scope": …, "<items>": [
void begin_body(Json& json, const Sender& sender, const char* kind, const char* items) {
  json.begin('{').key(fmt::format("resource{}", kind)).begin('[').begin('{');
  json.key("resource").raw(sender.resource);
  json.key(fmt::format("scope{}", kind)).begin('[').begin('{');
  json.key("scope").raw(sender.scope).key(items).begin('[');
}

std::string end_body(Json& json) {
  json.end(']').end('}').end(']').end('}').end(']').end('}');
  return json.take();
}

/// By the name, as Prometheus' conventions have it; a counter of anything else counts. Empty: of a
/// gauge that has none, since an exporter to Prometheus would put "_ratio" behind one of "1".
std::string_view unit_of(std::string_view name, bool counter) {
  if (name.ends_with("_seconds")) return "s";
  if (name.ends_with("_bytes")) return "By";
  if (name.ends_with("_cores")) return "{cpu}";
  return counter || name.ends_with("_ratio") ? "1" : "";
}

/// Families and samples as OTLP's metrics. A family without samples is left out.
class MetricsWriter : public server::MetricSink {
 public:
  MetricsWriter(Json& json, Times times) : json_(json), times_(times) {}

  void begun(std::string_view autoscaler, std::int64_t unix_ms) override {
    begun_.insert_or_assign(std::string(autoscaler), unix_ms);
  }
  void family(std::string_view name, std::string_view type, std::string_view help) override {
    end_family();
    name_ = fmt::format("{}{}", name, type == "info" ? "_info" : "");
    help_ = help;
    counter_ = type == "counter";
    histogram_ = type == "histogram";
  }
  void histogram(std::string_view autoscaler, const server::Distribution& all) override {
    begin_point({{"autoscaler", autoscaler}}, true);
    std::uint64_t count = 0;
    for (const auto each : all.counts) count += each;
    json_.key("count").quoted(count).key("sum").real(all.sum);
    json_.key("bucketCounts").begin('[');
    for (const auto each : all.counts) json_.quoted(each);
    json_.end(']').key("explicitBounds").begin('[');
    for (const auto& bound : server::kBounds) json_.raw(bound.seconds);
    json_.end(']').end('}');
  }
  std::size_t finish() {
    end_family();
    return points_;
  }

 private:
  void whole(server::Labels labels, std::int64_t value) override {
    begin_point(labels, counter_);
    json_.key("asInt").text(fmt::format_int(value).c_str()).end('}');
  }
  void real(server::Labels labels, double value) override {
    if (!std::isfinite(value)) return;
    begin_point(labels, counter_);
    json_.key("asDouble").real(value).end('}');
  }
  void begin_family() {
    json_.begin('{').key("name").text(name_).key("description").text(help_);
    if (const auto unit = unit_of(name_, counter_); !unit.empty()) json_.key("unit").text(unit);
    json_.key(histogram_ ? "histogram" : counter_ ? "sum" : "gauge").begin('{');
    if (histogram_ || counter_) json_.key("aggregationTemporality").whole(2);  // cumulative
    if (counter_) json_.key("isMonotonic").raw("true");
    json_.key("dataPoints").begin('[');
    open_ = true;
  }
  void begin_point(server::Labels labels, bool since_begin) {
    if (!open_) begin_family();
    ++points_;
    json_.begin('{').key("attributes").begin('[');
    auto begin = times_.begin_unix_ms;
    for (const auto& [name, value] : labels) {
      attribute(json_, name, value);
      if (name != "autoscaler") continue;
      if (const auto own = begun_.find(value); own != begun_.end()) begin = own->second;
    }
    json_.end(']');
    if (since_begin) {
      json_.key("startTimeUnixNano").quoted(static_cast<std::uint64_t>(begin * kMilli));
    }
    json_.key("timeUnixNano").quoted(static_cast<std::uint64_t>(times_.now_unix_ms * kMilli));
  }
  void end_family() {
    if (open_) json_.end(']').end('}').end('}');
    open_ = false;
  }

  Json& json_;
  Times times_;
  std::map<std::string, std::int64_t, std::less<>> begun_;
  std::string name_, help_;
  bool counter_ = false, histogram_ = false;
  bool open_ = false;  // it has a sample
  std::size_t points_ = 0;
};

}  // namespace

Sender make_sender(const Pairs& resource, const std::string& version) {
  Json attributes;
  attributes.begin('{').key("attributes").begin('[');
  for (const auto& [key, value] : resource) attribute(attributes, key, std::string_view(value));
  attributes.end(']').end('}');
  Json scope;
  scope.begin('{').key("name").text("headroom").key("version").text(version).end('}');
  return {attributes.take(), scope.take()};
}

std::string spans_json(const Sender& sender, std::span<const Span> spans, std::int64_t epoch) {
  Json json;
  begin_body(json, sender, "Spans", "spans");
  for (const auto& span : spans) put_span(json, span, epoch);
  return end_body(json);
}

std::string logs_json(const Sender& sender, std::span<const LogRecord> records,
                      std::int64_t now_unix_ms) {
  Json json;
  begin_body(json, sender, "Logs", "logRecords");
  for (const auto& record : records) put_record(json, record, now_unix_ms);
  return end_body(json);
}

Metrics metrics_json(const Sender& sender, Times times,
                     const std::function<void(server::MetricSink&)>& measure) {
  Json json;
  begin_body(json, sender, "Metrics", "metrics");
  MetricsWriter writer(json, times);
  measure(writer);
  const auto points = writer.finish();
  return {end_body(json), points};
}

}  // namespace headroom::otlp
