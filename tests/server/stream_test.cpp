#include "server/fixture.h"

namespace headroom::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class StreamTest : public ServerTest {
 protected:
  Socket subscribe(const std::string& more = "", int receive_buffer = 0) {
    auto socket = tcp(receive_buffer);
    socket.send("GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n" + more + "\r\n");
    return socket;
  }
  /// The next message that has `text`; empty: none came.
  static std::string wait_for(Socket& socket, const std::string& text) {
    for (;;) {
      auto message = socket.until("\n\n");
      if (message.empty() || message.find(text) != std::string::npos) return message;
    }
  }
  /// About a megabyte each time it is told.
  void put_much() {
    for (int i = 0; i < 200; ++i) {
      auto status = status_of(fmt::format("shop-{}", i));
      for (int j = 0; j < 40; ++j) status.replicas.push_back(status.replicas.front());
      put(std::move(status));
    }
  }
  std::int64_t say(const std::string& text) {
    const auto id = journal_.event({.autoscaler = "shop",
                                    .unix_ms = 1'700'000'000'000,
                                    .kind = journal::Event::Kind::trouble,
                                    .text = text});
    EXPECT_TRUE(id);
    return id ? *id : 0;
  }
};

TEST_F(StreamTest, TellsHowItStandsAndWhatHappens) {
  const auto before = say("before");
  start();
  auto socket = subscribe();
  const auto head = socket.until("\r\n\r\n");
  EXPECT_THAT(head, HasSubstr("200 OK"));
  EXPECT_THAT(head, HasSubstr("Content-Type: text/event-stream\r\n"));
  EXPECT_THAT(head, HasSubstr("Cache-Control: no-store\r\n"));
  const auto first = wait_for(socket, "event: status");
  EXPECT_THAT(first, HasSubstr(R"("name":"shop")")) << "at once";
  EXPECT_THAT(first, StartsWith(fmt::format("id: {}\nevent: status\n", before)));
  EXPECT_THAT(wait_for(socket, "event: status"), StartsWith("event: status\ndata: {\"version\":"));
  const auto id = say("now");
  const auto event = wait_for(socket, "event: event");
  EXPECT_THAT(event, StartsWith(fmt::format("id: {}\nevent: event\ndata: {{\"id\":{},", id, id)));
  EXPECT_THAT(event, HasSubstr("\"now\""));
}

TEST_F(StreamTest, WhoComesBackMissesNothing) {
  const auto seen = say("seen");
  for (int i = 0; i < 600; ++i) say(fmt::format("missed {}.", i));  // more than one page of them
  start();
  auto socket = subscribe(fmt::format("Last-Event-ID: {}\r\n", seen));
  for (int i = 0; i < 600; ++i) {
    ASSERT_THAT(wait_for(socket, "event: event"), HasSubstr(fmt::format("missed {}.", i)));
  }
  auto asked = tcp();
  asked.send(request(fmt::format("GET /api/v1/stream?after={}", seen)));
  EXPECT_THAT(wait_for(asked, "event: event"), HasSubstr("missed 0."));
  auto cut = tcp();  // before it got any of them
  cut.send(request(fmt::format("GET /api/v1/stream?after={}", seen)));
  EXPECT_THAT(wait_for(cut, "event: status"), StartsWith(fmt::format("id: {}\n", seen)))
      << "it comes back to where it was";
  auto ahead = subscribe("Last-Event-ID: 99999999\r\n");  // of a journal that is no more
  wait_for(ahead, "event: status");
  say("new");
  EXPECT_THAT(wait_for(ahead, "event: event"), HasSubstr("\"new\""));
  auto wrong = subscribe("Last-Event-ID: x\r\n");
  EXPECT_EQ(read_message(wrong).status(), 400);
}

TEST_F(StreamTest, AChangedCountIsToldAtOnce) {
  start();
  auto socket = subscribe();
  wait_for(socket, "event: status");
  auto status = status_of("shop");
  status.decided.replicas = {7};
  put(std::move(status));
  // Far within the second that would bring it anyway, if twice in a row.
  const auto before = std::chrono::steady_clock::now();
  EXPECT_THAT(wait_for(socket, R"("wanted":7)"), HasSubstr("status"));
  EXPECT_LT(std::chrono::steady_clock::now() - before, 5s);
}

TEST_F(StreamTest, WhoIsSlowMissesStatusesAndNoEvent) {
  put_much();
  start();
  auto slow = subscribe("", 4096);
  slow.until("\r\n\r\n");  // what is said before it is there is not told
  auto quick = subscribe();
  ASSERT_NE(wait_for(quick, "event: status"), "");
  std::vector<std::int64_t> said;
  for (int i = 0; i < 8; ++i) {  // more than is kept for it
    said.push_back(say(fmt::format("event {}.", i)));
    ASSERT_NE(wait_for(quick, "event: status"), "");
  }
  auto status = status_of("shop");
  status.decided.replicas = {7};
  put(std::move(status));
  ASSERT_NE(wait_for(quick, R"("wanted":7)"), "");

  // It goes on: what it gets is the one that was on its way, then how it stands now.
  EXPECT_THAT(wait_for(slow, "event: status"), Not(HasSubstr(R"("wanted":7)")));
  EXPECT_THAT(wait_for(slow, "event: status"), HasSubstr(R"("wanted":7)"));
  for (const auto id : said) {
    EXPECT_THAT(wait_for(slow, "event: event"), StartsWith(fmt::format("id: {}\n", id)));
  }
  EXPECT_NE(wait_for(slow, "event: status"), "") << "it stays";
}

TEST_F(StreamTest, WhoTakesNothingIsLetGo) {
  put_much();
  start();
  auto slow = subscribe("", 4096);
  auto quick = subscribe();
  // One a second, for longer than it may take for one.
  for (int i = 0; i < 33; ++i) ASSERT_NE(wait_for(quick, "event: status"), "");
  const auto all = slow.rest();
  EXPECT_LT(all.size(), 2u << 20) << "it was kept for it";
  EXPECT_FALSE(all.ends_with("\n\n"));
}

TEST_F(StreamTest, AsManyAsThereMayBe) {
  start();
  std::vector<Socket> open;
  for (int i = 0; i < 64; ++i) {
    open.push_back(subscribe());
    ASSERT_THAT(open.back().until("\r\n\r\n"), HasSubstr("200 OK"));
  }
  auto more = subscribe();
  EXPECT_EQ(read_message(more).status(), 503);
  open.clear();
  EXPECT_TRUE(eventually([this] {
    return subscribe().until("\r\n\r\n").find("200 OK") != std::string::npos;
  })) << "those that left are noticed";
}

}  // namespace
}  // namespace headroom::server
