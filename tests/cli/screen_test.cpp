#include "cli/screen.h"

#include <algorithm>

#include <boost/json/parse.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/print.h"

namespace headroom::cli {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

boost::json::value shop(const std::string& more = "") {
  return boost::json::parse(R"({"name": "shop", "minReplicas": 0, "maxReplicas": 8,
      "state": {"name": "scaling up", "mood": "moving", "why": "1 more replica starting"},
      "target": {"value": 7, "of": "concurrency"},
      "replicas": {"wanted": 3, "ready": 2, "starting": 1, "draining": 0, "backingOff": 0},
      "load": {"concurrency": 14.2, "rate": 310.0, "waiting": 0, "running": 14},
      "latency": {"p50Ms": 2.1, "p95Ms": 8.0, "p99Ms": 31.0},
      "decision": {"reason": "concurrency 14.2 of 7 per replica → 3 replicas"},
      "instances": [{"id": 4, "state": "ready", "pid": 4711, "ageMs": 61000, "restarts": 0,
                     "cpu": 0.41, "memory": 12582912, "outstanding": 3},
                    {"id": 5, "state": "backingOff", "pid": 0, "ageMs": 900, "restarts": 2,
                     "cpu": null, "memory": null, "outstanding": 0}])" +
                            more + "}");
}

std::vector<journal::Event> events(int count) {
  std::vector<journal::Event> all;
  for (int i = 0; i < count; ++i) {
    all.push_back({.autoscaler = "shop", .unix_ms = 1'700'000'000'000, .text = "2 → 3 replicas"});
  }
  return all;
}

TEST(Screen, ALineForEachService) {
  EXPECT_EQ(services_table({shop()}),
            "NAME  READY  RANGE  LOAD        WAIT  RATE/S  P99   CPU   MEM       STATE\n"
            "shop  2/3    0..8   14.2 of 14  0     310     31ms  0.41  12.0 MiB  scaling up\n");
  EXPECT_EQ(replicas_table(shop()),
            "REPLICA  STATE       PID   AGE    RESTARTS  CPU   MEM       OPEN\n"
            "4        ready       4711  1m01s  0         0.41  12.0 MiB  3\n"
            "5        backingOff  -     900ms  2         -     -         0\n");
}

TEST(Screen, AnObjectiveIsAColumnWhereThereIsOne) {
  struct Case {
    const char *why, *objective, *shown;
  };
  const Case cases[] = {
      {"kept", R"({"latencyMs": 100, "percentile": 99, "recent": {"share": 0.99}})",
       "99.00% in 100ms, of 99%"},
      {"nearly is not",
       R"({"latencyMs": 1500, "percentile": 99.9, "recent": {"share": 0.998999}, "missed": true})",
       "99.89% in 1.5s, of 99.9%: missed"},
      {"no request", R"({"latencyMs": 100, "percentile": 50, "recent": {"share": null}})",
       "- in 100ms, of 50%"},
      {"another has one", "null", "-"},
  };
  for (const auto& [why, objective, shown] : cases) {
    SCOPED_TRACE(why);
    const auto table = services_table(
        {shop(fmt::format(R"(, "objective": {})", objective)),
         shop(R"(, "objective": {"latencyMs": 1, "percentile": 1, "recent": {"share": 1}})")});
    EXPECT_THAT(table, HasSubstr("STATE       OBJECTIVE\n"));
    EXPECT_THAT(table, HasSubstr(fmt::format("scaling up  {}\n", shown)));
  }
}

TEST(Screen, WhatIsWrongIsSaidBesideTheReason) {
  const auto said = [](const char* name, const char* mood) {
    return why(boost::json::parse(fmt::format(
        R"({{"name": "shop", "state": {{"name": "{}", "mood": "{}", "why": "so it is"}}}})", name,
        mood)));
  };
  EXPECT_EQ(said("crashing", "bad"), "shop, crashing (so it is): nothing decided yet");
  EXPECT_EQ(said("late", "warning"), "shop, late (so it is): nothing decided yet");
  EXPECT_EQ(said("pinned", "held"), "shop: nothing decided yet");
  EXPECT_EQ(said("steady", "good"), "shop: nothing decided yet");
}

TEST(Screen, ANarrowWindowLosesWhatMattersLeast) {
  auto long_one = shop(R"(, "objective": {"latencyMs": 100, "percentile": 99, "missed": true,
                          "recent": {"share": 0.98213}})");
  long_one.as_object()["name"] = "checkout-eu-west-orders";
  struct Case {
    std::size_t columns;
    const char *heads, *line;
  };
  const Case cases[] = {
      {140,
       "NAME                     READY  RANGE  LOAD        WAIT  RATE/S  P99   CPU   MEM       "
       "STATE       OBJECTIVE",
       "checkout-eu-west-orders  2/3    0..8   14.2 of 14  0     310     31ms  0.41  12.0 MiB  "
       "scaling up  98.21% in 100ms, of 99%: missed"},
      {124,
       "NAME               READY  RANGE  LOAD        WAIT  RATE/S  P99   CPU   MEM       "
       "STATE       OBJECTIVE",
       "checkout-eu-west…  2/3    0..8   14.2 of 14  0     310     31ms  0.41  12.0 MiB  scaling "
       "up  "
       "98.21% in 100ms, of 99%: missed"},
      {90, "NAME               READY  RANGE  LOAD        WAIT  RATE/S  P99   STATE       OBJECTIVE",
       "checkout-eu-west…  2/3    0..8   14.2 of 14  0     310     31ms  scaling up  98.21% "
       "missed"},
      {80, "NAME                  READY  LOAD        WAIT  RATE/S  STATE       OBJECTIVE",
       "checkout-eu-west-or…  2/3    14.2 of 14  0     310     scaling up  98.21% missed"},
      {48, "NAME            READY  STATE       OBJECTIVE",
       "checkout-eu-w…  2/3    scaling up  98.21% missed"},
      {40, "NAME    READY  STATE       OBJECTIVE", "check…  2/3    scaling up  98.21% missed"},
  };
  for (const auto& [columns, head, line] : cases) {
    EXPECT_EQ(services_table({long_one}, columns), fmt::format("{}\n{}\n", head, line)) << columns;
  }
  EXPECT_EQ(services_table({shop()}, 80), services_table({shop()})) << "it fits";
}

TEST(Screen, ReasonsAreShownWhole) {
  auto one = shop();
  one.as_object()["decision"] = {{"reason",
                                  "concurrency 14.2 over 10 s of 7 per replica → 3 replicas; held "
                                  "at 2 by the window for scaling up, for another 5 s"}};
  auto all = events(2);
  all[0].text =
      "replica 1 is stopped: liveness probe failed: GET /livez: no answer within 1s; it "
      "wrote: nothing";
  all[1].text = std::string(2000, 'x');
  const auto lines = draw({one}, all, "14:05:09", {80, 24});
  EXPECT_THAT(lines,
              Contains("shop: concurrency 14.2 over 10 s of 7 per replica → 3 replicas; held "
                       "at 2 by the"));
  EXPECT_THAT(lines, Contains("  window for scaling up, for another 5 s"));
  EXPECT_THAT(lines, Contains("                answer within 1s; it wrote: nothing"));
  EXPECT_TRUE(lines.back().ends_with("x…")) << "of what is long, the begin";
}

TEST(Screen, NamesAreUnderEachOther) {
  auto all = events(2);
  all[1].autoscaler = "orders";
  const auto lines = draw({shop(), shop()}, all, "14:05:09", {80, 24});
  EXPECT_THAT(lines, Contains(HasSubstr("  shop    2 → 3")));
  EXPECT_THAT(lines, Contains(HasSubstr("  orders  2 → 3")));
}

TEST(Screen, FitsWhateverTheWindow) {
  boost::json::array many;
  for (int i = 0; i < 200; ++i) many.push_back(shop());
  for (const auto& all : {boost::json::array{shop()}, many, boost::json::array{}}) {
    for (const std::size_t columns : {1u, 40u, 80u, 200u}) {
      for (const std::size_t rows : {1u, 2u, 5u, 24u, 60u}) {
        const auto lines = draw(all, events(100), "14:05:09", {columns, rows});
        EXPECT_LE(lines.size(), rows);
        for (const auto& line : lines) EXPECT_LE(width(line), columns) << line;
      }
    }
  }
}

TEST(Screen, OneServiceWithItsReplicasAndWhatHappened) {
  const auto lines = draw({shop()}, events(100), "14:05:09", {80, 24});
  ASSERT_EQ(lines.size(), 24u);
  EXPECT_EQ(lines[0], "headroom  14:05:09   1 autoscaler, 2 of 3 replicas ready");
  EXPECT_THAT(lines, Contains("shop: concurrency 14.2 of 7 per replica → 3 replicas"));
  EXPECT_THAT(lines, Contains(HasSubstr("4711")));
  EXPECT_THAT(lines.back(), HasSubstr("2 → 3 replicas"));
}

TEST(Screen, ManyServicesLeaveRoomForWhatHappened) {
  boost::json::array many;
  for (int i = 0; i < 200; ++i) many.push_back(shop());
  const auto lines = draw(many, events(100), "14:05:09", {80, 24});
  EXPECT_THAT(lines, Contains(HasSubstr("more lines")));
  EXPECT_GE(std::ranges::count_if(
                lines, [](const auto& line) { return line.ends_with("2 → 3 replicas"); }),
            7);
}

TEST(Screen, NothingThatATerminalObeys) {
  EXPECT_EQ(refused_document({{"documentRefused", "shop\x1b.yaml:7:3: no"}}),
            "the document is refused, what ran before goes on: shop\\x1B.yaml:7:3: no");
  auto hostile = events(1);
  hostile[0].text = "\x1b[2J\x07 boo";
  for (const auto& line : draw({shop()}, hostile, "14:05:09", {80, 24})) {
    EXPECT_EQ(line.find('\x1b'), std::string::npos);
  }
}

}  // namespace
}  // namespace headroom::cli
