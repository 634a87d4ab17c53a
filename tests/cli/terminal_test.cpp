#include "cli/terminal.h"

#include <gtest/gtest.h>

namespace headroom::cli {
namespace {

TEST(Terminal, KeysThatEndIt) {
  struct Case {
    const char* why;
    std::string_view keys;
    bool enough;
  };
  const Case cases[] = {
      {"q", "q", true},
      {"Q behind others", "xyQ", true},
      {"Esc", "\x1b", true},
      {"Esc behind others", "x\x1b", true},
      {"another", "x", false},
      {"an arrow", "\x1b[B", false},
      {"an arrow as an application has it", "\x1bOB", false},
      {"with Ctrl", "\x1b[1;5A", false},
      {"F5", "\x1b[15~", false},
      {"many arrows", "\x1b[A\x1b[A\x1b[B", false},
      {"q behind an arrow", "\x1b[Aq", true},
      {"q with Alt", "\x1bq", false},
      {"a key that was cut off", "\x1b[1;", false},
      {"none", "", false},
  };
  for (const auto& [why, keys, enough] : cases) EXPECT_EQ(says_enough(keys), enough) << why;
}

}  // namespace
}  // namespace headroom::cli
