#include "base/address.h"

#include <gtest/gtest.h>

namespace headroom {
namespace {

TEST(Address, ReadsTheFormsThatUsersWrite) {
  struct Case {
    const char* why;
    const char* text;
    const char* expected;  // empty: refused
  };
  const Case cases[] = {
      {"an IPv4 address", "127.0.0.1:8080", "127.0.0.1:8080"},
      {"an IPv6 address", "[::1]:8080", "[::1]:8080"},
      {"a Unix socket", "unix:/run/a.sock", "unix:/run/a.sock"},
      {"port 0: the kernel's choice", "127.0.0.1:0", "127.0.0.1:0"},
      {"no port", "127.0.0.1", ""},
      {"a port that is no number", "127.0.0.1:http", ""},
      {"a port out of range", "127.0.0.1:65536", ""},
      {"IPv6 without brackets", "::1:8080", ""},
      {"an empty socket path", "unix:", ""},
      {"nothing", "", ""},
  };
  for (const auto& [why, text, expected] : cases) {
    SCOPED_TRACE(why);
    const auto address = resolve(text);
    if (*expected == '\0') {
      ASSERT_FALSE(address);
      EXPECT_EQ(address.error().code, Code::invalid);
    } else {
      ASSERT_TRUE(address) << to_string(address.error());
      EXPECT_EQ(to_string(*address), expected);
    }
  }
}

TEST(Address, NamesAreResolved) {
  const auto address = resolve("localhost:80");
  ASSERT_TRUE(address) << to_string(address.error());
  const auto text = to_string(*address);
  EXPECT_TRUE(text == "127.0.0.1:80" || text == "[::1]:80") << text;
  const auto unknown = resolve("no-such-host.invalid:80");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, Code::unavailable);
}

TEST(Address, APathIsBoundedByTheSystem) {
  EXPECT_TRUE(unix_address(std::string(107, 'a')));
  EXPECT_FALSE(unix_address(std::string(108, 'a')));
}

}  // namespace
}  // namespace headroom
