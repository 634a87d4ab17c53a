#include "gateway/harness.h"

namespace headroom::gateway::testing {
namespace {

std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>('a' + (i * 7 + i / 251) % 26);
  return bytes;
}

Backend echo() {
  return Backend(Backend::answers([](const Message& request) { return answer(request.body); }));
}

TEST(Forward, PassesARequestAndSaysWhoAsked) {
  Backend backend(Backend::answers([](const Message& request) { return answer(request.head); }));
  World world;
  world.use({&backend});
  const auto got = world.get(
      "Accept: text/plain\r\nX-Forwarded-For: 6.6.6.6\r\nConnection: x-hop\r\nX-Hop: 1\r\n");
  EXPECT_EQ(got.status(), 200);
  EXPECT_FALSE(got["Date"].empty());
  EXPECT_TRUE(got.body.starts_with("GET / HTTP/1.1\r\n")) << got.body;
  EXPECT_EQ(field(got.body, "Accept"), "text/plain");
  EXPECT_EQ(field(got.body, "X-Forwarded-For"), "127.0.0.1") << "a client's own is replaced";
  EXPECT_EQ(field(got.body, "X-Forwarded-Proto"), "http");
  EXPECT_EQ(field(got.body, "X-Hop"), "") << "Connection names it: it ends here";
  EXPECT_TRUE(eventually([&] { return world.now().completed == 1; }));
  EXPECT_TRUE(world.adds_up());
}

TEST(Forward, KeepsConnectionsOnBothSides) {
  auto backend = echo();
  World world({}, 1);
  world.use({&backend});
  auto client = world.client();
  for (int i = 0; i < 50; ++i) {
    client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    ASSERT_EQ(read_message(client).status(), 200);
  }
  EXPECT_EQ(backend.connections(), 1);
}

TEST(Forward, PipelinedRequestsAreAnsweredInOrder) {
  Backend backend(Backend::answers([](const Message& request) {
    return answer(request.head.substr(0, request.head.find(" HTTP")) + request.body);
  }));
  World world;
  world.use({&backend});
  auto client = world.client();
  client.send(
      "GET /1 HTTP/1.1\r\nHost: t\r\n\r\nPOST /2 HTTP/1.1\r\nHost: t\r\nContent-Length: "
      "3\r\n\r\nabc"
      "POST /3 HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nxy\r\n0\r\n\r\n"
      "GET /4 HTTP/1.1\r\nHost: t\r\n\r\n");
  for (const auto* expected : {"GET /1", "POST /2abc", "POST /3xy", "GET /4"}) {
    EXPECT_EQ(read_message(client).body, expected);
  }
}

TEST(Forward, BodiesOfEverySizePassBothWays) {
  auto backend = echo();
  World world;
  world.use({&backend});
  auto client = world.client();
  for (const std::size_t size : {1u, 100u, 1000u, 2000u, 20'000u, 65'536u, 100'000u, 3'000'000u}) {
    SCOPED_TRACE(size);
    const auto body = pattern(size);
    std::thread sender([&] {
      client.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: " + std::to_string(size) +
                  "\r\n\r\n" + body);
    });
    const auto got = read_message(client);
    sender.join();
    EXPECT_EQ(got.status(), 200);
    EXPECT_TRUE(got.body == body);
  }
}

TEST(Forward, ChunkedBodiesAndTrailersPass) {
  Backend backend([](Socket& socket) {
    const auto request = read_message(socket);
    socket.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    socket.send("3;ext=1\r\n...\r\n0\r\nX-Sum: 42\r\n\r\n");
    read_message(socket);
  });
  World world;
  world.use({&backend});
  const auto got = world.get();
  EXPECT_EQ(got.body, "hello...");
  EXPECT_NE(got.head.find("trailer X-Sum: 42"), std::string::npos) << got.head;
}

TEST(Forward, AnAnswerWithoutLengthIsChunkedForAClientThatCan) {
  Backend backend([](Socket& socket) {
    read_message(socket);
    socket.send("HTTP/1.1 200 OK\r\n\r\nall of it");
  });
  World world;
  world.use({&backend});
  EXPECT_EQ(world.get().body, "all of it");
  auto old = world.client();
  old.send("GET / HTTP/1.0\r\n\r\n");
  const auto got = old.rest();
  EXPECT_TRUE(got.ends_with("\r\n\r\nall of it")) << got;
  EXPECT_EQ(got.find("chunked"), got.npos);
}

TEST(Forward, AnswersWithoutBodyEndWithTheirHead) {
  Backend backend(Backend::answers([](const Message& request) -> std::string {
    if (request.head.starts_with("HEAD")) return "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n";
    if (request.head.find("/204") != std::string::npos) return "HTTP/1.1 204 No Content\r\n\r\n";
    return "HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n";
  }));
  World world({}, 1);
  world.use({&backend});
  auto client = world.client();
  for (const auto& [request, status] : {std::pair{"HEAD / HTTP/1.1\r\nHost: t\r\n\r\n", 200},
                                        std::pair{"GET /204 HTTP/1.1\r\nHost: t\r\n\r\n", 204},
                                        std::pair{"GET /304 HTTP/1.1\r\nHost: t\r\n\r\n", 304}}) {
    client.send(request);
    EXPECT_EQ(read_message(client, true).status(), status);
  }
  EXPECT_EQ(backend.connections(), 1);
}

TEST(Forward, AnHttp10ClientGetsItsEnd) {
  auto backend = echo();
  World world;
  world.use({&backend});
  auto client = world.client();
  client.send("GET / HTTP/1.0\r\nHost: t\r\n\r\n");
  EXPECT_TRUE(client.rest().starts_with("HTTP/1.1 200"));
  auto kept = world.client();
  for (int i = 0; i < 2; ++i) {
    kept.send("GET / HTTP/1.0\r\nHost: t\r\nConnection: keep-alive\r\n\r\n");
    const auto got = read_message(kept);
    EXPECT_EQ(got.status(), 200);
    EXPECT_EQ(got["Connection"], "keep-alive");
  }
}

TEST(Forward, AHeadThatComesInPiecesIsOneHead) {
  auto backend = echo();
  World world;
  world.use({&backend});
  auto client = world.client();
  const std::string request = "POST /x HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\nbody";
  for (const char byte : request) {
    client.send({&byte, 1});
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_EQ(read_message(client).body, "body");
}

TEST(Forward, ContinueIsTheReplicasToSay) {
  std::atomic<bool> early{false};
  Backend backend([&](Socket& socket) {
    socket.until("\r\n\r\n");
    early = !socket.quiet_for(100ms);
    socket.send("HTTP/1.1 100 Continue\r\n\r\n");
    socket.send(answer(socket.exactly(5)));
    socket.receive();
  });
  World world;
  world.use({&backend});
  auto client = world.client();
  client.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_TRUE(client.until("\r\n\r\n").starts_with("HTTP/1.1 100"));
  client.send("hello");
  EXPECT_EQ(read_message(client).body, "hello");
  EXPECT_FALSE(early);
}

TEST(Forward, AFinalAnswerInsteadOfContinueIsPassedOn) {
  Backend backend([](Socket& socket) {
    socket.until("\r\n\r\n");
    socket.send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno");
    socket.receive();
  });
  World world;
  world.use({&backend});
  auto client = world.client();
  client.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  const auto got = read_message(client);
  EXPECT_EQ(got.status(), 401);
  EXPECT_EQ(got["Connection"], "close");
  EXPECT_TRUE(client.at_end());
}

TEST(Forward, AnUpgradeBecomesATunnelWithItsHalfClose) {
  Backend backend([](Socket& socket) {
    const auto request = socket.until("\r\n\r\n");
    EXPECT_EQ(field(request, "Upgrade"), "websocket");
    EXPECT_TRUE(socket.quiet_for(100ms)) << "no byte before 101";
    socket.send(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: "
        "websocket\r\n\r\nfirst");
    std::string all = socket.rest();  // until the client's end
    socket.send("got " + all);
  });
  World world;
  world.use({&backend});
  auto client = world.client();
  client.send(
      "GET /ws HTTP/1.1\r\nHost: t\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly,");
  const auto head = client.until("\r\n\r\n");
  EXPECT_TRUE(head.starts_with("HTTP/1.1 101"));
  EXPECT_EQ(field(head, "Upgrade"), "websocket");
  EXPECT_EQ(client.exactly(5), "first");
  EXPECT_TRUE(eventually([&] { return world.now().tunnels == 1; }));
  const auto big = pattern(300'000);
  std::thread sender([&] {
    client.send(big);
    client.end_of_sending();
  });
  EXPECT_TRUE(client.rest() == "got early," + big);
  sender.join();
  EXPECT_TRUE(eventually([&] { return world.now().tunnels == 0 && world.adds_up(); }));
}

TEST(Forward, UnixSocketsWorkOnBothSides) {
  const auto folder = ::testing::TempDir() + "headroom-" + std::to_string(::getpid());
  Backend backend(Backend::answers([](const Message& request) { return answer(request.body); }),
                  "unix:" + folder + "-replica.sock");
  Settings settings;
  settings.listen = *unix_address(folder + "-gateway.sock");
  World world(settings);
  world.use({&backend});
  auto client = world.client();
  const auto body = pattern(1'000'000);
  std::thread sender([&] {
    client.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: " + std::to_string(body.size()) +
                "\r\n\r\n" + body);
  });
  EXPECT_TRUE(read_message(client).body == body);
  sender.join();
  ::unlink((folder + "-replica.sock").c_str());
}

TEST(Forward, BackPressureHoldsTheReplicaBack) {
  std::atomic<std::size_t> sent{0};
  Backend backend([&](Socket& socket) {
    read_message(socket);
    const auto part = pattern(1 << 16);
    socket.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(part.size() * 2000) +
                "\r\n\r\n");
    for (int i = 0; i < 2000 && socket.send(part); ++i) sent += part.size();
  });
  World world;
  world.use({&backend});
  auto client = Socket::connect(world.gateway->listening(world.service), 64 << 10);
  client.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n");
  client.until("\r\n\r\n");
  std::size_t before = 0;
  EXPECT_TRUE(eventually([&] {  // until nothing moves any more
    const auto now = sent.load();
    std::this_thread::sleep_for(200ms);
    return std::exchange(before, now) == now && now > 0;
  }));
  EXPECT_LT(sent.load(), 60u << 20) << "what the kernel's buffers hold, not the whole answer";
  std::size_t got = client.exactly(1 << 16).size();
  EXPECT_EQ(got, 1u << 16);
}

TEST(Forward, ALoopIsCutAtItsFirstTurn) {
  auto outer = World();
  Backend unused(Backend::answers([](const Message&) { return answer(""); }));
  outer.gateway->set_backends(outer.service, {{1, outer.gateway->listening(outer.service), 0}});
  std::this_thread::sleep_for(20ms);
  EXPECT_EQ(outer.get().status(), 508);
}

}  // namespace
}  // namespace headroom::gateway::testing
