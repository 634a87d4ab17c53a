#include "cli/paths.h"

#include <cstdlib>

#include <gtest/gtest.h>

namespace headroom::cli {
namespace {

TEST(Paths, TheJournalIsWhereTheEnvironmentSays) {
  struct Case {
    const char* why;
    const char *unit, *state, *home;
    const char* expected;
  };
  const Case cases[] = {
      {"a user's", "", "", "/home/eve", "/home/eve/.local/state/headroom/shop/journal.db"},
      {"a user's own state", "", "/s", "/home/eve", "/s/headroom/shop/journal.db"},
      {"a unit's", "/var/lib/x", "/s", "/home/eve", "/var/lib/x/journal.db"},
      {"systemd sorts: a drop-in's folder may come first", "/var/lib/aaa:/var/lib/headroom/shop",
       "", "", "/var/lib/headroom/shop/journal.db"},
      {"not a folder for each instance", "/var/lib/aaa:/var/lib/headroom", "", "",
       "/var/lib/headroom/journal.db"},
      {"of others the first", "/var/lib/aaa:/var/lib/bbb", "", "", "/var/lib/aaa/journal.db"},
  };
  for (const auto& [why, unit, state, home, expected] : cases) {
    SCOPED_TRACE(why);
    ASSERT_EQ(::setenv("STATE_DIRECTORY", unit, 1), 0);
    ASSERT_EQ(::setenv("XDG_STATE_HOME", state, 1), 0);
    ASSERT_EQ(::setenv("HOME", home, 1), 0);
    const auto path = journal_path("shop");
    ASSERT_TRUE(path) << path.error().what;
    EXPECT_EQ(*path, expected);
  }
  ASSERT_EQ(::setenv("STATE_DIRECTORY", "", 1), 0);
  ASSERT_EQ(::setenv("HOME", "", 1), 0);
  EXPECT_FALSE(journal_path("shop")) << "nothing says where";
}

}  // namespace
}  // namespace headroom::cli
