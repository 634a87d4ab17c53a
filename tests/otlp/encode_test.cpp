#include "otlp/encode.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>

#include "otlp/json.h"
#include "server/fixture.h"

namespace headroom::otlp {
namespace {

namespace json = boost::json;
using gateway::Failure;
using gateway::Span;

/// The one item list of a body, and that who sends is said beside it.
json::array items(const std::string& body, const char* kind, const char* name) {
  const auto document = json::parse(body);
  const auto& resources = document.at(std::string("resource") + kind).as_array();
  EXPECT_EQ(resources.size(), 1u);
  EXPECT_EQ(json::serialize(resources[0].at("resource")),
            R"({"attributes":[{"key":"service.name","value":{"stringValue":"a\"b"}}]})");
  const auto& scope = resources[0].at(std::string("scope") + kind).at(0);
  EXPECT_EQ(json::serialize(scope.at("scope")), R"({"name":"headroom","version":"1.2"})");
  return scope.at(name).as_array();
}

/// A text as it is, anything else as JSON.
std::string shown(const json::value& value) {
  return value.is_string() ? json::value_to<std::string>(value) : json::serialize(value);
}

/// An attribute's value as JSON; empty where there is none.
std::string attribute(const json::value& item, std::string_view key) {
  for (const auto& each : item.at("attributes").as_array()) {
    if (json::value_to<std::string>(each.at("key")) == key)
      return json::serialize(each.at("value").as_object().begin()->value());
  }
  return "";
}

const Sender kSender = make_sender({{"service.name", "a\"b"}}, "1.2");

Span span_of() {
  Span span;
  span.context =
      *gateway::parse_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  span.start = gateway::Time(5s);
  span.held = 1500us;
  span.queued = 250us;
  span.upstream = 20ms;
  span.replica = 4;
  span.status = 200;
  span.service.set("shop");
  span.method.set("GET");
  span.path.set("/a\"b");
  span.host.set("shop.example:8080");
  span.client.set("::1");
  return span;
}

TEST(Encode, ASpanIsWhatTheConventionsAskFor) {
  auto child = span_of();
  child.parent = {0, 1, 2, 3, 4, 5, 6, 7};
  const auto spans =
      items(spans_json(kSender, std::array{span_of(), child}, 1'000'000'000'000), "Spans", "spans");
  ASSERT_EQ(spans.size(), 2u);
  const auto& span = spans[0];
  EXPECT_EQ(shown(span.at("traceId")), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(shown(span.at("spanId")), "00f067aa0ba902b7");
  EXPECT_EQ(span.as_object().if_contains("parentSpanId"), nullptr);
  EXPECT_EQ(shown(span.at("flags")), "257");
  EXPECT_EQ(shown(span.at("name")), "GET shop");
  EXPECT_EQ(shown(span.at("kind")), "2");
  EXPECT_EQ(shown(span.at("startTimeUnixNano")), "1005000000000");
  EXPECT_EQ(shown(span.at("endTimeUnixNano")), "1005021750000");
  EXPECT_EQ(span.as_object().if_contains("status"), nullptr);
  EXPECT_EQ(shown(spans[1].at("parentSpanId")), "0001020304050607");
  EXPECT_EQ(shown(spans[1].at("flags")), "769");
  const std::pair<const char*, const char*> expected[] = {
      {"http.request.method", R"("GET")"},
      {"url.path", R"("/a\"b")"},
      {"url.scheme", R"("http")"},
      {"server.address", R"("shop.example")"},
      {"server.port", R"("8080")"},
      {"client.address", R"("::1")"},
      {"network.protocol.version", R"("1.1")"},
      {"http.response.status_code", R"("200")"},
      {"error.type", ""},
      {"headroom.autoscaler", R"("shop")"},
      {"headroom.replica", R"("4")"},
      {"headroom.retries", ""},
      {"headroom.held_ms", "1.5E0"},
      {"headroom.queued_ms", "2.5E-1"},
      {"headroom.upstream_ms", "20"},
  };
  for (const auto& [key, value] : expected) EXPECT_EQ(attribute(span, key), value) << key;
}

TEST(Encode, AFailureIsOne) {
  struct Case {
    const char* why;
    std::uint16_t status;
    Failure failure;
    std::string error, code;
    bool failed;
  };
  const Case cases[] = {
      {"an answer", 404, Failure::kCount, "", R"("404")", false},
      {"the replica's own", 500, Failure::kCount, R"("500")", R"("500")", true},
      {"ours", 503, Failure::hold_timeout, R"("hold_timeout")", R"("503")", true},
      {"the client left", 0, Failure::client_abort, R"("client_abort")", "", true},
  };
  for (const auto& [why, status, failure, error, code, failed] : cases) {
    SCOPED_TRACE(why);
    auto span = span_of();
    span.status = status;
    span.failure = failure;
    span.replica = 0;
    const auto spans = items(spans_json(kSender, std::array{span}, 0), "Spans", "spans");
    EXPECT_EQ(attribute(spans[0], "error.type"), error);
    EXPECT_EQ(attribute(spans[0], "http.response.status_code"), code);
    EXPECT_EQ(attribute(spans[0], "headroom.replica"), "");
    EXPECT_EQ(spans[0].as_object().contains("status"), failed);
  }
}

TEST(Encode, WhatAClientMadeUpMakesNoNames) {
  auto span = span_of();
  span.method.set("BREW");
  for (const auto& [host, address, port] : {std::tuple{"[::1]:80", R"("::1")", R"("80")"},
                                            {"[::1]", R"("::1")", ""},
                                            {"a:", R"("a")", ""},
                                            {"", "", ""}}) {
    span.host.set(host);
    const auto spans = items(spans_json(kSender, std::array{span}, 0), "Spans", "spans");
    EXPECT_EQ(shown(spans[0].at("name")), "HTTP shop");
    EXPECT_EQ(attribute(spans[0], "http.request.method"), R"("_OTHER")");
    EXPECT_EQ(attribute(spans[0], "http.request.method_original"), R"("BREW")");
    EXPECT_EQ(attribute(spans[0], "server.address"), address) << host;
    EXPECT_EQ(attribute(spans[0], "server.port"), port) << host;
  }
}

TEST(Encode, ARecordHasItsDecision) {
  const auto status = server::status_of("shop");
  journal::Entry entry{.id = 9, .autoscaler = "shop", .decision = status.decided};
  const LogRecord records[] = {{{.id = 5,
                                 .autoscaler = "shop",
                                 .unix_ms = 1234,
                                 .kind = journal::Event::Kind::rescale,
                                 .text = "2 → 3 replicas",
                                 .decision = 9},
                                entry},
                               {{.id = 6,
                                 .autoscaler = "shop",
                                 .unix_ms = 1235,
                                 .kind = journal::Event::Kind::trouble,
                                 .text = "broken \xff"},
                                {}}};
  const auto all = items(logs_json(kSender, records, 2000), "Logs", "logRecords");
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(shown(all[0].at("timeUnixNano")), "1234000000");
  EXPECT_EQ(shown(all[0].at("observedTimeUnixNano")), "2000000000");
  EXPECT_EQ(shown(all[0].at("severityNumber")), "9");
  EXPECT_EQ(shown(all[0].at("eventName")), "headroom.rescale");
  EXPECT_EQ(shown(all[0].at("body").at("stringValue")), "2 → 3 replicas");
  EXPECT_EQ(attribute(all[0], "headroom.event.id"), R"("5")");
  EXPECT_EQ(attribute(all[0], "headroom.decision.id"), R"("9")");
  EXPECT_EQ(attribute(all[0], "headroom.replicas.before"), R"("2")");
  EXPECT_EQ(attribute(all[0], "headroom.replicas.after"), R"("3")");
  EXPECT_EQ(attribute(all[0], "headroom.decision.steps"),
            R"({"values":[{"stringValue":"Utilization"}]})");
  EXPECT_EQ(shown(all[1].at("severityNumber")), "13");
  EXPECT_EQ(shown(all[1].at("severityText")), "WARN");
  EXPECT_EQ(shown(all[1].at("body").at("stringValue")), "broken \xef\xbf\xbd");
  EXPECT_EQ(attribute(all[1], "headroom.decision.id"), "");
}

TEST(Encode, MetricsAreThoseOfThePage) {
  control::Board board;
  auto status = server::status_of("shop");
  status.begun_unix_ms = 1500;
  board.put(std::make_shared<const control::Status>(std::move(status)));
  const auto made = metrics_json(kSender, {1000, 2000}, [&](server::MetricSink& sink) {
    server::measure(board, "1.2", sink);
    sink.family("odd", "gauge", "What is no number.");
    sink.add({}, std::nan(""));
  });
  const auto all = items(made.json, "Metrics", "metrics");
  std::map<std::string, json::value> named;
  std::size_t points = 0;
  for (const auto& metric : all) {
    const auto name = json::value_to<std::string>(metric.at("name"));
    EXPECT_FALSE(named.contains(name)) << name;
    named[name] = metric;
    for (const char* kind : {"gauge", "sum", "histogram"}) {
      if (const auto* data = metric.as_object().if_contains(kind)) {
        points += data->at("dataPoints").as_array().size();
      }
    }
  }
  EXPECT_EQ(points, made.points);
  EXPECT_GT(points, 50u);
  const auto& wanted = named["headroom_replicas_wanted"].at("gauge").at("dataPoints").at(0);
  EXPECT_EQ(shown(wanted.at("asInt")), "3");
  EXPECT_EQ(attribute(wanted, "autoscaler"), R"("shop")");
  EXPECT_EQ(shown(wanted.at("timeUnixNano")), "2000000000");
  EXPECT_FALSE(wanted.as_object().contains("startTimeUnixNano"));
  const auto& arrived = named["headroom_requests_arrived"].at("sum");
  EXPECT_EQ(shown(arrived.at("aggregationTemporality")), "2");
  EXPECT_EQ(shown(arrived.at("isMonotonic")), "true");
  EXPECT_EQ(shown(arrived.at("dataPoints").at(0).at("startTimeUnixNano")), "1500000000");
  EXPECT_EQ(
      shown(named["process_cpu_seconds"].at("sum").at("dataPoints").at(0).at("startTimeUnixNano")),
      "1000000000");
  EXPECT_EQ(shown(arrived.at("dataPoints").at(0).at("asInt")), "110");
  EXPECT_EQ(shown(named["headroom_build_info"].at("gauge").at("dataPoints").at(0).at("asInt")),
            "1");
  for (const char* name : {"odd", "headroom_replicas_held"}) {
    EXPECT_FALSE(named.contains(name)) << name << " has no sample";
  }
  for (const auto& [name, unit] : {std::pair{"headroom_request_duration_seconds", "s"},
                                   {"process_cpu_seconds", "s"},
                                   {"headroom_replicas_memory_bytes", "By"},
                                   {"headroom_replicas_cpu_cores", "{cpu}"},
                                   {"headroom_requests_arrived", "1"},
                                   {"headroom_rescales", "1"}}) {
    EXPECT_EQ(shown(named[name].at("unit")), unit) << name;
  }
  EXPECT_FALSE(wanted.as_object().contains("unit"));
  const auto& duration = named["headroom_request_duration_seconds"];
  const auto& point = duration.at("histogram").at("dataPoints").at(0);
  EXPECT_EQ(shown(point.at("count")), "5");
  EXPECT_EQ(shown(point.at("startTimeUnixNano")), "1500000000");
  EXPECT_EQ(point.at("bucketCounts").as_array().size(), std::size(server::kBounds) + 1);
  EXPECT_EQ(shown(point.at("bucketCounts").at(0)), "2");
  EXPECT_EQ(shown(point.at("bucketCounts").as_array().back()), "1");
  EXPECT_EQ(point.at("explicitBounds").as_array().size(), std::size(server::kBounds));
  EXPECT_DOUBLE_EQ(point.at("explicitBounds").at(1).to_number<double>(), 0.0025);
}

TEST(Json, IsReadBack) {
  for (const std::string text : {"", "plain", "\"\\/\b\n\x01\x7f", "é→😀", "\xff\xc3(", "a\xc3"}) {
    Json writer;
    writer.begin('[').text(text).end(']');
    const auto read = json::parse(writer.take());
    const auto& back = read.at(0).as_string();
    if (json::string_view(text).find('\xff') == json::string_view::npos && text != "a\xc3") {
      EXPECT_EQ(std::string(back.begin(), back.end()), text);
    } else {
      EXPECT_NE(back.find("\xef\xbf\xbd"), json::string::npos) << text;
    }
  }
}

}  // namespace
}  // namespace headroom::otlp
