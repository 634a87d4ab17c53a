#include <array>

#include "gateway/framing_cases.h"
#include "gateway/harness.h"
#include "support/temporary.h"

namespace headroom::gateway::testing {
namespace {

Backend echo() {
  return Backend(Backend::answers([](const Message& request) { return answer(request.body); }));
}

TEST(Limits, HeadsThatAreTooLargeAreRefused) {
  auto backend = echo();
  World world;
  world.use({&backend});
  const struct {
    const char* why;
    std::string request;
    int status;
  } cases[] = {
      {"a field of 1 MB",
       "GET / HTTP/1.1\r\nHost: t\r\nX: " + std::string(1 << 20, 'x') + "\r\n\r\n", 431},
      {"too many fields",
       [] {
         std::string text = "GET / HTTP/1.1\r\nHost: t\r\n";
         for (int i = 0; i < 200; ++i) text += "X-" + std::to_string(i) + ": 1\r\n";
         return text + "\r\n";
       }(),
       431},
      {"a target of 9 KB", "GET /" + std::string(9000, 'x') + " HTTP/1.1\r\nHost: t\r\n\r\n", 414},
  };
  for (const auto& [why, request, status] : cases) {
    SCOPED_TRACE(why);
    auto client = world.client();
    std::thread sender([&client, text = &request] { client.send(*text); });
    const auto got = read_message(client);
    sender.join();
    EXPECT_EQ(got.status(), status);
    EXPECT_EQ(got["Connection"], "close");
  }
  EXPECT_EQ(world.now().arrived, 0u);
}

TEST(Limits, ABodyOverItsBoundIsRefused) {
  auto backend = echo();
  Settings settings;
  settings.limits.body = 1000;
  World world(settings);
  world.use({&backend});
  auto declared = world.client();
  declared.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1001\r\n\r\n");
  EXPECT_EQ(read_message(declared).status(), 413);
  auto chunked = world.client();
  chunked.send("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n" +
               std::string(1024, 'x'));
  EXPECT_EQ(read_message(chunked).status(), 413);
}

TEST(Limits, SlowClientsAreLetGo) {
  auto backend = echo();
  Settings settings;
  settings.timeouts.head = settings.timeouts.body_idle = settings.timeouts.idle = 100ms;
  World world(settings);
  world.use({&backend});
  auto loris = world.client();
  loris.send("GET / HTTP/1.1\r\nHo");
  EXPECT_EQ(read_message(loris).status(), 408);
  auto body = world.client();
  body.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_EQ(read_message(body).status(), 408);
  EXPECT_TRUE(eventually([&] { return world.failed(Failure::client_idle) == 1; }));
  auto idle = world.client();
  idle.send(kGet);
  EXPECT_EQ(read_message(idle).status(), 200);
  EXPECT_TRUE(idle.at_end());
}

TEST(Limits, AClientThatDoesNotReadIsLetGo) {
  Backend backend([](Socket& socket) {
    read_message(socket);
    const std::string part(1 << 16, 'x');
    socket.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
    while (socket.send(part)) {
    }
  });
  Settings settings;
  settings.timeouts.send_idle = 200ms;
  World world(settings);
  world.use({&backend});
  auto client = Socket::connect(world.gateway->listening(world.service), 16 << 10);
  client.send(kGet);
  EXPECT_TRUE(eventually([&] { return world.failed(Failure::client_idle) == 1; }));
  EXPECT_EQ(world.now().service_failures(), 0u);
}

TEST(Limits, OverTheLimitTheOldestIdleConnectionMakesRoom) {
  auto backend = echo();
  Settings settings;
  settings.limits.connections = 10;
  World world(settings, 1);
  world.use({&backend});
  std::vector<Socket> clients;
  for (int i = 0; i < 40; ++i) {
    clients.push_back(world.client());
    clients.back().send(kGet);
    EXPECT_EQ(read_message(clients.back()).status(), 200) << i;
  }
  EXPECT_LE(world.now().client_connections, 10);
  EXPECT_TRUE(clients.front().at_end());
}

TEST(Limits, FramingIsRefusedOrPassedAsTheTableSays) {
  std::mutex mutex;
  std::string seen;
  Backend backend([&](Socket& socket) {
    for (;;) {
      auto request = read_message(socket);
      if (request.head.empty()) return;
      {
        const std::lock_guard lock(mutex);
        seen = socket.heard();
      }
      const bool head = request.head.starts_with("HEAD ");
      if (!socket.send(head ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" : answer("ok")))
        return;
    }
  });
  World world;
  world.use({&backend});
  for (const auto& framing : kFramingCases) {
    SCOPED_TRACE(framing.why);
    {
      const std::lock_guard lock(mutex);
      seen.clear();
    }
    auto client = world.client();
    client.send(framing.request);
    const auto got = read_message(client, framing.request.starts_with("HEAD "));
    const std::lock_guard lock(mutex);
    if (framing.expected_status != 0) {
      EXPECT_EQ(got.status(), framing.expected_status);
      EXPECT_EQ(got["Connection"], "close");
      if (framing.in_body) continue;
      EXPECT_EQ(seen, "") << "nothing may reach the replica";
    } else {
      EXPECT_EQ(got.status(), 200) << got.head;
      EXPECT_NE(seen.find(framing.forwarded), seen.npos) << seen;
    }
  }
}

TEST(Lifecycle, AnAddressInUseIsAConflict) {
  World world;
  Settings settings;
  settings.listen = world.gateway->listening(world.service);
  const auto again = world.gateway->add(settings);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::conflict);
  EXPECT_NE(again.error().what.find("in use"), std::string::npos);
}

TEST(Lifecycle, ShutdownAnswersWhatIsOpenAndThenListensNoMore) {
  std::atomic<bool> finish{false};
  Backend backend(Backend::answers([&](const Message&) {
    eventually([&] { return finish.load(); });
    return answer("done");
  }));
  World world;
  world.use({&backend});
  auto open = world.client(), idle = world.client();
  open.send(kGet);
  EXPECT_TRUE(eventually([&] { return world.now().outstanding == 1; }));
  const auto address = world.gateway->listening(world.service);
  std::thread stopping([&] { world.gateway->shutdown(10s); });
  EXPECT_TRUE(idle.at_end());
  EXPECT_TRUE(eventually([&] { return !Socket::connect(address).open(); }));
  finish = true;
  const auto got = read_message(open);
  EXPECT_EQ(got.body, "done");
  EXPECT_EQ(got["Connection"], "close");
  open.close();
  stopping.join();
  EXPECT_TRUE(world.adds_up());
}

TEST(Lifecycle, WhatWasSentBeforeTheShutdownIsAnswered) {
  auto backend = echo();
  World world;
  world.use({&backend});
  std::vector<Socket> clients;
  for (int i = 0; i < 200; ++i) {
    clients.push_back(world.client());
    clients.back().send(kGet);
  }
  std::thread stopping([&] { world.gateway->shutdown(10s); });
  for (auto& client : clients) EXPECT_EQ(read_message(client).status(), 200);
  clients.clear();
  stopping.join();
}

TEST(Lifecycle, ASuccessorOnTheSameSocketMissesNothing) {
  auto first_backend = echo(), second_backend = echo();
  World first;
  first.use({&first_backend});
  auto idle = first.client();
  idle.send(kGet);
  EXPECT_EQ(read_message(idle).status(), 200);
  const auto address = first.gateway->listening(first.service);

  auto second = Gateway::start({.threads = 2, .demand = [](ServiceId) {}});
  ASSERT_TRUE(second);
  Settings settings;
  settings.name = "test";
  settings.listen = address;
  const auto service = (*second)->add(settings, {first.gateway->listener(first.service)});
  ASSERT_TRUE(service);
  (*second)->set_backends(*service, {{1, second_backend.address(), 0}});
  first.gateway->let_go();
  EXPECT_FALSE(first.gateway->listener(first.service)) << "it is no longer its to give";
  std::thread stopping([&] { first.gateway->shutdown(10s); });

  const auto before = first.now().arrived;
  for (int i = 0; i < 20; ++i) {
    auto client = Socket::connect(address);
    client.send(kGet);
    EXPECT_EQ(read_message(client).status(), 200);
  }
  EXPECT_EQ((*second)->snapshot(*service).arrived, 20u);
  EXPECT_EQ(first.now().arrived, before);
  idle.send(kGet);
  const auto last = read_message(idle);
  EXPECT_EQ(last.status(), 200) << "who was connected may ask once more";
  EXPECT_EQ(last["Connection"], "close");
  EXPECT_TRUE(idle.at_end());
  stopping.join();
}

TEST(Lifecycle, ASuccessorsFileStays) {
  const TemporaryFolder folder;
  Settings settings;
  settings.listen = *unix_address(folder / "socket");
  World first(settings);
  auto second = Gateway::start({.threads = 1, .demand = [](ServiceId) {}});
  ASSERT_TRUE(second);
  settings.name = "test";
  ASSERT_TRUE((*second)->add(settings, {first.gateway->listener(first.service)}));
  first.gateway->let_go();
  first.gateway->shutdown(1s);
  EXPECT_TRUE(Socket::connect(settings.listen).open());
}

TEST(Lifecycle, AFileThatAServiceManagerKeepsStays) {
  const TemporaryFolder folder;
  World world;
  Settings settings;
  settings.listen = *unix_address(folder / "socket");
  const auto kept = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::bind(kept.get(), settings.listen.get(), settings.listen.length), 0);
  ASSERT_EQ(::listen(kept.get(), 10), 0);
  auto backend = echo();
  for (int i = 0; i < 2; ++i) {
    const auto service = world.gateway->add(settings, {kept.duplicate(), true});
    ASSERT_TRUE(service);
    const auto twice = world.gateway->add(settings, {kept.duplicate(), true});
    ASSERT_FALSE(twice) << "two would share its connections";
    EXPECT_EQ(twice.error().code, Code::conflict);
    world.gateway->set_backends(*service, {{1, backend.address(), 0}});
    auto client = Socket::connect(settings.listen);
    client.send(kGet);
    EXPECT_EQ(read_message(client).status(), 200);
    world.gateway->close(*service);
  }
  world.gateway->shutdown(1s);
  EXPECT_TRUE(Socket::connect(settings.listen).open()) << "it can be wanted again";
}

TEST(Lifecycle, AFileIsLeftWithItsAddress) {
  const TemporaryFolder folder;
  Settings settings;
  settings.listen = *unix_address(folder / "one");
  World world(settings);
  settings.name = "test";
  settings.listen = *unix_address(folder / "two");
  ASSERT_TRUE(world.gateway->reconfigure(world.service, settings));
  EXPECT_FALSE(std::filesystem::exists(folder / "one"));
  EXPECT_TRUE(Socket::connect(settings.listen).open());
}

TEST(Lifecycle, ShutdownCutsWhatDoesNotEnd) {
  Backend hangs([](Socket& socket) { socket.rest(); });
  World world;
  world.use({&hangs});
  auto open = world.client();
  open.send(kGet);
  EXPECT_TRUE(eventually([&] { return world.now().outstanding == 1; }));
  const auto unanswered = world.gateway->shutdown(50ms);
  EXPECT_TRUE(open.at_end());
  EXPECT_EQ(world.failed(Failure::drain_cut), 1u);
  ASSERT_TRUE(unanswered.contains(world.service));
  EXPECT_EQ(unanswered.at(world.service).cut, 1u);
  EXPECT_EQ(unanswered.at(world.service).refused, 0u);
}

TEST(Lifecycle, ShutdownThatCutsNobodySaysNothing) {
  auto backend = echo();
  World world;
  world.use({&backend});
  EXPECT_EQ(world.get().status(), 200);
  auto idle = world.client();
  EXPECT_TRUE(world.gateway->shutdown(1s).empty());
}

TEST(Lifecycle, ShutdownTellsWhoWaitsForAReplica) {
  struct Case {
    const char* why;
    int replicas;
    std::uint64_t cut, refused;
  };
  const Case cases[] = {{"there is none", 0, 0, 4}, {"the only one is full", 1, 1, 3}};
  for (const auto& [why, replicas, cut, refused] : cases) {
    SCOPED_TRACE(why);
    std::atomic<int> heard{0};
    Backend hangs([&](Socket& socket) {
      while (!read_message(socket).head.empty()) ++heard;
    });
    World world;
    if (replicas > 0) world.use({&hangs}, 1);
    std::array<Socket, 4> clients;
    for (auto& client : clients) {
      client = world.client();
      client.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 100000\r\n\r\n" +
                  std::string(100000, 'x'));
    }
    EXPECT_TRUE(
        eventually([&] { return world.now().waiting == static_cast<std::int64_t>(refused); }));
    std::map<ServiceId, Unanswered> unanswered;
    std::thread stopping([&] { unanswered = world.gateway->shutdown(50ms); });
    std::uint64_t told = 0;
    for (auto& client : clients) {
      const auto answer = read_message(client);
      if (answer.status() != 503) continue;
      ++told;
      EXPECT_EQ(answer["Retry-After"], "1");
      EXPECT_EQ(answer["Connection"], "close");
      EXPECT_TRUE(answer["Proxy-Status"].ends_with("details=\"drain_cut\"")) << answer.head;
      EXPECT_TRUE(client.at_end());
      client.close();
    }
    stopping.join();
    EXPECT_EQ(told, refused);
    EXPECT_TRUE(eventually([&] { return heard >= static_cast<int>(cut); }));
    EXPECT_EQ(heard, static_cast<int>(cut)) << "what waited was not begun, to be cut at once";
    EXPECT_EQ(unanswered[world.service].cut, cut);
    EXPECT_EQ(unanswered[world.service].refused, refused);
    EXPECT_EQ(world.failed(Failure::drain_cut), cut + refused);
    EXPECT_TRUE(world.adds_up());
  }
}

TEST(Lifecycle, WhoWaitsForAServiceThatStopsAloneIsToldOnce) {
  World world;
  auto client = world.client();
  client.send(kGet);
  EXPECT_TRUE(eventually([&] { return world.now().waiting == 1; }));
  world.gateway->close(world.service);
  EXPECT_EQ(world.gateway->refuse_waiting(world.service), 1u);
  EXPECT_EQ(read_message(client).status(), 503);
  EXPECT_EQ(world.gateway->refuse_waiting(world.service), 0u);
  EXPECT_TRUE(world.gateway->shutdown(1s).empty());
}

TEST(Lifecycle, NewSettingsHoldAndAnOpenConnectionStays) {
  auto backend = echo();
  World world;
  world.use({&backend});
  auto client = world.client();
  client.send(kGet);
  EXPECT_EQ(read_message(client).status(), 200);
  const auto before = world.gateway->listening(world.service);
  Settings settings;
  settings.listen = loopback(0);
  settings.listen = [] {
    Backend probe([](Socket&) {});
    return probe.address();
  }();
  ASSERT_TRUE(world.gateway->reconfigure(world.service, settings));
  EXPECT_FALSE(world.gateway->listening(world.service) == before);
  EXPECT_TRUE(eventually([&] { return !Socket::connect(before).open(); }));
  EXPECT_EQ(world.get().status(), 200);
  client.send(kGet);
  EXPECT_EQ(read_message(client).status(), 200);
}

}  // namespace
}  // namespace headroom::gateway::testing
