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
            "NAME  READY  RANGE  LOAD        WAIT  RATE/S  P99   CPU   MEM    STATE\n"
            "shop  2/3    0..8   14.2 of 14  0     310     31ms  0.41  12.0M  scaling\n");
  EXPECT_EQ(replicas_table(shop()),
            "REPLICA  STATE       PID   AGE    RESTARTS  CPU   MEM    OPEN\n"
            "4        ready       4711  1m01s  0         0.41  12.0M  3\n"
            "5        backingOff  -     900ms  2         -     -      0\n");
}

TEST(Screen, AnObjectiveIsAColumnWhereThereIsOne) {
  struct Case {
    const char *why, *objective, *shown;
  };
  const Case cases[] = {
      {"kept", R"({"latencyMs": 100, "percentile": 99, "recent": {"share": 0.99}})",
       "99.00% in 100ms, of 99%"},
      {"nearly is not", R"({"latencyMs": 1500, "percentile": 99.9, "recent": {"share": 0.998999}})",
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
    EXPECT_THAT(table, HasSubstr("STATE    OBJECTIVE\n"));
    EXPECT_THAT(table, HasSubstr(fmt::format("scaling  {}\n", shown)));
  }
}

TEST(Screen, States) {
  struct Case {
    const char* why;
    const char* replicas;
    const char* hold;
    const char* state;
  };
  const Case cases[] = {
      {"as asked", R"({"wanted": 3, "ready": 3})", "null", "steady"},
      {"none asked for", R"({"wanted": 0, "ready": 0})", "null", "at zero"},
      {"one crashed", R"({"wanted": 3, "ready": 2, "backingOff": 1})", "null", "failing"},
      {"pinned", R"({"wanted": 3, "ready": 3})", R"({"why": "scale"})", "pinned"},
      {"paused", R"({"wanted": 3, "ready": 3})", R"({"why": "pause"})", "paused"},
  };
  for (const auto& [why, replicas, hold, state] : cases) {
    SCOPED_TRACE(why);
    const auto value = boost::json::parse(
        fmt::format(R"({{"name": "shop", "replicas": {}, "hold": {}}})", replicas, hold));
    EXPECT_THAT(services_table({value}), HasSubstr(state));
  }
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
  auto hostile = events(1);
  hostile[0].text = "\x1b[2J\x07 boo";
  for (const auto& line : draw({shop()}, hostile, "14:05:09", {80, 24})) {
    EXPECT_EQ(line.find('\x1b'), std::string::npos);
  }
}

}  // namespace
}  // namespace headroom::cli
