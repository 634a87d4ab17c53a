#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "gateway/http1.h"

namespace headroom::gateway::http1 {
namespace {

using Write = Chunks::Write;

struct Body {
  std::string out;
  std::string error;
  std::size_t consumed = 0;
  bool done = false;
  bool operator==(const Body&) const = default;
};

/// The body fed in pieces of at most `piece` bytes, with room for `room` each time.
Body read_body(std::string_view in, Write write = Write::chunks,
               std::size_t piece = ~std::size_t{0}, std::size_t room = 1 << 17) {
  Chunks chunks(write);
  Body body;
  std::vector<char> out(room);
  while (body.consumed < in.size() && !body.done && body.error.empty()) {
    // Of its own, so that ASan sees a read past its end.
    std::string part(in.substr(body.consumed, piece));
    const auto step = chunks.feed(part, out);
    EXPECT_LE(step.consumed, part.size());
    EXPECT_LE(step.written, room);
    body.out.append(out.data(), step.written);
    body.consumed += step.consumed;
    body.done = step.done;
    if (step.error != nullptr) body.error = step.error;
    const bool stuck = step.consumed == 0 && step.written == 0;
    EXPECT_TRUE(!stuck || step.error != nullptr) << "no progress at " << body.consumed;
    if (stuck) break;
  }
  return body;
}

std::string many(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

struct ChunkCase {
  const char* why;
  std::string in;
  std::string chunks;  // as written
  std::string data;
  const char* error = "";
};

std::vector<ChunkCase> cases() {
  return {
      {"nothing", "0\r\n\r\n", "0\r\n\r\n", ""},
      {"one chunk", "3\r\nabc\r\n0\r\n\r\n", "3\r\nabc\r\n0\r\n\r\n", "abc"},
      {"sizes anew", "00B\r\nhello\r\nworl\r\n0001;a\r\n!\r\n000;x=\"y\"\r\n\r\n",
       "b\r\nhello\r\nworl\r\n1\r\n!\r\n0\r\n\r\n", "hello\r\nworl!"},
      {"16 digits", "0000000000000001\r\na\r\n0\r\n\r\n", "1\r\na\r\n0\r\n\r\n", "a"},
      {"17 digits", "00000000000000001\r\na\r\n0\r\n\r\n", "", "", "bad-chunk-size"},
      {"trailers, trimmed", "0\r\nX-Sum:1\r\nY:  a  \tb \t\r\nZ: \t\r\n\r\n",
       "0\r\nX-Sum: 1\r\nY: a   b\r\nZ:\r\n\r\n", ""},
      {"a trailer of a long name", "0\r\nX-Long-Enough-To-Be-Anything: 1\r\n\r\n",
       "0\r\nX-Long-Enough-To-Be-Anything: 1\r\n\r\n", ""},
      {"a trailer of the longest barred name's length", "0\r\nabcdefghijklmnopqrs: 1\r\n\r\n",
       "0\r\nabcdefghijklmnopqrs: 1\r\n\r\n", ""},
      {"barred ones are dropped",
       "0\r\nTransfer-Encoding: x\r\nhost: b\r\nA: 1\r\nPROXY-AUTHORIZATION: x\r\nContent_Length: "
       "3\r\nX-Forwarded-For: 6\r\nAuthorization: z\r\nSet-Cookie: a\r\nB: 2\r\nCookie: c\r\n\r\n",
       "0\r\nA: 1\r\nB: 2\r\n\r\n", ""},
      {"a barred one last", "0\r\nA: 1\r\nTrailer: A\r\n\r\n", "0\r\nA: 1\r\n\r\n", ""},
      {"no size", "\r\n", "", "", "bad-chunk-size"},
      {"a sign", "-1\r\n", "", "", "bad-chunk-size"},
      {"0x", "0x1\r\n", "", "", "bad-chunk-size"},
      {"a space after the size", "1 \r\na\r\n", "", "", "bad-chunk-size"},
      {"over 2^63 - 1", "8000000000000000\r\n", "", "", "bad-chunk-size"},
      {"a bare LF", "1\na\r\n", "", "", "bad-chunk-size"},
      {"a bare CR", "1\ra\r\n", "", "", "bad-chunk-size"},
      {"NUL in an extension", "1;" + std::string(1, '\0') + "\r\n", "", "", "bad-chunk-extension"},
      {"LF in an extension", "1;a\nb\r\n", "", "", "bad-chunk-extension"},
      {"CR in an extension", "1;a\rb\r\n", "", "", "bad-chunk-size"},
      {"no CRLF after the data", "1\r\nab\r\n", "1\r\na", "a", "bad-chunk-end"},
      {"a bare LF after the data", "1\r\na\n", "1\r\na", "a", "bad-chunk-end"},
      {"a bare CR after the data", "1\r\na\r0", "1\r\na", "a", "bad-chunk-end"},
      {"a folded trailer", "0\r\nA: 1\r\n b\r\n\r\n", "0\r\nA: 1\r\n", "", "bad-trailer"},
      {"a trailer with a space before the colon", "0\r\nA : 1\r\n\r\n", "0\r\n", "", "bad-trailer"},
      {"a trailer with a control", "0\r\nA: \x02\r\n\r\n", "0\r\nA:", "", "bad-trailer"},
      {"a bare LF in a trailer", "0\r\nA: 1\nB: 2\r\n\r\n", "0\r\nA: 1", "", "bad-trailer"},
      {"a bare CR in a trailer", "0\r\nA: 1\rB: 2\r\n\r\n", "0\r\nA: 1", "", "bad-trailer"},
      {"a bare LF at the end", "0\r\n\n", "0\r\n", "", "bad-trailer"},
      {"a bare CR at the end", "0\r\n\rx", "0\r\n", "", "bad-trailer"},
      {"4 KiB of extensions over all chunks",
       many("1;" + std::string(1023, 'x') + "\r\na\r\n", 4) + "0\r\n\r\n",
       many("1\r\na\r\n", 4) + "0\r\n\r\n", "aaaa"},
      {"a byte more", many("1;" + std::string(1023, 'x') + "\r\na\r\n", 4) + "0;yz\r\n\r\n",
       many("1\r\na\r\n", 4), "aaaa", "chunk-extensions-too-large"},
      {"128 trailers", "0\r\n" + many("A: b\r\n", 128) + "\r\n",
       "0\r\n" + many("A: b\r\n", 128) + "\r\n", ""},
      {"129 trailers", "0\r\n" + many("A: b\r\n", 129) + "\r\n", "0\r\n" + many("A: b\r\n", 128),
       "", "too-many-trailers"},
      {"trailers of 32 KiB", "0\r\nA:" + std::string(32 << 10, 'b'),
       "0\r\nA: " + std::string((32 << 10) - 2, 'b'), "", "trailers-too-large"},
      {"dropped ones count, too", "0\r\nTE:" + std::string(32 << 10, 'b'), "0\r\n", "",
       "trailers-too-large"},
      {"whitespace counts before it is written", "0\r\nA:b" + std::string(20000, ' ') + "c\r\n\r\n",
       "0\r\nA: b" + std::string(20000, ' ') + "c\r\n\r\n", ""},
  };
}

TEST(Http1Chunks, AreReadAndWrittenAnew) {
  for (const auto& [why, in, chunks, data, error] : cases()) {
    SCOPED_TRACE(why);
    const Body written = read_body(in);
    EXPECT_EQ(written.out, chunks);
    EXPECT_EQ(written.error, error);
    EXPECT_EQ(written.done, *error == '\0');
    const Body bare = read_body(in, Write::data);
    EXPECT_EQ(bare.out, data);
    EXPECT_EQ(bare.error, error);
    EXPECT_EQ(bare.done, *error == '\0');
  }
}

TEST(Http1Chunks, AnyPiecesAndAnyRoomGiveTheSame) {
  for (const auto& [why, in, chunks, data, error] : cases()) {
    SCOPED_TRACE(why);
    for (const Write write : {Write::chunks, Write::data}) {
      const Body whole = read_body(in, write);
      for (const std::size_t piece : {1, 2, 3, 7, 64}) {
        EXPECT_EQ(read_body(in, write, piece), whole) << piece;
        EXPECT_EQ(read_body(in, write, piece, 64), whole) << piece;
        // Less than is promised to be enough, but for the longest single write.
        EXPECT_EQ(read_body(in, write, piece, 20), whole) << piece;
      }
    }
  }
}

TEST(Http1Chunks, EverySplitInTwoGivesTheSame) {
  for (const auto& [why, in, chunks, data, error] : cases()) {
    if (in.size() > 1000) continue;
    SCOPED_TRACE(why);
    const Body whole = read_body(in);
    for (std::size_t split = 0; split <= in.size(); ++split) {
      Chunks state;
      std::vector<char> out(4096);
      Body body;
      for (const std::string& part : {in.substr(0, split), in.substr(split)}) {
        const auto step = state.feed(part, out);
        body.out.append(out.data(), step.written);
        body.consumed += step.consumed;
        body.done = step.done;
        if (step.error != nullptr) {
          body.error = step.error;
          break;
        }
      }
      EXPECT_EQ(body, whole) << split;
    }
  }
}

TEST(Http1Chunks, ReadingItsOwnWritingChangesNothing) {
  for (const auto& [why, in, chunks, data, error] : cases()) {
    if (*error != '\0') continue;
    SCOPED_TRACE(why);
    const Body again = read_body(chunks);
    EXPECT_EQ(again.out, chunks);
    EXPECT_TRUE(again.done);
  }
}

TEST(Http1Chunks, StopsWhereTheNextMessageBegins) {
  const std::string in = "1\r\na\r\n0\r\n\r\nGET / HTTP/1.1\r\n";
  Chunks chunks;
  std::vector<char> out(64);
  const auto step = chunks.feed(in, out);
  EXPECT_TRUE(step.done);
  EXPECT_EQ(step.consumed, 11U);
  const auto after = chunks.feed("more", out);
  EXPECT_TRUE(after.done);
  EXPECT_EQ(after.consumed, 0U);
}

TEST(Http1Chunks, AnErrorStays) {
  Chunks chunks;
  std::vector<char> out(64);
  EXPECT_STREQ(chunks.feed("x", out).error, "bad-chunk-size");
  const auto after = chunks.feed("1\r\n", out);
  EXPECT_STREQ(after.error, "bad-chunk-size");
  EXPECT_EQ(after.consumed + after.written, 0U);
}

TEST(Http1Chunks, AHugeChunkPassesInPieces) {
  Chunks chunks;
  std::vector<char> out(1 << 16);
  ASSERT_EQ(chunks.feed("7fffffffffffffff\r\n", out).written, 18U);
  const std::string data(1 << 16, 'x');
  for (int i = 0; i < 16; ++i) {
    const auto step = chunks.feed(data, out);
    EXPECT_EQ(step.consumed, data.size());
    EXPECT_EQ(step.written, data.size());
    EXPECT_FALSE(step.done);
    EXPECT_EQ(step.error, nullptr);
  }
  EXPECT_LE(sizeof(Chunks), 64U) << "one per direction of each connection";
}

}  // namespace
}  // namespace headroom::gateway::http1
