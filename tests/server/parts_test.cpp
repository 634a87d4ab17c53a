#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "server/assets.h"
#include "server/fixture.h"
#include "server/metrics.h"
#include "server/request_reader.h"
#include "server/target_parts.h"

namespace headroom::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

TEST(RequestReader, ReadsTheSameHoweverItComes) {
  const std::string text =
      "POST /a?b=c HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer y\r\n"
      "Content-Type: application/json\r\nContent-Length: 3\r\n\r\n{ }"
      "PUT /d HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
      "Chunked\r\n\r\n1\r\n[\r\n2;e=f\r\n]!\r\n0\r\n\r\n"
      "GET /h HTTP/1.0\r\nHost: x\r\nLast-Event-ID: 7\r\n\r\n";
  for (const std::size_t step : {std::size_t{1}, std::size_t{2}, std::size_t{7}, text.size()}) {
    SCOPED_TRACE(step);
    RequestReader reader;
    std::vector<Request> read;
    for (std::size_t at = 0; at < text.size(); at += step) {
      auto state = reader.feed(std::string_view(text).substr(at, step));
      while (state == RequestReader::State::whole) {
        read.push_back(reader.take());
        state = reader.feed({});
      }
      ASSERT_EQ(state, RequestReader::State::more);
    }
    EXPECT_FALSE(reader.begun());
    ASSERT_EQ(read.size(), 3u);
    EXPECT_EQ(read[0].method + read[0].target + read[0].body, "POST/a?b=c{ }");
    EXPECT_EQ(read[0].authorization + read[0].content_type, "Bearer yapplication/json");
    EXPECT_EQ(read[1].body, "[]!");
    EXPECT_EQ(read[2].last_event_id, "7");
    EXPECT_TRUE(read[0].keep_alive);
    EXPECT_FALSE(read[2].keep_alive);
  }
}

TEST(RequestReader, WhatTwoReadersCouldTakeForTwoThingsEndsIt) {
  const std::string smuggled = "POST /api/v1/autoscalers/shop/pause HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string chunks = "1\r\n[\r\n0\r\n";
  struct Case {
    const char* why;
    std::string fields, rest;
    const char* version = "1.1";
  };
  const Case cases[] = {
      {"an encoding that is none", "Transfer-Encoding: identity\r\n", smuggled},
      {"one that is not ours", "Transfer-Encoding: gzip\r\n", smuggled},
      {"two", "Transfer-Encoding: gzip, chunked\r\n", chunks + "\r\n"},
      {"the other way round", "Transfer-Encoding: chunked, gzip\r\n", smuggled},
      {"twice the same", "Transfer-Encoding: chunked, chunked\r\n", chunks + "\r\n"},
      {"a name that ends as ours", "Transfer-Encoding: xchunked\r\n", smuggled},
      {"one that begins so", "Transfer-Encoding: chunkedx\r\n", smuggled},
      {"with a parameter", "Transfer-Encoding: chunked;q=1\r\n", smuggled},
      {"in quotes", "Transfer-Encoding: \"chunked\"\r\n", smuggled},
      {"behind a comma", "Transfer-Encoding: ,chunked\r\n", chunks + "\r\n"},
      {"none at all", "Transfer-Encoding: \r\n", smuggled},
      {"behind a tab that is another's letter", "Transfer-Encoding: \vchunked\r\n", smuggled},
      {"two lines", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", smuggled},
      {"two that agree", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
       chunks + "\r\n"},
      {"a space before the colon", "Transfer-Encoding : chunked\r\n", chunks + "\r\n"},
      {"chunks of HTTP/1.0", "Transfer-Encoding: chunked\r\n", chunks + "\r\n", "1.0"},
      {"in the next line", "Transfer-Encoding:\r\n chunked\r\n", chunks + "\r\n"},
      {"a length there", "Content-Length:\r\n\t1\r\n", "["},
      {"anything there", "X: y\r\n Z: y\r\n", smuggled},
      {"a list of lengths", "Content-Length: 0, 0\r\n", smuggled},
      {"a sum", "Content-Length: +1\r\n", "["},
      {"a length less than none", "Content-Length: -1\r\n", smuggled},
      {"in sixteens", "Content-Length: 0x1\r\n", "["},
      {"of nothing", "Content-Length: \r\n", smuggled},
      {"two lengths that agree", "Content-Length: 0\r\nContent-Length: 0\r\n", smuggled},
      {"a length and chunks", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
       chunks + "\r\n"},
      {"who may, behind the body", "Transfer-Encoding: chunked\r\n",
       chunks + "Authorization: Bearer y\r\n\r\n"},
      {"a type, behind the body", "Transfer-Encoding: chunked\r\n",
       chunks + "Content-Type: application/json\r\n\r\n"},
      {"anything, behind the body", "Transfer-Encoding: chunked\r\n", chunks + "X: y\r\n\r\n"},
  };
  for (const auto& [why, fields, rest, version] : cases) {
    const auto text = fmt::format("POST /a HTTP/{}\r\nHost: x\r\n{}\r\n{}", version, fields, rest);
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, text.size()}) {
      SCOPED_TRACE(fmt::format("{}, {} at a time", why, step));
      RequestReader reader;
      auto state = RequestReader::State::more;
      for (std::size_t at = 0; at < text.size() && state == RequestReader::State::more;
           at += step) {
        state = reader.feed(std::string_view(text).substr(at, step));
      }
      ASSERT_EQ(state, RequestReader::State::refused);
      EXPECT_EQ(reader.refused().status, 400);
      EXPECT_TRUE(reader.refused().close);
    }
  }
  // The Host of a trailer is no Host.
  RequestReader reader;
  EXPECT_EQ(reader.feed("POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks +
                        "Host: x\r\n\r\n"),
            RequestReader::State::refused);
}

TEST(RequestReader, AnOlderClientsConnectionEndsWithTheAnswer) {
  RequestReader reader;
  ASSERT_EQ(reader.feed("GET /a HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n"),
            RequestReader::State::whole);
  EXPECT_FALSE(reader.take().keep_alive);
}

TEST(RequestReader, HasBounds) {
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\n";
  const auto length = [&head](std::size_t bytes) {
    return fmt::format("{}Content-Length: {}\r\n\r\n{}", head, bytes, std::string(bytes, 'x'));
  };
  const auto padded = [&head](std::size_t bytes) {
    const auto line = bytes - head.size() - std::string("X: \r\n\r\n").size();
    return fmt::format("{}X: {}\r\n\r\n", head, std::string(line, 'x'));
  };
  struct Case {
    const char* why;
    std::string text;
    int status;  // 0: it is read
  };
  const Case cases[] = {
      {"the longest body", length(RequestReader::kMostBody), 0},
      {"a byte more", length(RequestReader::kMostBody + 1), 413},
      {"the longest head", padded(RequestReader::kMostHead), 0},
      {"a byte more", padded(RequestReader::kMostHead + 1), 431},
  };
  for (const auto& [why, text, status] : cases) {
    for (const std::size_t step : {std::size_t{1000}, text.size()}) {
      SCOPED_TRACE(fmt::format("{}, {} at a time", why, step));
      RequestReader reader;
      auto state = RequestReader::State::more;
      for (std::size_t at = 0; at < text.size() && state == RequestReader::State::more;
           at += step) {
        state = reader.feed(std::string_view(text).substr(at, step));
      }
      EXPECT_EQ(state, status == 0 ? RequestReader::State::whole : RequestReader::State::refused);
      if (status != 0) {
        EXPECT_EQ(reader.refused().status, status);
        EXPECT_TRUE(reader.refused().close);
      }
    }
  }
}

TEST(Target, MayHaveItsHostBeforeIt) {
  struct Case {
    const char* target;
    std::optional<std::pair<const char*, const char*>> expected;  // authority and rest
  };
  const Case cases[] = {
      {"http://shop:7780/a?b", {{"shop:7780", "/a?b"}}},
      {"HTTPS://Shop/", {{"Shop", "/"}}},
      {"http://shop", {{"shop", "/"}}},
      {"http://shop?a=/b", {{"shop", "/?a=/b"}}},
      {"http://a@shop//x", {{"a@shop", "//x"}}},
      {"http:///a", {{"", "/a"}}},
      {"http://", {{"", "/"}}},
      {"http:/a", std::nullopt},
      {"httpx://shop/", std::nullopt},
      {"http", std::nullopt},
      {"/http://shop/", std::nullopt},
      {"shop:80", std::nullopt},
      {"*", std::nullopt},
      {"", std::nullopt},
  };
  for (const auto& [target, expected] : cases) {
    SCOPED_TRACE(target);
    const auto read = read_absolute(target);
    ASSERT_EQ(read.has_value(), expected.has_value());
    if (!read) continue;
    EXPECT_EQ(read->authority, expected->first);
    EXPECT_EQ(read->rest, expected->second);
  }
}

TEST(Target, IsDecodedOnce) {
  const auto plain = read_target("/api/v1/x%2fy%2525?a=1+2&b=%2B&&c");
  ASSERT_TRUE(plain);
  EXPECT_THAT(plain->path, ElementsAre("api", "v1", "x/y%25"));
  EXPECT_THAT(plain->query, ElementsAre(Pair("a", "1 2"), Pair("b", "+"), Pair("c", "")));
  EXPECT_THAT(read_target("/")->path, ElementsAre(""));
  EXPECT_THAT(read_target("/?x")->path, ElementsAre(""));
  EXPECT_THAT(read_target("/a/")->path, ElementsAre("a", ""));
  for (const char* wrong : {"", "a", "*", "?", "/%", "/%1", "/%1g", "/%0a", "/a%7f", "/?a=%00",
                            "/?a=1&a=2", "http://x/"}) {
    EXPECT_FALSE(read_target(wrong)) << wrong;
  }
}

TEST(Metrics, AreConventional) {
  control::Board board;
  auto status = status_of("sh\"op\\\n");
  status.hold = decide::Hold{{5}, std::nullopt, false};
  status.objective = {{250ms, 99.5}, std::nullopt, {5000, 4000}, {400, 300}};
  board.put(std::make_shared<const control::Status>(std::move(status)));
  board.set_late(2);
  board.set_refused("shop.yaml:3:5: unknown field");
  const auto text = metrics(board, "1.2.3", Format::text);
  const auto open = metrics(board, "1.2.3", Format::open_metrics);
  const std::string of = R"(autoscaler="sh\"op\\\n")";
  struct Case {
    const char* why;
    std::string has;
    bool in_both = true;
  };
  const Case cases[] = {
      {"replicas by state", "headroom_replicas{" + of + ",state=\"ready\"} 2\n"},
      {"backing off is one", "headroom_replicas{" + of + ",state=\"backing_off\"} 1\n"},
      {"what is asked for", "headroom_replicas_wanted{" + of + "} 3\n"},
      {"an operator's word", "headroom_replicas_held{" + of + "} 5\n"},
      {"in cores", "headroom_replicas_cpu_cores{" + of + "} 0.5\n"},
      {"in bytes", "headroom_replicas_memory_bytes{" + of + "} 12582912\n"},
      {"answers by class", "headroom_requests_total{" + of + ",code=\"5xx\"} 9\n"},
      {"failures by reason", "headroom_request_failures_total{" + of + ",reason=\"refused\"} 7\n"},
      {"decisions", "headroom_decisions_total{" + of + "} 12\n"},
      {"rescales", "headroom_rescales_total{" + of + ",direction=\"up\"} 2\n"},
      {"conditions",
       "headroom_condition{" + of +
           ",condition=\"ScalingLimited\",reason=\"DesiredWithinRange\",status=\"false\"} 1\n"},
      {"what waits for the journal", "headroom_journal_late_decisions 2\n"},
      {"a document that is refused", "headroom_document_last_reload_success 0\n"},
      {"10 µs and 900 µs are within a millisecond",
       "headroom_request_duration_seconds_bucket{" + of + ",le=\"0.001\"} 2\n"},
      {"and 40 ms within 50",
       "headroom_request_duration_seconds_bucket{" + of + ",le=\"0.05\"} 3\n"},
      {"but not within 25",
       "headroom_request_duration_seconds_bucket{" + of + ",le=\"0.025\"} 2\n"},
      {"90 s are beyond all",
       "headroom_request_duration_seconds_bucket{" + of + ",le=\"60.0\"} 4\n"},
      {"all", "headroom_request_duration_seconds_bucket{" + of + ",le=\"+Inf\"} 5\n"},
      {"as many", "headroom_request_duration_seconds_count{" + of + "} 5\n"},
      {"a counter's family has its whole name", "# TYPE headroom_requests_total counter\n", false},
      {"an objective, in seconds", "headroom_objective_seconds{" + of + "} 0.25\n"},
      {"and for what part", "headroom_objective_ratio{" + of + "} 0.995\n"},
      {"what was held against it", "headroom_objective_requests_total{" + of + "} 5000\n"},
      {"what was within", "headroom_objective_requests_within_total{" + of + "} 4000\n"},
      {"the version", "headroom_build_info{version=\"1.2.3\"} 1\n"},
      {"the process", "\nprocess_cpu_seconds_total "},
  };
  for (const auto& [why, has, in_both] : cases) {
    SCOPED_TRACE(why);
    EXPECT_THAT(text, HasSubstr(has));
    if (in_both) {
      EXPECT_THAT(open, HasSubstr(has));
    }
  }
  EXPECT_THAT(open, HasSubstr("# TYPE headroom_requests counter\n"));
  EXPECT_THAT(open, HasSubstr("# TYPE headroom_build info\n"));
  EXPECT_TRUE(open.ends_with("# EOF\n"));
  EXPECT_THAT(text, Not(HasSubstr("# EOF")));

  const auto at = text.find("headroom_request_duration_seconds_sum{" + of + "} ");
  const double sum = std::stod(text.substr(text.find("} ", at) + 2));
  EXPECT_NEAR(sum, 92.041, 92.041 * 0.04) << "the sum is made of the buckets' middles";
}

TEST(Metrics, EachFamilyStandsTogether) {
  control::Board board;
  for (const char* name : {"a", "b"}) {
    board.put(std::make_shared<const control::Status>(status_of(name)));
  }
  std::istringstream lines(metrics(board, "1", Format::text));
  std::vector<std::string> families;
  std::size_t samples = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# TYPE ")) {
      const auto name = line.substr(7, line.find(' ', 7) - 7);
      EXPECT_THAT(families, Not(::testing::Contains(name))) << "twice";
      families.push_back(name);
    } else if (!line.starts_with('#')) {
      ++samples;
      EXPECT_TRUE(line.starts_with(families.back())) << line << " in " << families.back();
    }
  }
  EXPECT_GT(families.size(), 30u);
  EXPECT_GT(samples, 100u);
}

TEST(Metrics, TheFormatIsTheOneAskedFor) {
  constexpr auto kText = Format::text, kOpen = Format::open_metrics;
  struct Case {
    const char* why;
    const char* accept;
    Format expected;
  };
  const Case cases[] = {
      {"nothing is said", "", kText},
      {"anything: what all read", "*/*", kText},
      {"anything of that kind", "application/*", kText},
      {"named", "application/openmetrics-text", kOpen},
      {"Prometheus 2",
       "application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;"
       "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.2",
       kOpen},
      {"Prometheus 3",
       "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
       "application/openmetrics-text;version=0.0.1;q=0.5,"
       "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,"
       "*/*;q=0.2",
       kOpen},
      {"in any case of letters", "Application/OpenMetrics-Text; Version=1.0.0; Q=0.5", kOpen},
      {"in quotes", "application/openmetrics-text; version=\"1.0.0\"", kOpen},
      {"text weighs more", "text/plain;q=1, application/openmetrics-text;q=0.5", kText},
      {"by a hair", "application/openmetrics-text;q=0.998, text/plain;q=0.999", kText},
      {"it weighs as much", "text/plain;q=0.5, application/openmetrics-text;q=0.5", kOpen},
      {"anything else weighs more", "application/openmetrics-text;q=0.5, */*", kText},
      {"and text less than that", "application/openmetrics-text;q=0.5, */*, text/plain;q=0.1",
       kOpen},
      {"whatever order they come in",
       "text/plain;q=0.1, text/*, application/openmetrics-text;q=0.5", kOpen},
      {"not at all", "application/openmetrics-text;version=1.0.0;q=0, text/plain;q=0", kText},
      {"in a later version", "application/openmetrics-text; version=2.0.0", kText},
      {"in an earlier one", "application/openmetrics-text; version=0.0.1", kText},
      {"text in a version that is not ours",
       "application/openmetrics-text;q=0.2, text/plain;version=1.0.0;q=0.9, */*;q=0.1", kOpen},
      {"a weight that is none", "application/openmetrics-text;q=much, text/plain;q=0.5", kOpen},
      {"a weight above all", "application/openmetrics-text;q=9, text/plain;q=0.5", kOpen},
      {"a name that begins as ours", "application/openmetrics-text2", kText},
      {"a parameter that begins as ours", "application/openmetrics-text;versions=2", kOpen},
  };
  for (const auto& [why, accept, expected] : cases) {
    EXPECT_EQ(format_of(accept), expected) << why;
  }
}

TEST(Assets, AreNamedByTheirPath) {
  ASSERT_NE(find_asset(""), nullptr);
  EXPECT_EQ(find_asset(""), find_asset("index.html"));
  EXPECT_NE(find_asset("openapi.json"), nullptr);
  EXPECT_EQ(find_asset("nothing"), nullptr);
  for (const auto& asset : kAssets) {
    EXPECT_FALSE(asset.bytes.empty()) << asset.name;
    EXPECT_EQ(asset.gzip.substr(0, 8), std::string_view("\x1f\x8b\x08\0\0\0\0\0", 8))
        << asset.name << ": the same file is the same bytes, whenever it is built";
  }
}

}  // namespace
}  // namespace headroom::server
