#include "gateway/harness.h"

namespace headroom::gateway::testing {
namespace {

TEST(Hold, ARequestWaitsForTheFirstReplica) {
  World world;
  auto client = world.client();
  client.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_TRUE(eventually([&] { return world.now().waiting == 1; }));
  EXPECT_TRUE(eventually([&] { return world.demands > 0; }));
  const int before = world.demands;
  EXPECT_TRUE(eventually([&] { return world.demands > before; }))
      << "the wish stands while it waits";
  Backend backend(Backend::answers([](const Message& request) { return answer(request.body); }));
  world.use({&backend});
  EXPECT_EQ(read_message(client).body, "hello");
  EXPECT_TRUE(eventually([&] { return world.now().waiting == 0 && world.adds_up(); }));
  EXPECT_EQ(world.now().hold.total(), 1u);
}

TEST(Hold, AReplicaThatRefusesGetsItAgainWhenItIsThere) {
  World world;
  Address free;
  {
    Backend gone([](Socket&) {});
    free = gone.address();
  }
  world.gateway->set_backends(world.service, {{99, free, 0}});
  auto client = world.client();
  client.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\nhi");
  EXPECT_TRUE(client.quiet_for(200ms)) << "no 502 while there may be a replica soon";
  Backend backend(Backend::answers([](const Message& request) { return answer(request.body); }));
  world.use({&backend});
  EXPECT_EQ(read_message(client).body, "hi");
}

TEST(Hold, IsBoundedInNumber) {
  Settings settings;
  settings.hold.max_requests = 3;
  settings.hold.retry_after = 2500ms;
  World world(settings);
  std::vector<Socket> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(world.client());
    clients.back().send(kGet);
  }
  EXPECT_TRUE(eventually([&] { return world.now().waiting == 3; }));
  const auto refused = world.get();
  EXPECT_EQ(refused.status(), 503);
  EXPECT_EQ(refused["Retry-After"], "3");
  EXPECT_NE(refused["Proxy-Status"].find("hold_full"), std::string::npos);
  EXPECT_EQ(world.failed(Failure::hold_full), 1u);
}

TEST(Hold, IsBoundedInTime) {
  Settings settings;
  settings.hold.timeout = 100ms;
  World world(settings);
  const auto refused = world.get();
  EXPECT_EQ(refused.status(), 503);
  EXPECT_EQ(refused["Retry-After"], "1");
  EXPECT_EQ(world.failed(Failure::hold_timeout), 1u);
  EXPECT_TRUE(world.adds_up());
}

TEST(Hold, IsBoundedInBytes) {
  Settings settings;
  settings.hold.max_bytes = 4000;
  World world(settings);
  auto first = world.client();
  first.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 3700\r\n\r\n" + std::string(3700, 'x'));
  EXPECT_TRUE(eventually([&] { return world.now().waiting == 1; }));
  EXPECT_EQ(world.get().status(), 503);
}

TEST(Hold, AClientThatLeavesIsForgotten) {
  World world;
  auto client = world.client();
  client.send(kGet);
  EXPECT_TRUE(eventually([&] { return world.now().waiting == 1; }));
  client.close();
  EXPECT_TRUE(eventually([&] { return world.now().waiting == 0; }));
  EXPECT_EQ(world.failed(Failure::client_abort), 1u);
}

TEST(Hold, ProbesOfSleepingServicesStartNothing) {
  Settings settings;
  settings.hold.no_wake = {"/healthz"};
  World world(settings);
  EXPECT_EQ(world.get("", "/healthz").status(), 503);
  EXPECT_EQ(world.demands, 0);
  EXPECT_EQ(world.now().arrived, 0u);
}

TEST(Hold, NobodyGetsMoreThanItsLimitAndNobodyWaitsBesideAFreeSlot) {
  std::atomic<int> now{0}, most{0};
  Backend backend(Backend::answers([&](const Message&) {
    const int mine = ++now;
    int seen = most.load();
    while (seen < mine && !most.compare_exchange_weak(seen, mine)) {
    }
    std::this_thread::sleep_for(1ms);
    --now;
    return answer("x");
  }));
  World world({}, 4);
  world.use({&backend}, 3);
  std::vector<std::thread> clients;
  std::atomic<int> answered{0};
  for (int i = 0; i < 24; ++i) {
    clients.emplace_back([&] {
      auto client = world.client();
      for (int k = 0; k < 50; ++k) {
        client.send(kGet);
        if (read_message(client).status() == 200) ++answered;
      }
    });
  }
  for (auto& each : clients) each.join();
  EXPECT_EQ(answered, 24 * 50);
  EXPECT_EQ(most, 3);
  EXPECT_TRUE(eventually([&] { return world.now().outstanding == 0 && world.adds_up(); }));
}

TEST(Hold, WhoCameFirstGoesFirst) {
  std::mutex mutex;
  std::vector<std::string> order;
  Backend backend(Backend::answers([&](const Message& request) {
    const std::lock_guard lock(mutex);
    order.push_back(request.head.substr(4, request.head.find(" HTTP") - 4));
    return answer("");
  }));
  World world;
  std::vector<Socket> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(world.client());
    clients.back().send("GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: t\r\n\r\n");
    ASSERT_TRUE(eventually([&] { return world.now().waiting == i + 1; }));
  }
  world.use({&backend}, 1);
  for (auto& client : clients) EXPECT_EQ(read_message(client).status(), 200);
  const std::vector<std::string> expected = {"/0", "/1", "/2", "/3", "/4",
                                             "/5", "/6", "/7", "/8", "/9"};
  EXPECT_EQ(order, expected);
}

}  // namespace
}  // namespace headroom::gateway::testing
