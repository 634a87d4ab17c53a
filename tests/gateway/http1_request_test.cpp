#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "gateway/framing_cases.h"
#include "gateway/http1.h"

namespace headroom::gateway::http1 {
namespace {

const Peer kPeer{.address = "192.0.2.7", .via = "headroom-1f3a"};

struct Head {
  Outcome outcome;
  Request request;
  std::string out;
};

Head read(std::string_view in, const Peer& peer = kPeer, const Limits& limits = {}) {
  // Of exactly the size that is promised to be enough.
  std::vector<char> out(in.size() + limits.fields + 1024 + 2 * peer.address.size());
  Head head;
  std::size_t written = 0;
  head.outcome = read_request(in, limits, peer, head.request, out, written);
  if (head.outcome.status == Status::complete) head.out.assign(out.data(), written);
  return head;
}

/// The value of the only field `name` of a head; nothing where there is none.
std::optional<std::string> field(const std::string& head, const std::string& name) {
  const std::size_t at = head.find("\r\n" + name + ": ");
  if (at == std::string::npos) return {};
  EXPECT_EQ(head.find("\r\n" + name + ": ", at + 1), std::string::npos) << name << " twice";
  const std::size_t begin = at + 2 + name.size() + 2;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

/// What a message comes to: its status, or 0 and the bytes for the replica.
std::pair<int, std::string> pass(std::string_view in, bool* in_body = nullptr) {
  Head head = read(in);
  if (head.outcome.status == Status::refused) return {head.outcome.code, ""};
  EXPECT_EQ(head.outcome.status, Status::complete);
  const std::string_view body = in.substr(head.request.head_size);
  if (head.request.framing == Framing::length) {
    EXPECT_EQ(body.size(), head.request.length);
    head.out += body;
  } else if (head.request.framing == Framing::chunked) {
    Chunks chunks;
    std::vector<char> out(body.size() + 64);
    const auto step = chunks.feed(body, out);
    if (in_body != nullptr) *in_body = step.error != nullptr;
    if (step.error != nullptr) return {400, ""};
    EXPECT_TRUE(step.done);
    EXPECT_EQ(step.consumed, body.size());
    head.out.append(out.data(), step.written);
  }
  return {0, head.out};
}

TEST(Http1Request, FramingIsReadOneWayOrRefused) {
  for (const auto& [why, request, expected_status, forwarded, in_body] : kFramingCases) {
    SCOPED_TRACE(why);
    bool fault_in_body = false;
    const auto [status, out] = pass(request, &fault_in_body);
    EXPECT_EQ(status, expected_status);
    EXPECT_EQ(fault_in_body, in_body);
    if (expected_status == 0) {
      EXPECT_NE(out.find(forwarded), std::string::npos) << out;
    }
  }
}

TEST(Http1Request, ASplitHeadEndsTheSame) {
  for (const auto& row : kFramingCases) {
    SCOPED_TRACE(row.why);
    const Head whole = read(row.request);
    for (std::size_t size = 0; size < row.request.size(); ++size) {
      const std::string part(row.request.substr(0, size));  // of its own: ASan sees the end
      const Head head = read(part);
      if (head.outcome.status == Status::more) {
        const bool enough = whole.outcome.status == Status::complete;
        EXPECT_TRUE(!enough || size < whole.request.head_size) << size;
        continue;
      }
      EXPECT_EQ(head.outcome.status, whole.outcome.status) << size;
      EXPECT_EQ(head.outcome.code, whole.outcome.code) << size;
      EXPECT_STREQ(head.outcome.reason, whole.outcome.reason) << size;
      EXPECT_EQ(head.out, whole.out) << size;
    }
  }
}

TEST(Http1Request, SaysHowToGoOn) {
  struct Case {
    const char* why;
    const char* in;
    Framing framing;
    bool keep_alive, expect_continue, upgrade, idempotent;
  };
  const Case cases[] = {
      {"1.1 keeps its connection", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", Framing::none, true, false,
       false, true},
      {"unless it says close, whatever else",
       "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, "
       "Close\r\n\r\n",
       Framing::none, false, false, false, true},
      {"1.0 doesn't", "HEAD / HTTP/1.0\r\n\r\n", Framing::none, false, false, false, true},
      {"unless it asks", "PUT / HTTP/1.0\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\n",
       Framing::length, true, false, false, true},
      {"a list over two fields",
       "GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nConnection: "
       ",close\r\n\r\n",
       Framing::none, false, false, false, true},
      {"waits for 100",
       "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nTransfer-Encoding: "
       "chunked\r\n\r\n",
       Framing::chunked, true, true, false, false},
      {"no body to wait with",
       "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
       "Content-Length: 0\r\n\r\n",
       Framing::length, true, false, false, false},
      {"1.0 knows no 100", "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
       Framing::length, false, false, false, false},
      {"an upgrade",
       "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: "
       "keep-alive, Upgrade\r\n\r\n",
       Framing::none, true, false, true, true},
      {"not without Connection", "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n",
       Framing::none, true, false, false, true},
      {"not from 1.0", "GET / HTTP/1.0\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
       Framing::none, false, false, false, true},
      {"not to h2c", "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: H2C\r\nConnection: upgrade\r\n\r\n",
       Framing::none, true, false, false, true},
      {"DELETE may be sent again", "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", Framing::none, true,
       false, false, true},
      {"PATCH may not", "PATCH / HTTP/1.1\r\nHost: a\r\n\r\n", Framing::none, true, false, false,
       false},
  };
  for (const auto& [why, in, framing, keep_alive, expect_continue, upgrade, idempotent] : cases) {
    SCOPED_TRACE(why);
    const Head head = read(in);
    ASSERT_EQ(head.outcome.status, Status::complete) << head.outcome.reason;
    EXPECT_EQ(head.request.framing, framing);
    EXPECT_EQ(head.request.keep_alive, keep_alive);
    EXPECT_EQ(head.request.expect_continue, expect_continue);
    EXPECT_EQ(head.request.upgrade, upgrade);
    EXPECT_EQ(head.request.idempotent, idempotent);
    EXPECT_EQ(head.request.head, head.request.method == "HEAD");
    EXPECT_EQ(head.request.head_size, std::string_view(in).size());
  }
}

TEST(Http1Request, NamesMethodTargetAndHost) {
  const Head head =
      read("\r\nPOST /a?b HTTP/1.0\r\nhost: shop:80\r\nContent-Length: 12\r\n\r\nrest");
  ASSERT_EQ(head.outcome.status, Status::complete);
  EXPECT_EQ(head.request.method, "POST");
  EXPECT_EQ(head.request.target, "/a?b");
  EXPECT_EQ(head.request.host, "shop:80");
  EXPECT_EQ(head.request.length, 12U);
  EXPECT_EQ(head.request.minor, 0);
  EXPECT_EQ(head.request.head_size, 59U);

  const std::string in = "GET http://shop?b HTTP/1.1\r\nHost: x\r\n\r\n";
  std::vector<char> out(in.size() + 2048);
  Request request;
  std::size_t written = 0;
  ASSERT_EQ(read_request(in, {}, kPeer, request, out, written).status, Status::complete);
  EXPECT_EQ(request.target, "/?b");
  EXPECT_EQ(request.host, "shop");
}

TEST(Http1Request, WritesTheWholeHead) {
  const Head head = read(
      "GET /cart HTTP/1.1\r\nhost: shop\r\nUser-Agent:  curl/8\r\nTE: trailers\r\n"
      "traceparent: 00-1-2-03\r\nKeep-Alive: 5\r\nProxy-Connection: keep-alive\r\n"
      "Proxy-Authorization: Basic eA==\r\nAuthorization: Bearer x\r\nConnection: TE\r\n"
      "Cookie: a=b\r\nCookie: c=d\r\nVia: 1.1 edge\r\n\r\n");
  EXPECT_EQ(head.out,
            "GET /cart HTTP/1.1\r\nhost: shop\r\nUser-Agent: curl/8\r\n"
            "traceparent: 00-1-2-03\r\nAuthorization: Bearer x\r\nCookie: a=b\r\nCookie: c=d\r\n"
            "Via: 1.1 edge\r\nX-Forwarded-For: 192.0.2.7\r\nX-Real-IP: 192.0.2.7\r\n"
            "X-Forwarded-Proto: http\r\nX-Forwarded-Host: shop\r\nVia: 1.1 headroom-1f3a\r\n\r\n");
}

TEST(Http1Request, WhatConnectionNamesGoesWhereverItStands) {
  const Head head = read(
      "GET / HTTP/1.1\r\nX-A: 1\r\nHost: a\r\nConnection: x-a, X-B\r\nX-b:2\r\nX-C: 3\r\nx-A: 4\r\n"
      "X-AB: 5\r\n\r\n");
  EXPECT_TRUE(
      head.out.starts_with("GET / HTTP/1.1\r\nHost: a\r\nX-C: 3\r\nX-AB: 5\r\nX-Forwarded-For"))
      << head.out;
  std::string many = "GET / HTTP/1.1\r\nHost: a\r\nConnection: a1";
  for (int i = 2; i <= 17; ++i) many += ", a" + std::to_string(i);
  EXPECT_EQ(read(many + "\r\n\r\n").outcome.code, 400);
}

TEST(Http1Request, SaysWhoAskedAndTrustsOnlyWhomItIsTold) {
  constexpr const char* kNo = nullptr;
  struct Case {
    const char* why;
    bool trusted, forwarded;
    const char* fields;
    const char *x_for, *x_proto, *x_host, *x_real_ip, *rfc7239;
  };
  const Case cases[] = {
      {"added", false, false, "", "192.0.2.7", "http", "a", "192.0.2.7", kNo},
      {"replaced", false, false,
       "X-Forwarded-For: 6.6.6.6\r\nx-forwarded-proto: https\r\nX-FORWARDED-HOST: evil\r\n"
       "X-Real-Ip: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\n",
       "192.0.2.7", "http", "a", "192.0.2.7", kNo},
      {"appended to and kept", true, false,
       "X-Forwarded-For: 8.8.8.8\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: b\r\n"
       "X-Real-IP: 8.8.8.8\r\nForwarded: for=8.8.8.8\r\n",
       "8.8.8.8, 192.0.2.7", "https", "b", "8.8.8.8", "for=8.8.8.8"},
      {"a trusted peer that says nothing is the client", true, false, "", "192.0.2.7", "http", "a",
       "192.0.2.7", kNo},
      {"a proxy's own address is no client's", true, false, "X-Forwarded-For: 8.8.8.8\r\n",
       "8.8.8.8, 192.0.2.7", "http", "a", kNo, kNo},
      {"an empty one is none", true, false, "X-Forwarded-For:\r\nX-Real-IP: \r\n", "192.0.2.7",
       "http", "a", "192.0.2.7", kNo},
      {"the standard's, where asked for", false, true, "Forwarded: for=6.6.6.6\r\n", "192.0.2.7",
       "http", "a", "192.0.2.7", "for=192.0.2.7;host=\"a\";proto=http"},
      {"underscores pass for hyphens with CGI", false, false,
       "X_Forwarded_For: 6.6.6.6\r\nX-Forwarded_Proto: https\r\nX_Real_IP: 6.6.6.6\r\n",
       "192.0.2.7", "http", "a", "192.0.2.7", kNo},
  };
  for (const auto& [why, trusted, forwarded, fields, x_for, x_proto, x_host, x_real, rfc7239] :
       cases) {
    SCOPED_TRACE(why);
    Peer peer = kPeer;
    peer.trusted = trusted;
    peer.forwarded = forwarded;
    const Head head = read("GET / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n", peer);
    ASSERT_EQ(head.outcome.status, Status::complete);
    const auto expect = [&](const char* name, const char* value) {
      std::string text = head.out;
      const auto found = field(text, name);
      EXPECT_EQ(found.value_or("none"), value == kNo ? "none" : value) << name;
    };
    // As received where kept: the names above are spelled so.
    expect("X-Forwarded-For", x_for);
    expect("X-Forwarded-Proto", x_proto);
    expect("X-Forwarded-Host", x_host);
    expect("X-Real-IP", x_real);
    expect("Forwarded", rfc7239);
    EXPECT_EQ(head.out.find("6.6.6.6"), std::string::npos);
    EXPECT_EQ(head.out.find('_'), std::string::npos);
  }
}

TEST(Http1Request, AppendsToTheLastOfSeveralTrustedFields) {
  Peer peer = kPeer;
  peer.trusted = true;
  const Head head = read(
      "GET / HTTP/1.1\r\nX-Forwarded-For: 1.1.1.1\r\nHost: a\r\nX-Forwarded-For: "
      "2.2.2.2,3.3.3.3\r\n"
      "X-Drop: x\r\nConnection: x-drop\r\nX: y\r\n\r\n",
      peer);
  EXPECT_TRUE(
      head.out.starts_with("GET / HTTP/1.1\r\nX-Forwarded-For: 1.1.1.1\r\nHost: a\r\n"
                           "X-Forwarded-For: 2.2.2.2,3.3.3.3, 192.0.2.7\r\nX: y\r\n"))
      << head.out;
}

TEST(Http1Request, WritesForwardedForEveryKindOfPeer) {
  struct Case {
    const char* why;
    const char* address;
    const char* expected;
  };
  const Case cases[] = {
      {"IPv4", "192.0.2.7", "for=192.0.2.7;host=\"a\";proto=https"},
      {"IPv6 is quoted", "2001:db8::1", "for=\"[2001:db8::1]\";host=\"a\";proto=https"},
      {"a Unix socket has no address", "", "for=unknown;host=\"a\";proto=https"},
      {"or only a path", "unix:/run/x", "for=unknown;host=\"a\";proto=https"},
  };
  for (const auto& [why, address, expected] : cases) {
    SCOPED_TRACE(why);
    const Peer peer{.address = address, .scheme = "https", .forwarded = true, .via = "h"};
    const Head head = read("GET / HTTP/1.1\r\nHost: a\r\n\r\n", peer);
    EXPECT_EQ(field(head.out, "Forwarded"), expected);
  }
}

TEST(Http1Request, UpgradesGoOutWithoutH2c) {
  const Head head = read(
      "GET / HTTP/1.1\r\nUpgrade: h2c, websocket , foo/2,bad one\r\nHost: a\r\nConnection: "
      "Upgrade\r\nUpgrade: other\r\nSec-WebSocket-Key: x\r\n\r\n");
  EXPECT_TRUE(head.request.upgrade);
  EXPECT_EQ(field(head.out, "Upgrade"), "websocket,foo/2");
  EXPECT_EQ(field(head.out, "Connection"), "upgrade");
  EXPECT_EQ(field(head.out, "Sec-WebSocket-Key"), "x");
}

TEST(Http1Request, SeesALoop) {
  struct Case {
    const char* why;
    const char* via;
    int expected;
  };
  const Case cases[] = {
      {"our own", "1.1 headroom-1f3a", 508},
      {"among others", "1.0 edge, HTTP/1.1 Headroom-1F3A (x), 1.1 b", 508},
      {"another instance", "1.1 headroom-1f3b", 0},
      {"another whose name begins alike", "1.1 headroom-1f3a2", 0},
      {"only in a comment", "1.1 edge (headroom-1f3a)", 0},
      {"no received-by at all", "headroom-1f3a", 0},
  };
  for (const auto& [why, via, expected] : cases) {
    SCOPED_TRACE(why);
    const Head head = read("GET / HTTP/1.1\r\nHost: a\r\nVia: " + std::string(via) + "\r\n\r\n");
    EXPECT_EQ(head.outcome.code, expected);
  }
}

TEST(Http1Request, KeepsToItsLimits) {
  const Limits limits{.request_line = 40, .head = 80, .fields = 3};
  const auto get = [](std::size_t line) {  // a request line of so many bytes
    return "GET /" + std::string(line - 14, 'x') + " HTTP/1.1\r\n";
  };
  const auto padded = [](std::size_t size) {  // a head of so many bytes
    return "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(size - 32, 'x') + "\r\n\r\n";
  };
  struct Case {
    const char* why;
    std::string in;
    int expected;  // 0: complete
  };
  const Case cases[] = {
      {"a line of just 40", get(40) + "Host: a\r\n\r\n", 0},
      {"a line of 41", get(41) + "Host: a\r\n\r\n", 414},
      {"a line without end", std::string(42, 'G'), 414},
      {"an empty line before doesn't count", "\r\n" + get(40) + "Host: a\r\n\r\n", 0},
      {"a head of just 80", padded(80), 0},
      {"a head of 81", padded(81), 431},
      {"an empty line before doesn't count here", "\r\n" + padded(80), 0},
      {"a head without end", padded(81).substr(0, 80), 431},
      {"three fields", "GET / HTTP/1.1\r\nHost: a\r\nB:\r\nC:\r\n\r\n", 0},
      {"four fields", "GET / HTTP/1.1\r\nHost: a\r\nB:\r\nC:\r\nD:\r\n\r\n", 431},
  };
  for (const auto& [why, in, expected] : cases) {
    SCOPED_TRACE(why);
    const Head head = read(in, kPeer, limits);
    EXPECT_EQ(head.outcome.code, expected);
    EXPECT_NE(head.outcome.status, Status::more);
    for (std::size_t size = 0; size < in.size(); ++size) {
      const Head part = read(in.substr(0, size), kPeer, limits);
      if (part.outcome.status != Status::more) {
        EXPECT_EQ(part.outcome.code, expected) << size;
      }
    }
  }
}

TEST(Http1Request, WorstHeadsFitWhatIsPromised) {
  Peer peer{.address = "2001:db8:1111:2222:3333:4444:5555:6666",
            .scheme = "https",
            .trusted = false,
            .forwarded = true,
            .via = "headroom-0123456789abcdef"};
  std::string host(255, 'h');
  std::string in = "GET / HTTP/1.1\r\nHost:" + host + ":65535\r\nConnection:upgrade\r\nUpgrade:";
  for (int i = 0; i < 1000; ++i) in += "a,";
  in += "a\r\n";
  for (int i = 0; i < 125; ++i) in += "X:y\r\n";
  EXPECT_EQ(read(in + "\r\n", peer).outcome.status, Status::complete);
  peer.trusted = true;
  in.replace(in.rfind("X:y"), 3, "X-Forwarded-For:1");
  EXPECT_EQ(read(in + "\r\n", peer).outcome.status, Status::complete);
  EXPECT_EQ(read("GET http://" + host + ":65535 HTTP/1.0\r\n\r\n", peer).outcome.status,
            Status::complete);
  EXPECT_EQ(read("GET / HTTP/1.1\r\nHost: " + host + "h\r\n\r\n", peer).outcome.code, 400)
      << "longer than any DNS name";
}

TEST(Http1Request, TooLittleRoomIsNoOverflow) {
  const std::string in = "GET / HTTP/1.1\r\nHost: a\r\nX-Hop: 1\r\nConnection: x-hop\r\n\r\n";
  const std::size_t enough = read(in).out.size() + 10;  // X-Hop is written before it is removed
  for (std::size_t room = 0; room <= enough; ++room) {
    std::vector<char> out(room);
    Request request;
    std::size_t written = 0;
    const Outcome outcome = read_request(in, {}, kPeer, request, out, written);
    EXPECT_LE(written, room);
    EXPECT_EQ(outcome.code, room < enough - 10 ? 431 : outcome.code);
  }
}

}  // namespace
}  // namespace headroom::gateway::http1
