#include "server/health.h"

#include <set>
#include <string>

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include "decide/steps.h"
#include "server/assets.h"

namespace headroom::server {
namespace {

using State = target::Replica::State;

void has(control::Status& status, int wanted, int ready, int starting = 0) {
  status.decided.replicas = {wanted};
  status.replicas.assign(static_cast<std::size_t>(ready),
                         {.state = State::ready, .age = 1h, .startup = 1s});
  status.replicas.resize(static_cast<std::size_t>(ready + starting));
}

void with(control::Status& status, State state, int restarts, std::optional<Millis> ready_for) {
  auto& replica = status.replicas[0];
  replica.state = state;
  replica.restarts = restarts;
  replica.age = 10min;
  replica.startup.reset();
  if (ready_for) replica.startup = replica.age - *ready_for;
}

void asks(control::Status& status, int replicas) {
  status.decided.steps.push_back(
      {.code = decide::step::kUtilization, .after = {replicas}, .source = 0});
}

void keeps(control::Status& status, double percentile, control::Judged recent) {
  status.objective = {
      .wanted = {100ms, percentile}, .at_percentile_ms = std::nullopt, .all = {}, .recent = recent};
}

/// Two of at most eight are wanted and ready, for 14 requests, and have 10.
control::Status usual() {
  control::Status status;
  status.watched = 1h;
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
      {"one waits after a crash", [](S& s) { with(s, State::backing_off, 1, {}); }, "crashing",
       "bad", "1 replica failed lately"},
      {"it starts after a crash", [](S& s) { with(s, State::starting, 3, {}); }, "crashing", "bad",
       "1 replica failed lately"},
      {"it is ready after a crash, for now", [](S& s) { with(s, State::ready, 3, 59s); },
       "crashing", "bad", "1 replica failed lately"},
      {"it lasts", [](S& s) { with(s, State::ready, 3, 60s); }, "steady", "good",
       "2 replicas ready"},
      {"it never crashed", [](S& s) { with(s, State::ready, 0, 1s); }, "steady", "good",
       "2 replicas ready"},
      {"its probe fails, long after a crash", [](S& s) { with(s, State::starting, 1, 60s); },
       "unready", "warning", "1 replica not ready any more"},
      {"a crash is worse than a pin",
       [](S& s) {
         s.hold = decide::Hold{.replicas = {2}};
         for (auto& each : s.replicas) each.state = State::backing_off;
       },
       "crashing", "bad", "2 replicas failed lately"},
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
         asks(s, 9);
       },
       "at its limit", "warning", "the load asks for more than the 8 replicas allowed"},
      {"a metric asked for more, and a window holds that",
       [](S& s) {
         has(s, 8, 8);
         s.target = 0;
         asks(s, 1);
         s.decided.steps.push_back({.stage = decide::Step::Stage::stabilise, .after = {9}});
       },
       "steady", "good", "8 replicas ready"},
      {"none is allowed, and some wait",
       [](S& s) {
         has(s, 0, 0);
         s.maximum = {0};
         s.seen.load = decide::Load{.waiting = 1};
       },
       "at its limit", "warning", "the load asks for more than the 0 replicas allowed"},
      {"none is allowed",
       [](S& s) {
         has(s, 0, 0);
         s.maximum = {0};
         s.seen.load = decide::Load{};
       },
       "asleep", "quiet", "maxReplicas is 0: nothing is started"},
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
      {"unread", [](S& s) { s.decided.steps.push_back({.code = decide::step::kNoReading}); },
       "load unknown", "warning", "nothing is scaled down until it can be read"},
      {"a source fails",
       [](S& s) { s.decided.steps.push_back({.code = decide::step::kSourceFailed}); },
       "load unknown", "warning", "nothing is scaled down until it can be read"},
      {"nothing can have been read yet",
       [](S& s) {
         s.decided.steps.push_back({.code = decide::step::kNoReading});
         for (auto& each : s.replicas) each.age = 60s;
       },
       "steady", "good", "2 replicas ready"},
      {"nor by who has just taken over",
       [](S& s) {
         s.decided.steps.push_back({.code = decide::step::kNoReading});
         s.watched = 59s;
       },
       "steady", "good", "2 replicas ready"},
      {"who drains is not read any more",
       [](S& s) {
         s.decided.steps.push_back({.code = decide::step::kNoReading});
         for (auto& each : s.replicas) each.age = 10s;
         s.replicas.push_back({.state = State::draining, .age = 1h, .startup = 1s});
       },
       "scaling down", "moving", "1 replica finishing what is open"},
      {"kept, whatever a double makes of it",
       [](S& s) {
         keeps(s, 99.9, {41'000, 40'959});
       },
       "steady", "good", "2 replicas ready"},
      {"at zero after the last request",
       [](S& s) {
         has(s, 0, 0);
         s.maximum = {0};
         s.seen.load = decide::Load{.concurrency = 0.9};
       },
       "asleep", "quiet", "maxReplicas is 0: nothing is started"},
      {"late, and not by rounding",
       [](S& s) {
         keeps(s, 99, {100'000, 98'999});
       },
       "late", "warning", "1.01% of the requests missed 100ms in 5 min, 1% may"},
      {"late by a tenth",
       [](S& s) {
         keeps(s, 99.9, {1000, 998});
       },
       "late", "warning", "0.2% of the requests missed 100ms in 5 min, 0.1% may"},
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
      {"it was told to stop",
       [](S& s) {
         s.ending = true;
         with(s, State::draining, 1, 1s);
       },
       "stopping", "moving", "2 replicas left"},
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

TEST(Health, HasTheWordsThatTheApiPromises) {
  const auto api = boost::json::parse(find_asset("openapi.json")->bytes);
  const auto promised = [&](const char* field) {
    std::set<std::string> words;
    for (const auto& word :
         api.at_pointer("/components/schemas/State/properties/" + std::string(field) + "/enum")
             .as_array()) {
      words.emplace(word.as_string());
    }
    return words;
  };
  std::set<std::string> names, moods;
  for (int i = 0; !about(static_cast<Health>(i)).name.empty(); ++i) {
    names.emplace(about(static_cast<Health>(i)).name);
    moods.emplace(mood_of(static_cast<Health>(i)));
  }
  EXPECT_EQ(promised("name"), names);
  EXPECT_EQ(promised("mood"), moods);
}

}  // namespace
}  // namespace headroom::server
