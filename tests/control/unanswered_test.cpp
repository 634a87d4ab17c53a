#include "control/unanswered.h"

#include <gtest/gtest.h>

#include "target/troubles.h"

namespace headroom::control {
namespace {

TEST(Unanswered, IsSaidWithNumbersAndWhatToRaise) {
  struct Case {
    const char* why;
    gateway::Unanswered requests;
    DrainEnd end;
    std::string expected;
  };
  const Case cases[] = {
      {"all were answered", {}, {2s, 2s}, ""},
      {"one", {1, 0}, {2s, 2s}, "1 request was cut: still open after 2 s (gateway.drain)"},
      {"several",
       {3, 0},
       {500ms, 500ms},
       "3 requests were cut: still open after 0.5 s (gateway.drain)"},
      {"another service's drain is longer",
       {3, 0},
       {30s, 2s},
       "3 requests were cut: still open after 30 s (the longest gateway.drain)"},
      {"only what waited",
       {0, 1},
       {30s, 30s},
       "1 request got 503: still without a replica after 30 s (gateway.drain)"},
      {"both",
       {1, 2},
       {30s, 30s},
       "1 request was cut: still open after 30 s (gateway.drain); "
       "2 requests got 503: still without a replica after 30 s (gateway.drain)"},
  };
  for (const auto& [why, requests, end, expected] : cases) {
    SCOPED_TRACE(why);
    EXPECT_EQ(said_of(requests, end), expected);
  }
}

TEST(Unanswered, IsSaidAsThePageOfReasonsHasIt) {
  EXPECT_EQ("replica 1: " + said_of({3, 0}, {30s, 30s}), about(target::Trouble::cut).example);
  EXPECT_EQ(said_of({0, 2}, {30s, 30s}), about(target::Trouble::refused).example);
}

}  // namespace
}  // namespace headroom::control
