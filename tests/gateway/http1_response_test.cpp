#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "gateway/http1.h"

namespace headroom::gateway::http1 {
namespace {

constexpr std::string_view kDate = "Thu, 01 Jan 1970 00:00:00 GMT";
constexpr Asked kGet{};
constexpr Asked kHead{.head = true};
constexpr Asked kOld{.minor = 0, .keep_alive = false};
constexpr Asked kOldKept{.minor = 0, .keep_alive = true};
constexpr Asked kUpgrade{.upgrade = true};

struct ResponseHead {
  Outcome outcome;
  Response response;
  std::string out;
};

ResponseHead read_one(std::string_view in, const Asked& asked = kGet) {
  std::vector<char> out(in.size() + 512);
  ResponseHead head;
  std::size_t written = 0;
  head.outcome = read_response(in, asked, kDate, head.response, out, written);
  if (head.outcome.status == Status::complete) head.out.assign(out.data(), written);
  return head;
}

constexpr auto kNone = Framing::none, kLength = Framing::length, kChunked = Framing::chunked,
               kClose = Framing::close;
struct FrameCase {
  const char* why;
  Asked asked;
  const char* in;
  Framing framing, out_framing;
  bool upstream, client;  // keep alive
  const char* out;
};
const FrameCase kFrames[] = {
    {"a length", kGet, "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 05\r\n\r\n", kLength, kLength,
     true, true, "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 5\r\n\r\n"},
    {"chunks", kGet, "HTTP/1.1 200 OK\r\nDate: x\r\ntransfer-encoding:Chunked\r\n\r\n", kChunked,
     kChunked, true, true, "HTTP/1.1 200 OK\r\nDate: x\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {"until close becomes chunks", kGet, "HTTP/1.0 200 OK\r\nDate: x\r\n\r\n", kClose, kChunked,
     false, true, "HTTP/1.1 200 OK\r\nDate: x\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {"until close for 1.0", kOldKept, "HTTP/1.1 200 OK\r\nDate: x\r\n\r\n", kClose, kClose, false,
     false, "HTTP/1.1 200 OK\r\nDate: x\r\nConnection: close\r\n\r\n"},
    {"chunks for 1.0", kOldKept, "HTTP/1.1 200 OK\r\nDate: x\r\nTransfer-Encoding: chunked\r\n\r\n",
     kChunked, kClose, true, false, "HTTP/1.1 200 OK\r\nDate: x\r\nConnection: close\r\n\r\n"},
    {"a length for 1.0 that asked to stay", kOldKept,
     "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 5\r\n\r\n", kLength, kLength, true, true,
     "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n"},
    {"a length for 1.0", kOld, "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 5\r\n\r\n", kLength,
     kLength, true, false,
     "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\n"},
    {"HEAD has no body whatever it declares", kHead,
     "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 5\r\n\r\n", kNone, kNone, true, true,
     "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 5\r\n\r\n"},
    {"nor chunks", kHead, "HTTP/1.1 200 OK\r\nDate: x\r\nTransfer-Encoding: chunked\r\n\r\n", kNone,
     kNone, true, true, "HTTP/1.1 200 OK\r\nDate: x\r\n\r\n"},
    {"nor a body until close", kHead, "HTTP/1.1 200 OK\r\nDate: x\r\n\r\n", kNone, kNone, true,
     true, "HTTP/1.1 200 OK\r\nDate: x\r\n\r\n"},
    {"304 tells the length it would have", kGet,
     "HTTP/1.1 304 Not Modified\r\nDate: x\r\nContent-Length: 5\r\n\r\n", kNone, kNone, true, true,
     "HTTP/1.1 304 Not Modified\r\nDate: x\r\nContent-Length: 5\r\n\r\n"},
    {"204 may not", kGet, "HTTP/1.1 204 No Content\r\nDate: x\r\nContent-Length: 5\r\n\r\n", kNone,
     kNone, true, true, "HTTP/1.1 204 No Content\r\nDate: x\r\n\r\n"},
    {"100 is another head to come", kGet, "HTTP/1.1 100 Continue\r\n\r\n", kNone, kNone, true, true,
     "HTTP/1.1 100 Continue\r\n\r\n"},
    {"103 brings fields", kGet, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", kNone, kNone,
     true, true, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"},
    {"no reason, no space", kGet, "HTTP/1.1 200\r\nDate: x\r\nContent-Length: 0\r\n\r\n", kLength,
     kLength, true, true, "HTTP/1.1 200 \r\nDate: x\r\nContent-Length: 0\r\n\r\n"},
    {"the replica closes, the client stays", kGet,
     "HTTP/1.1 200 OK\r\nDate: x\r\nConnection: close\r\nContent-Length: 1\r\n\r\n", kLength,
     kLength, false, true, "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 1\r\n\r\n"},
    {"a 1.0 replica closes", kGet, "HTTP/1.0 200 OK\r\nDate: x\r\nContent-Length: 1\r\n\r\n",
     kLength, kLength, false, true, "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 1\r\n\r\n"},
    {"unless it says it doesn't", kGet,
     "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nDate: x\r\nContent-Length: 1\r\n\r\n", kLength,
     kLength, true, true, "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 1\r\n\r\n"},
};

TEST(Http1Response, FramesForEachClient) {
  for (const auto& [why, asked, in, framing, out_framing, upstream, client, out] : kFrames) {
    SCOPED_TRACE(why);
    const ResponseHead head = read_one(in, asked);
    ASSERT_EQ(head.outcome.status, Status::complete) << head.outcome.reason;
    EXPECT_EQ(head.response.framing, framing);
    EXPECT_EQ(head.response.out_framing, out_framing);
    EXPECT_EQ(head.response.upstream_keep_alive, upstream);
    EXPECT_EQ(head.response.client_keep_alive, client);
    EXPECT_EQ(head.response.interim, head.response.code < 200);
    EXPECT_EQ(head.response.head_size, std::string_view(in).size());
    EXPECT_EQ(head.out, out);
  }
}

struct BadCase {
  const char* why;
  std::string in;
};

std::vector<BadCase> bad_cases() {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  return {
      {"no response at all", "SSH-2.0-OpenSSH_9.2\r\n"},
      {"an empty line before", "\r\n" + ok + "\r\n"},
      {"another protocol", "ICY 200 OK\r\n\r\n"},
      {"HTTP/2", "HTTP/2.0 200 OK\r\n\r\n"},
      {"a version of two digits", "HTTP/1.10 200 OK\r\n\r\n"},
      {"a version in lower case", "http/1.1 200 OK\r\n\r\n"},
      {"two spaces", "HTTP/1.1  200 OK\r\n\r\n"},
      {"a status of two digits", "HTTP/1.1 20 OK\r\n\r\n"},
      {"a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n"},
      {"a status below", "HTTP/1.1 099 OK\r\n\r\n"},
      {"a status above", "HTTP/1.1 600 OK\r\n\r\n"},
      {"a status that is no number", "HTTP/1.1 2x0 OK\r\n\r\n"},
      {"a control in the reason", "HTTP/1.1 200 O\x01K\r\n\r\n"},
      {"a bare LF after the status", "HTTP/1.1 200 OK\n\r\n"},
      {"a bare CR after the status", "HTTP/1.1 200 OK\rX: y\r\n\r\n"},
      {"a bare LF after a field", ok + "X: y\n\r\n"},
      {"a folded field", ok + "X: y\r\n z\r\n\r\n"},
      {"a space before the colon", ok + "Content-Length : 1\r\n\r\n"},
      {"no colon", ok + "X\r\n\r\n"},
      {"NUL", ok + "X: " + '\0' + "\r\n\r\n"},
      {"both framings", ok + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"both framings, turned", ok + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n"},
      {"two lengths", ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n"},
      {"two equal lengths", ok + "Content-Length: 1\r\nContent-Length: 1\r\n\r\n"},
      {"a list of lengths", ok + "Content-Length: 1, 1\r\n\r\n"},
      {"a signed length", ok + "Content-Length: -1\r\n\r\n"},
      {"an empty length", ok + "Content-Length:\r\n\r\n"},
      {"a length over 2^63 - 1", ok + "Content-Length: 9223372036854775808\r\n\r\n"},
      {"two codings", ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"a coding we'd have to undo", ok + "Transfer-Encoding: gzip, chunked\r\n\r\n"},
      {"a coding until close", ok + "Transfer-Encoding: gzip\r\n\r\n"},
      {"chunks in 1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"Connection names framing", ok + "Connection: content-length\r\nContent-Length: 1\r\n\r\n"},
      {"a 101 nobody asked for", "HTTP/1.1 101 x\r\nUpgrade: y\r\nConnection: upgrade\r\n\r\n"},
      {"a head over 64 KiB", ok + "X: " + std::string(64 << 10, 'x') + "\r\n\r\n"},
      {"over 256 fields",
       [&] {
         std::string in = ok;
         for (int i = 0; i < 257; ++i) in += "X:y\r\n";
         return in + "\r\n";
       }()},
  };
}

TEST(Http1Response, RefusesWhatCouldBeReadTwoWays) {
  for (const auto& [why, in] : bad_cases()) {
    SCOPED_TRACE(why);
    const ResponseHead head = read_one(in);
    EXPECT_EQ(head.outcome.status, Status::refused);
    EXPECT_EQ(head.outcome.code, 502);
    EXPECT_STRNE(head.outcome.reason, "");
    const std::size_t step = in.size() > 4096 ? 997 : 1;
    for (std::size_t size = 0; size < in.size(); size += step) {
      const ResponseHead part = read_one(std::string(in, 0, size));
      EXPECT_NE(part.outcome.status, Status::complete) << size;
      if (part.outcome.status == Status::refused) {
        EXPECT_STREQ(part.outcome.reason, head.outcome.reason) << size;
      }
    }
  }
}

TEST(Http1Response, ASplitHeadEndsTheSame) {
  const std::string in =
      "HTTP/1.1 200 OK\r\nX-A: 1\r\nConnection: x-a, keep-alive\r\nKeep-Alive: timeout=7\r\n"
      "Content-Length: 3\r\n\r\n";
  for (std::size_t size = 0; size < in.size(); ++size) {
    EXPECT_EQ(read_one(std::string(in, 0, size)).outcome.status, Status::more) << size;
  }
  const ResponseHead whole = read_one(in), more = read_one(in + "abcHTTP");
  EXPECT_EQ(whole.outcome.status, Status::complete);
  EXPECT_EQ(whole.out, more.out);
  EXPECT_EQ(more.response.head_size, in.size());
}

TEST(Http1Response, WritesTheWholeHead) {
  const ResponseHead head = read_one(
      "HTTP/1.1 200 All is well\r\nX-Hop: 1\r\nServer:shop\r\nSet-Cookie: a=b\r\nConnection: "
      "x-hop\r\n"
      "Keep-Alive: max=3, Timeout=5\r\nProxy-Connection: close\r\nProxy-Authenticate: Basic\r\n"
      "TE: x\r\nUpgrade: h2\r\nVia: 1.1 inner\r\nSet-Cookie: c=d \r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(head.out,
            "HTTP/1.1 200 All is well\r\nServer: shop\r\nSet-Cookie: a=b\r\nVia: 1.1 inner\r\n"
            "Set-Cookie: c=d\r\nContent-Length: 3\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n");
  EXPECT_EQ(head.response.keep_alive_timeout, 5U);
  EXPECT_EQ(head.response.length, 3U);
}

TEST(Http1Response, KeepAliveTimesAreReadOrIgnored) {
  struct Case {
    const char* why;
    const char* fields;
    std::uint32_t expected;
  };
  const Case cases[] = {
      {"Node's", "Keep-Alive: timeout=5\r\n", 5},
      {"none", "Keep-Alive: max=100\r\n", 0},
      {"no number", "Keep-Alive: timeout=soon\r\n", 0},
      {"too large a number", "Keep-Alive: timeout=99999999999\r\n", 0},
      {"of no matter where it closes", "Connection: close\r\nKeep-Alive: timeout=5\r\n", 0},
  };
  for (const auto& [why, fields, expected] : cases) {
    SCOPED_TRACE(why);
    const ResponseHead head =
        read_one("HTTP/1.1 200 OK\r\n" + std::string(fields) + "Content-Length: 0\r\n\r\n");
    EXPECT_EQ(head.response.keep_alive_timeout, expected);
  }
}

TEST(Http1Response, UpgradesOnlyWhereAsked) {
  const std::string in =
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Accept: x\r\n\r\n";
  const ResponseHead head = read_one(in, kUpgrade);
  ASSERT_EQ(head.outcome.status, Status::complete);
  EXPECT_FALSE(head.response.interim);
  EXPECT_FALSE(head.response.upstream_keep_alive);
  EXPECT_EQ(head.out,
            "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\n"
            "Upgrade: websocket\r\nConnection: upgrade\r\n\r\n");
  EXPECT_EQ(read_one("HTTP/1.1 101 x\r\nConnection: upgrade\r\n\r\n", kUpgrade).outcome.code, 502)
      << "to what?";
  EXPECT_TRUE(read_one("HTTP/1.1 426 x\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n", kOld)
                  .out.ends_with("Upgrade: websocket\r\nConnection: upgrade, close\r\n\r\n"))
      << "426 has to say to what";
}

TEST(Http1Response, LosesNoDate) {
  EXPECT_NE(
      read_one("HTTP/1.1 200 OK\r\nDate: now\r\nConnection: date\r\n\r\n").out.find("Date: now"),
      std::string::npos);
  std::vector<char> out(1024);
  Response response;
  std::size_t written = 0;
  read_response("HTTP/1.1 204 x\r\n\r\n", kGet, "", response, out, written);
  EXPECT_EQ(std::string_view(out.data(), written), "HTTP/1.1 204 x\r\n\r\n") << "none to add";
}

TEST(Http1Response, TooLittleRoomIsNoOverflow) {
  const std::string in = "HTTP/1.1 200 OK\r\nX-Hop: 1\r\nConnection: x-hop\r\n\r\n";
  for (std::size_t room = 0; room < read_one(in, kOld).out.size(); ++room) {
    std::vector<char> out(room);
    Response response;
    std::size_t written = 0;
    EXPECT_EQ(read_response(in, kOld, kDate, response, out, written).code, 502);
    EXPECT_LE(written, room);
  }
}

}  // namespace
}  // namespace headroom::gateway::http1
