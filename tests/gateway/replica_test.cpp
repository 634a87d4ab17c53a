#include <array>

#include "gateway/harness.h"

namespace headroom::gateway::testing {
namespace {

const std::string kPost = "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\nhi";

Backend::Script answers_with(const std::string& body) {
  return Backend::answers([body](const Message&) { return answer(body); });
}
/// Takes a request and closes without a byte of answer.
void takes_and_dies(Socket& socket) {
  read_message(socket);
  socket.will_reset();
}

TEST(Replicas, LoadIsSpread) {
  std::vector<std::unique_ptr<Backend>> backends;
  std::vector<const Backend*> list;
  for (int i = 0; i < 4; ++i) {
    backends.push_back(std::make_unique<Backend>(answers_with(std::to_string(i))));
    list.push_back(backends.back().get());
  }
  World world;
  world.use(list);
  std::map<std::string, int> seen;
  for (int i = 0; i < 400; ++i) ++seen[world.get().body];
  EXPECT_EQ(seen.size(), 4u);
  for (const auto& [who, times] : seen) EXPECT_GT(times, 40) << who;
}

TEST(Replicas, TheIdleOneIsPreferred) {
  Backend slow(Backend::answers([](const Message&) {
    std::this_thread::sleep_for(300ms);
    return answer("slow");
  }));
  Backend quick(answers_with("quick"));
  World world;
  world.use({&slow, &quick});
  std::vector<std::thread> clients;
  std::atomic<int> by_slow{0};
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&] {
      auto client = world.client();
      for (int k = 0; k < 50; ++k) {
        client.send(kGet);
        if (read_message(client).body == "slow") ++by_slow;
      }
    });
  }
  for (auto& each : clients) each.join();
  EXPECT_LT(by_slow, 60) << "of 400";
}

TEST(Replicas, AKeptConnectionThatWasClosedIsNoFailure) {
  std::atomic<int> connections{0};
  Backend backend([&](Socket& socket) {  // one answer per connection, closed in silence
    ++connections;
    read_message(socket);
    socket.send(answer("x"));
    if (connections > 20) socket.receive();
  });
  World world({}, 1);
  world.use({&backend});
  auto client = world.client();
  for (int i = 0; i < 20; ++i) {
    client.send(i % 2 == 0 ? kGet : kPost);
    ASSERT_EQ(read_message(client).status(), 200) << i;
    std::this_thread::sleep_for(5ms);  // its end is seen before the next request
  }
  EXPECT_EQ(world.now().completed, 20u);
}

TEST(Replicas, ASafeRequestGoesToAnother) {
  Backend bad(takes_and_dies), good(answers_with("good"));
  World world;
  world.use({&bad, &good});
  for (int i = 0; i < 20; ++i) EXPECT_EQ(world.get().body, "good");
  EXPECT_GT(world.now().retries, 0u);
  EXPECT_TRUE(world.adds_up());
}

TEST(Replicas, AnUnsafeRequestIsNotRepeated) {
  std::atomic<int> taken{0};
  Backend bad([&](Socket& socket) {
    ++taken;
    takes_and_dies(socket);
  });
  World world;
  world.use({&bad});
  auto client = world.client();
  client.send(kPost);
  const auto got = read_message(client);
  EXPECT_EQ(got.status(), 502);
  EXPECT_NE(got["Proxy-Status"].find("reset_before_head"), std::string::npos);
  EXPECT_EQ(taken, 1);
  EXPECT_EQ(world.failed(Failure::reset_before_head), 1u);
}

TEST(Replicas, ARefusedConnectionCostsNothing) {
  Address closed;
  {
    Backend gone([](Socket&) {});
    closed = gone.address();
  }
  Backend good(answers_with("good"));
  World world;
  world.gateway->set_backends(world.service, {{1, closed, 0}, {2, good.address(), 0}});
  std::this_thread::sleep_for(20ms);
  for (int i = 0; i < 50; ++i) {
    auto client = world.client();
    client.send(kPost);
    EXPECT_EQ(read_message(client).status(), 200);
  }
}

TEST(Replicas, AnAnswerCutShortIsCutForTheClient) {
  Backend backend([](Socket& socket) {
    read_message(socket);
    socket.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
    socket.will_reset();
  });
  World world;
  world.use({&backend});
  auto client = world.client();
  client.send(kGet);
  EXPECT_TRUE(client.rest().ends_with("only this"));
  EXPECT_TRUE(eventually([&] { return world.failed(Failure::reset_in_body) == 1; }));
}

TEST(Replicas, AnAnswerThatEndsByAResetHasNoProperEnd) {
  Backend backend([](Socket& socket) {
    read_message(socket);
    socket.send("HTTP/1.1 200 OK\r\n\r\nonly this");
    std::this_thread::sleep_for(50ms);
    socket.will_reset();
  });
  World world;
  world.use({&backend});
  auto client = world.client();
  client.send(kGet);
  EXPECT_FALSE(client.rest().ends_with("0\r\n\r\n"));
  EXPECT_TRUE(eventually([&] { return world.failed(Failure::reset_in_body) == 1; }));
}

TEST(Replicas, AnUploadToOneThatDoesNotReadEnds) {
  Backend backend([](Socket& socket) {
    socket.until("\r\n\r\n");
    std::this_thread::sleep_for(2s);
  });
  Settings settings;
  settings.timeouts.response_head = 200ms;
  World world(settings);
  world.use({&backend});
  auto client = world.client();
  std::thread sender([&] {
    client.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 50000000\r\n\r\n" +
                std::string(50'000'000, 'x'));
  });
  EXPECT_TRUE(eventually([&] { return world.failed(Failure::head_timeout) == 1; }));
  client.end_of_sending();
  sender.join();
}

TEST(Replicas, NonsenseIsABadGateway) {
  for (const std::string nonsense :
       {"SSH-2.0-OpenSSH\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nBad Name: 1\r\n\r\n"}) {
    SCOPED_TRACE(nonsense);
    Backend backend([&](Socket& socket) {
      read_message(socket);
      socket.send(nonsense);
      socket.receive();
    });
    World world;
    world.use({&backend});
    EXPECT_EQ(world.get().status(), 502);
    EXPECT_EQ(world.failed(Failure::bad_response), 1u);
  }
}

TEST(Replicas, AHeadThatNeverComesIsAGatewayTimeout) {
  Backend backend([](Socket& socket) { socket.rest(); });
  Settings settings;
  settings.timeouts.response_head = 100ms;
  World world(settings);
  world.use({&backend});
  EXPECT_EQ(world.get().status(), 504);
  EXPECT_EQ(world.failed(Failure::head_timeout), 1u);
}

TEST(Replicas, AClientThatLeavesTakesItsRequestBack) {
  std::atomic<bool> told{false};
  Backend backend([&](Socket& socket) {
    read_message(socket);
    told = socket.at_end();
  });
  World world;
  world.use({&backend});
  auto client = world.client();
  client.send(kGet);
  EXPECT_TRUE(eventually([&] { return world.now().outstanding == 1; }));
  client.close();
  EXPECT_TRUE(eventually([&] { return told.load(); }));
  EXPECT_TRUE(eventually([&] { return world.failed(Failure::client_abort) == 1; }));
  EXPECT_TRUE(world.adds_up());
}

TEST(Replicas, DrainingLetsTheOpenFinishAndTakesNothingNew) {
  std::atomic<bool> finish{false};
  Backend old(Backend::answers([&](const Message&) {
    eventually([&] { return finish.load(); });
    return answer("old");
  }));
  Backend fresh(answers_with("new"));
  World world;
  world.use({&old});
  auto open = world.client();
  open.send(kGet);
  EXPECT_TRUE(eventually([&] { return world.now().outstanding == 1; }));
  const auto leaving = world.ids[0];
  world.use({&fresh});
  std::atomic<bool> drained{false};
  world.gateway->drain(world.service, leaving, 10s, [&](std::uint64_t cut) {
    EXPECT_EQ(cut, 0u);
    drained = true;
  });
  for (int i = 0; i < 20; ++i) EXPECT_EQ(world.get().body, "new");
  EXPECT_FALSE(drained);
  EXPECT_EQ(world.gateway->outstanding(world.service, leaving), 1);
  finish = true;
  EXPECT_EQ(read_message(open).body, "old");
  EXPECT_TRUE(eventually([&] { return drained.load(); }));
}

TEST(Replicas, WhatOutlivesTheDrainIsCut) {
  Backend hangs([](Socket& socket) { socket.rest(); });
  World world;
  world.use({&hangs});
  std::array<Socket, 3> open;
  for (auto& each : open) {
    each = world.client();
    each.send(kGet);
  }
  EXPECT_TRUE(eventually([&] { return world.now().outstanding == 3; }));
  const auto leaving = world.ids[0];
  world.use({});
  std::atomic<int> told{-1};
  world.gateway->drain(world.service, leaving, 50ms,
                       [&](std::uint64_t cut) { told = static_cast<int>(cut); });
  EXPECT_TRUE(eventually([&] { return told >= 0; }));
  EXPECT_EQ(told, 3) << "over all threads";
  for (auto& each : open) EXPECT_TRUE(each.at_end());
  EXPECT_EQ(world.failed(Failure::drain_cut), 3u);
}

/// A replica that opens a tunnel for who asks for one, and answers nobody else.
Backend::Script tunnels() {
  return [](Socket& socket) {
    if (socket.until("\r\n\r\n").find("Upgrade: x") != std::string::npos) {
      socket.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
    }
    socket.rest();
  };
}

const std::string kUpgrade =
    "GET / HTTP/1.1\r\nHost: t\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";

TEST(Replicas, ATunnelThatEndsWithItsDrainIsNoRequestThatWasCut) {
  Backend backend(tunnels());
  World world;
  world.use({&backend});
  auto tunnel = world.client();
  tunnel.send(kUpgrade);
  EXPECT_TRUE(eventually([&] { return world.now().tunnels == 1; }));
  auto open = world.client();
  open.send(kGet);
  EXPECT_TRUE(eventually([&] { return world.now().outstanding == 1; }));
  const auto leaving = world.ids[0];
  world.use({});
  std::atomic<int> told{-1};
  world.gateway->drain(world.service, leaving, 50ms,
                       [&](std::uint64_t cut) { told = static_cast<int>(cut); });
  EXPECT_TRUE(eventually([&] { return told >= 0; }));
  EXPECT_EQ(told, 1);
  EXPECT_TRUE(tunnel.until("\r\n\r\n").starts_with("HTTP/1.1 101"));
  EXPECT_TRUE(tunnel.at_end());
  EXPECT_TRUE(open.at_end());
}

TEST(Replicas, TunnelsEndWhenTheRestHasFinished) {
  Backend backend(tunnels());
  World world;
  world.use({&backend});
  auto client = world.client();
  client.send(kUpgrade);
  EXPECT_TRUE(client.until("\r\n\r\n").starts_with("HTTP/1.1 101"));
  const auto leaving = world.ids[0];
  world.use({});
  std::atomic<bool> drained{false};
  world.gateway->drain(world.service, leaving, 10s, [&](std::uint64_t cut) {
    EXPECT_EQ(cut, 0u);
    drained = true;
  });
  EXPECT_TRUE(eventually([&] { return drained.load(); }));
  EXPECT_TRUE(client.at_end());
}

TEST(Replicas, WhenOneIsGoneItsSafeRequestsMoveOn) {
  Backend hangs([](Socket& socket) { socket.rest(); });
  Backend good(answers_with("good"));
  World world;
  world.use({&hangs});
  auto client = world.client();
  client.send(kGet);
  EXPECT_TRUE(eventually([&] { return world.now().outstanding == 1; }));
  const auto dead = world.ids[0];
  world.use({&good});
  world.gateway->gone(world.service, dead);
  EXPECT_EQ(read_message(client).body, "good");
}

}  // namespace
}  // namespace headroom::gateway::testing
