#include "server/health.h"

#include <cmath>

#include <gtest/gtest.h>

#include "decide/steps.h"

namespace headroom::server {
namespace {

using State = target::Replica::State;

void has(control::Status& status, int wanted, int ready, int starting = 0) {
  status.decided.replicas = {wanted};
  status.replicas.assign(static_cast<std::size_t>(ready), {.state = State::ready, .age = 1h});
  status.replicas.resize(static_cast<std::size_t>(ready + starting));
}

void with(control::Status& status, State state, int restarts, Millis age) {
  status.replicas[0].state = state;
  status.replicas[0].restarts = restarts;
  status.replicas[0].age = age;
}

void keeps(control::Status& status, double percentile, control::Judged recent) {
  status.objective = {
      .wanted = {100ms, percentile}, .at_percentile_ms = std::nullopt, .all = {}, .recent = recent};
}

/// Two of at most eight are wanted and ready, for 14 requests, and have 10.
control::Status usual() {
  control::Status status;
  status.maximum = {8};
  status.target = 7;
  status.seen.load = decide::Load{.concurrency = 10, .rate = 100};
  has(status, 2, 2);
  return status;
}

TEST(Health, IsTheGravestThereIsToSay) {
  struct Case {
    const char* name;
    void (*change)(control::Status&);
    const char *word, *mood, *why;
  };
  using S = control::Status;
  const Case cases[] = {
      {"as wanted", [](S&) {}, "steady", "good", "2 replicas ready"},
      {"at zero", [](S& s) { has(s, 0, 0); }, "asleep", "quiet",
       "the next request starts a replica"},
      {"the first starts", [](S& s) { has(s, 1, 0, 1); }, "waking", "moving", "1 replica starting"},
      {"and is waited for",
       [](S& s) {
         has(s, 1, 0, 1);
         s.maximum = {1};
         s.seen.load->waiting = 2;
       },
       "waking", "moving", "1 replica starting, 2 requests waiting"},
      {"more start", [](S& s) { has(s, 4, 2, 2); }, "scaling up", "moving",
       "2 more replicas starting"},
      {"some drain", [](S& s) { s.replicas.push_back({.state = State::draining}); }, "scaling down",
       "moving", "1 replica finishing what is open"},
      {"some are not told yet", [](S& s) { has(s, 2, 5); }, "scaling down", "moving",
       "3 replicas finishing what is open"},
      {"one waits after a crash", [](S& s) { with(s, State::backing_off, 1, 0ms); }, "crashing",
       "bad", "1 replica crashed and is started again"},
      {"it starts after a crash", [](S& s) { with(s, State::starting, 3, 500ms); }, "crashing",
       "bad", "1 replica crashed and is started again"},
      {"it is ready after a crash, for now", [](S& s) { with(s, State::ready, 3, 59s); },
       "crashing", "bad", "1 replica crashed and is started again"},
      {"it lasts", [](S& s) { with(s, State::ready, 3, 60s); }, "steady", "good",
       "2 replicas ready"},
      {"it never crashed", [](S& s) { with(s, State::ready, 0, 500ms); }, "steady", "good",
       "2 replicas ready"},
      {"a crash is worse than a pin",
       [](S& s) {
         s.hold = decide::Hold{.replicas = {2}};
         for (auto& each : s.replicas) each.state = State::backing_off;
       },
       "crashing", "bad", "2 replicas crashed and are started again"},
      {"the most, and not enough",
       [](S& s) {
         has(s, 8, 8);
         s.seen.load->concurrency = 57;
       },
       "at its limit", "warning", "the load asks for more than the 8 replicas allowed"},
      {"the most, and enough",
       [](S& s) {
         has(s, 8, 8);
         s.seen.load->concurrency = 56;
       },
       "steady", "good", "8 replicas ready"},
      {"by the rate",
       [](S& s) {
         has(s, 8, 8);
         s.by_rate = true;
       },
       "at its limit", "warning", "the load asks for more than the 8 replicas allowed"},
      {"the most, and some wait",
       [](S& s) {
         has(s, 8, 8);
         s.seen.load->waiting = 1;
       },
       "at its limit", "warning", "the load asks for more than the 8 replicas allowed"},
      {"a metric asks for more",
       [](S& s) {
         has(s, 8, 8);
         s.target = 0;
         s.decided.steps.push_back({.code = decide::step::kTooManyReplicas});
       },
       "at its limit", "warning", "the load asks for more than the 8 replicas allowed"},
      {"the most, still starting, is not yet too little",
       [](S& s) {
         has(s, 8, 2, 6);
         s.seen.load->concurrency = 40;
       },
       "scaling up", "moving", "6 more replicas starting"},
      {"more are allowed", [](S& s) { s.seen.load->concurrency = 90; }, "steady", "good",
       "2 replicas ready"},
      {"requests fail", [](S& s) { s.failed_recently = 3; }, "failing", "warning",
       "3 requests failed in the last minute"},
      {"unknown is not zero", [](S& s) { s.seen.load->concurrency = std::nan(""); }, "load unknown",
       "warning", "nothing is scaled down until it can be read"},
      {"nothing of it is known", [](S& s) { s.seen.load = tl::unexpected(decide::Absent{}); },
       "load unknown", "warning", "nothing is scaled down until it can be read"},
      {"nobody scales by it",
       [](S& s) {
         s.seen.load = tl::unexpected(decide::Absent{});
         s.target = 0;
       },
       "steady", "good", "2 replicas ready"},
      {"late, and not by rounding",
       [](S& s) {
         keeps(s, 99, {100'000, 98'999});
       },
       "late", "warning", "98.99% of the requests within 100ms in 5 min, 99% wanted"},
      {"just kept",
       [](S& s) {
         keeps(s, 99, {1000, 990});
       },
       "steady", "good", "2 replicas ready"},
      {"kept to the tenth",
       [](S& s) {
         keeps(s, 99.9, {10'000, 9'990});
       },
       "steady", "good", "2 replicas ready"},
      {"no request misses nothing",
       [](S& s) {
         keeps(s, 99, {0, 0});
       },
       "steady", "good", "2 replicas ready"},
      {"paused", [](S& s) { s.hold = decide::Hold{.replicas = {2}, .until = {}, .pause = true}; },
       "paused", "held", "at 2 replicas"},
      {"pinned", [](S& s) { s.hold = decide::Hold{.replicas = {1}}; }, "pinned", "held",
       "at 1 replica"},
  };
  for (const auto& [name, change, word, mood, expected] : cases) {
    SCOPED_TRACE(name);
    auto status = usual();
    change(status);
    const auto health = health_of(status);
    EXPECT_EQ(about(health).name, word);
    EXPECT_EQ(mood_of(health), mood);
    EXPECT_EQ(why(health, status), expected);
  }
}

}  // namespace
}  // namespace headroom::server
