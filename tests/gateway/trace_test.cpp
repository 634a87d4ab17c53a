#include "gateway/trace.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "gateway/harness.h"
#include "gateway/http1.h"

namespace headroom::gateway {
namespace {

using testing::answer;
using testing::Backend;
using testing::eventually;
using testing::Message;
using testing::Socket;
using testing::World;

constexpr const char* kTrace = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr const char* kCaller = "00f067aa0ba902b7";
const std::string kSampled = fmt::format("00-{}-{}-01", kTrace, kCaller);
const std::string kUnsampled = fmt::format("00-{}-{}-00", kTrace, kCaller);

std::string written(const TraceContext& context) {
  std::string text(kTraceparentSize, ' ');
  write_traceparent(context, std::span<char, kTraceparentSize>(text.data(), kTraceparentSize));
  return text;
}

TEST(Traceparent, IsReadAsTheSpecificationSays) {
  struct Case {
    const char* why;
    std::string value;
    bool valid;
  };
  const std::string ids = fmt::format("-{}-{}-", kTrace, kCaller);
  const Case cases[] = {
      {"the usual", kSampled, true},
      {"not sampled", kUnsampled, true},
      {"flags that nobody knows yet", "00" + ids + "ff", true},
      {"a later version of the same length", "01" + ids + "01", true},
      {"a later version with more behind it", "cc" + ids + "01-what-the-future-brings", true},
      {"a later version with something else behind it", "cc" + ids + "01.more", false},
      {"a later version with a dash alone behind it", "cc" + ids + "01-", true},
      {"version 00 with more behind it", kSampled + "-more", false},
      {"version ff is forbidden", "ff" + ids + "01", false},
      {"upper case in the trace id", "00-4BF92f3577b34da6a3ce929d0e0e4736-" + ids.substr(34) + "01",
       false},
      {"upper case in the version", "0A" + ids + "01", false},
      {"upper case in the flags", "00" + ids + "0A", false},
      {"a trace id of zeros", fmt::format("00-{:032}-{}-01", 0, kCaller), false},
      {"a parent of zeros", fmt::format("00-{}-{:016}-01", kTrace, 0), false},
      {"one character short", kSampled.substr(0, 54), false},
      {"empty", "", false},
      {"no dash", "00_" + std::string(kSampled.substr(3)), false},
      {"not hexadecimal", "00-gbf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false},
      {"a space before it", " " + kSampled.substr(0, 54), false},
  };
  for (const auto& [why, value, valid] : cases) {
    SCOPED_TRACE(why);
    const auto context = parse_traceparent(value);
    ASSERT_EQ(context.has_value(), valid);
    if (!valid) continue;
    EXPECT_EQ(to_hex(context->trace), kTrace);
    EXPECT_EQ(to_hex(context->span), kCaller);
    EXPECT_EQ(written(*context), "00" + value.substr(2, 53));
  }
}

TEST(Traceparent, IsTheOnlyOneInTheHead) {
  struct Case {
    const char* why;
    std::string fields;
    bool keep_state;
    std::string expected;
  };
  const std::string ours = "traceparent: " + kSampled + "\r\n";
  const Case cases[] = {
      {"none was there", "Host: a\r\n", true, "Host: a\r\n" + ours},
      {"the caller's goes, its state stays", "A: b\r\ntraceparent: x\r\ntracestate: v=1\r\n", true,
       "A: b\r\ntracestate: v=1\r\n" + ours},
      {"the state of a malformed one goes with it",
       "traceparent: x\r\ntracestate: v=1\r\nHost: a\r\nTraceState: w=2\r\n", false,
       "Host: a\r\n" + ours},
      {"several, in any letters", "TraceParent: x\r\nHost: a\r\nTRACEPARENT:\r\n", true,
       "Host: a\r\n" + ours},
      {"names that only begin so stay", "traceparent2: x\r\nX-traceparent: y\r\n", true,
       "traceparent2: x\r\nX-traceparent: y\r\n" + ours},
  };
  for (const auto& [why, fields, keep_state, expected] : cases) {
    SCOPED_TRACE(why);
    const std::string line = "GET /traceparent: HTTP/1.1\r\n";
    std::string head = line + fields + "\r\n";
    const auto size = head.size();
    head.resize(size + kTraceparentField);
    head.resize(put_traceparent(head, size, *parse_traceparent(kSampled), keep_state));
    EXPECT_EQ(head, line + expected + "\r\n");
  }
}

TEST(Tracer, LetsTheCallerDecideAndElseTheRatio) {
  struct Case {
    const char* why;
    double ratio;
    std::string traceparent;
    bool sampled, continued;
  };
  const Case cases[] = {
      {"sampled by the caller, whatever the ratio", 0, kSampled, true, true},
      {"not sampled by the caller, whatever the ratio", 1, kUnsampled, false, false},
      {"a malformed one says nothing: a root", 1, "00-xyz", true, false},
      {"a malformed one says nothing: not sampled", 0, "00-xyz", false, false},
      {"no one said anything", 1, "", true, false},
      {"nothing is sampled at 0", 0, "", false, false},
  };
  for (const auto& [why, ratio, traceparent, sampled, continued] : cases) {
    SCOPED_TRACE(why);
    Tracer tracer(ratio, 1);
    Span span;
    ASSERT_EQ(tracer.begin(traceparent, span), sampled);
    if (!sampled) continue;
    EXPECT_EQ(to_hex(span.context.trace) == kTrace, continued);
    EXPECT_EQ(to_hex(span.parent), continued ? kCaller : "0000000000000000");
    EXPECT_NE(to_hex(span.context.span), kCaller);
    EXPECT_TRUE(span.context.sampled());
  }
}

TEST(Tracer, SamplesItsShareAndNoIdTwice) {
  Tracer tracer(0.01, 7);
  std::set<std::string> ids;
  Span span;
  for (int i = 0; i < 200'000; ++i) {
    if (!tracer.begin("", span)) continue;
    ids.insert(to_hex(span.context.trace));
    ids.insert(to_hex(span.context.span));
    // As TraceIdRatioBased: the last 8 bytes without their last bit, below the ratio's share.
    EXPECT_LE(span.context.trace[8], 2);
  }
  EXPECT_GT(ids.size(), 2 * 1700u);  // 2,000 ± 45, six times over
  EXPECT_LT(ids.size(), 2 * 2300u);
  EXPECT_EQ(ids.size() % 2, 0u);
}

TEST(SpanRing, KeepsOrderAndDropsWhatIsTooMuch) {
  SpanRing ring;
  std::vector<Span> taken;
  Span span;
  for (std::size_t i = 0; i < SpanRing::kSize + 3; ++i) {
    span.replica = i;
    ring.put(span);
  }
  EXPECT_EQ(ring.dropped(), 3u);
  ring.take(taken, 10);
  ASSERT_EQ(taken.size(), 10u);
  ring.put(span);  // there is room again, at the end of the ring
  ring.take(taken, SpanRing::kSize);
  ASSERT_EQ(taken.size(), SpanRing::kSize + 1);
  for (std::size_t i = 0; i < SpanRing::kSize; ++i) EXPECT_EQ(taken[i].replica, i);
  EXPECT_EQ(taken.back().replica, SpanRing::kSize + 2);
  ring.take(taken, 1);
  EXPECT_EQ(taken.size(), SpanRing::kSize + 1) << "it is empty";
}

TEST(SpanRing, LosesNothingBetweenTwoThreads) {
  SpanRing ring;
  constexpr std::uint64_t kAll = 200'000;
  std::thread writer([&ring] {
    Span span;
    for (std::uint64_t i = 1; i <= kAll; ++i) {
      span.replica = i;
      ring.put(span);
    }
  });
  std::vector<Span> taken;
  std::uint64_t seen = 0, newest = 0;
  while (seen + ring.dropped() < kAll) {
    taken.clear();
    ring.take(taken, 100);
    for (const auto& span : taken) {
      ASSERT_GT(span.replica, newest);
      newest = span.replica;
    }
    seen += taken.size();
  }
  writer.join();
  EXPECT_GT(seen, 0u);
}

TEST(ShortText, IsCut) {
  ShortText<4> text;
  text.set("abcdef");
  EXPECT_EQ(text.view(), "abcd");
  text.set("");
  EXPECT_EQ(text.view(), "");
}

/// A gateway that traces, and a replica that answers with the head that it got.
class Traced : public ::testing::Test {
 protected:
  void begin(double ratio, Settings settings = {}) {
    tracing = std::make_shared<Tracing>(ratio);
    world.emplace(settings, 2, tracing);
  }
  /// In the order of their requests.
  std::vector<Span> spans(std::size_t count) {
    EXPECT_TRUE(eventually([&] {
      tracing->take(taken);
      return taken.size() >= count;
    })) << taken.size();
    EXPECT_EQ(taken.size(), count);
    std::ranges::stable_sort(taken, {}, &Span::start);  // they come from several threads
    return taken;
  }
  /// No more than `time` can have passed, and all of it is in one of the three.
  static void adds_up(const Span& span, Micros least, Micros most) {
    const auto all = span.held + span.queued + span.upstream;
    EXPECT_GE(all, least);
    EXPECT_LE(all, most);
    EXPECT_GE(std::min({span.held, span.queued, span.upstream}), Micros{});
  }

  std::shared_ptr<Tracing> tracing;
  std::optional<World> world;
  std::vector<Span> taken;
  Backend echo{Backend::answers([](const Message& request) { return answer(request.head); })};
};

TEST_F(Traced, ACallersTraceIsGoneOnWithOrLeftAlone) {
  struct Case {
    const char* why;
    double ratio;
    std::string fields;
    bool sampled, continued;
    std::string state;  // that the replica gets
  };
  const Case cases[] = {
      {"sampled: the replica's parent is ours", 0, "traceparent: " + kSampled + "\r\n", true, true,
       ""},
      {"the state passes", 0, "Tracestate: a=1,b=2\r\nTraceparent:  " + kSampled + "\r\n", true,
       true, "a=1,b=2"},
      {"not sampled: as it came", 1, "traceparent: " + kUnsampled + "\r\nTracestate: a=1\r\n",
       false, true, "a=1"},
      {"malformed, and no root is sampled: as it came", 0,
       "traceparent: 00-zz\r\nTracestate: a=1\r\n", false, false, "a=1"},
      {"malformed: a root takes its place, and its state goes", 1,
       "traceparent: 00-zz\r\nTracestate: a=1\r\n", true, false, ""},
      {"two of them are malformed", 1,
       "traceparent: " + kSampled + "\r\ntraceparent: " + kSampled + "\r\n", true, false, ""},
      {"none", 0, "", false, false, ""},
      {"none: a root", 1, "", true, false, ""},
  };
  for (const auto& [why, ratio, fields, sampled, continued, state] : cases) {
    SCOPED_TRACE(why);
    taken.clear();
    begin(ratio);
    world->use({&echo});
    const auto head = world->get(fields, "/a?b=c").body;
    EXPECT_EQ(testing::field(head, "Tracestate"), state) << head;
    auto sent = testing::field(head, "traceparent");
    if (!sampled) {
      EXPECT_EQ(sent, testing::field("\r\n" + fields, "traceparent"));
      EXPECT_EQ(taken.size(), 0u);
      continue;
    }
    const auto span = spans(1).front();
    EXPECT_EQ(sent, written(span.context));
    EXPECT_EQ(head.find("raceparent", head.find("raceparent") + 1), head.npos) << head;
    EXPECT_EQ(to_hex(span.context.trace) == kTrace, continued);
    EXPECT_EQ(to_hex(span.parent), continued ? kCaller : "0000000000000000");
    EXPECT_EQ(span.status, 200);
    EXPECT_EQ(span.failure, Failure::kCount);
    EXPECT_EQ(span.service.view(), "test");
    EXPECT_EQ(span.method.view(), "GET");
    EXPECT_EQ(span.path.view(), "/a");
    EXPECT_EQ(span.host.view(), "test");
    EXPECT_EQ(span.client.view(), "127.0.0.1");
    EXPECT_EQ(span.replica, 1001u);
  }
}

TEST_F(Traced, WhatFollowsTheHeadIsUntouched) {
  begin(1);
  Backend body{Backend::answers([](const Message& request) { return answer(request.body); })};
  world->use({&body});
  auto client = world->client();
  const std::string large(100'000, 'x');
  for (const auto& sent : {std::string("abc"), large, std::string("d")}) {
    client.send(fmt::format("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{}",
                            sent.size(), sent));
    EXPECT_EQ(testing::read_message(client).body, sent);
  }
  // Pipelined.
  client.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(testing::read_message(client).status(), 200);
  EXPECT_EQ(testing::read_message(client).status(), 200);
  const auto all = spans(5);
  EXPECT_EQ(all[3].path.view(), "/1");
  EXPECT_EQ(all[4].path.view(), "/2");
  std::set<std::string> ids;
  for (const auto& span : all) ids.insert(to_hex(span.context.trace));
  EXPECT_EQ(ids.size(), 5u);
}

TEST_F(Traced, TheTimesSayWhatItWaitedFor) {
  const auto before = std::chrono::steady_clock::now();
  begin(1);
  Backend slow{Backend::answers([](const Message&) {
    std::this_thread::sleep_for(100ms);
    return answer("ok");
  })};
  // Two requests while there is no replica; then one that has room for one at a time.
  auto one = world->client(), other = world->client();
  one.send("GET /one HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return world->now().waiting == 1; }));
  std::this_thread::sleep_for(50ms);
  world->use({&slow}, 1);
  ASSERT_TRUE(eventually([&] { return world->now().outstanding == 1; }));
  other.send("GET /other HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(testing::read_message(one).status(), 200);
  EXPECT_EQ(testing::read_message(other).status(), 200);
  const auto all = spans(2);
  const auto most = std::chrono::duration_cast<Micros>(std::chrono::steady_clock::now() - before);
  EXPECT_GE(all[0].held, 45ms);
  EXPECT_GE(all[0].upstream, 95ms);
  adds_up(all[0], 140ms, most);
  EXPECT_EQ(all[1].held, Micros{});
  EXPECT_GT(all[1].queued, Micros{}) << "for room at the replica";
  EXPECT_GE(all[1].upstream, 95ms);
  adds_up(all[1], 95ms, most);
}

TEST_F(Traced, AFailureIsNamed) {
  Settings settings;
  settings.hold.timeout = 500ms;
  begin(1, settings);
  EXPECT_EQ(world->get().status(), 503);
  Backend resets{[](Socket& socket) {
    testing::read_message(socket);
    socket.will_reset();
  }};
  world->use({&resets});
  EXPECT_EQ(world->get().status(), 502);
  Backend silent{[](Socket& socket) { socket.receive(), socket.receive(); }};
  world->use({&silent});
  auto client = world->client();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return world->now().outstanding == 1; }));
  client.close();
  const auto all = spans(3);
  EXPECT_EQ(all[0].failure, Failure::hold_timeout);
  EXPECT_EQ(all[0].status, 503);
  EXPECT_EQ(all[0].replica, 0u);
  EXPECT_GE(all[0].held, 500ms);
  EXPECT_EQ(all[1].failure, Failure::reset_before_head);
  EXPECT_EQ(all[1].status, 502);
  EXPECT_EQ(all[1].retries, 2);
  EXPECT_EQ(all[2].failure, Failure::client_abort);
  EXPECT_EQ(all[2].status, 0);
}

TEST_F(Traced, ATunnelEndsWithItsConnection) {
  begin(1);
  Backend echoes{[](Socket& socket) {
    socket.until("\r\n\r\n");
    socket.send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n");
    socket.send(socket.exactly(4));
  }};
  world->use({&echoes});
  auto client = world->client();
  client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n");
  EXPECT_NE(client.until("\r\n\r\n").find("101"), std::string::npos);
  client.send("ping");
  EXPECT_EQ(client.exactly(4), "ping");
  tracing->take(taken);
  EXPECT_EQ(taken.size(), 0u) << "it is open";
  client.close();
  const auto span = spans(1).front();
  EXPECT_EQ(span.status, 101);
  EXPECT_EQ(span.failure, Failure::kCount);
}

TEST_F(Traced, WhatIsLongIsCut) {
  begin(1);
  world->use({&echo});
  const auto head = world->get("", "/" + std::string(1000, 'p')).body;
  EXPECT_NE(head.find(std::string(1000, 'p')), head.npos) << "for the replica it is whole";
  EXPECT_EQ(spans(1).front().path.view(), "/" + std::string(159, 'p'));
}

}  // namespace
}  // namespace headroom::gateway
