#include "policy/forms.h"

#include <string>

#include <gtest/gtest.h>

#include "policy/names.h"

namespace headroom::policy {
namespace {

using namespace std::string_literals;

TEST(Forms, TakeWhatTheyNameAndNothingElse) {
  struct Case {
    const char* why;
    const Form& form;
    std::string text;
    bool fits;
  };
  const Case cases[] = {
      {"any text", form::kAny, "", true},
      {"but what C would cut off", form::kAny, "a\0b"s, false},
      {"some text", form::kSome, "a", true},
      {"which is not none", form::kSome, "", false},
      {"nor what C would cut off", form::kSome, "a\0b"s, false},
      {"a label", form::kDnsLabel, "shop-1", true},
      {"of 63", form::kDnsLabel, std::string(63, 'a'), true},
      {"at most", form::kDnsLabel, std::string(64, 'a'), false},
      {"not empty", form::kDnsLabel, "", false},
      {"no capitals", form::kDnsLabel, "Shop", false},
      {"no sign in front", form::kDnsLabel, "-a", false},
      {"or at the end", form::kDnsLabel, "a-", false},
      {"no other signs", form::kDnsLabel, "a_b", false},
      {"a variable", form::kVariable, "_A1", true},
      {"without a name", form::kVariable, "", false},
      {"a digit in front", form::kVariable, "1A", false},
      {"a minus", form::kVariable, "A-B", false},
      {"a path", form::kPath, "/a?b=c", true},
      {"relative", form::kPath, "a", false},
      {"with a blank", form::kPath, "/a b", false},
      {"with a letter beyond ASCII", form::kPath, "/\xc3\xa9", false},
      {"with DEL", form::kPath, "/\x7f", false},
      {"a host", form::kHost, "fe80::1%eth0", true},
      {"a host of two words", form::kHost, "a b", false},
      {"a long host", form::kHost, std::string(256, 'a'), false},
      {"a header's name", form::kHeaderName, "X-A", true},
      {"none", form::kHeaderName, "", false},
      {"two words", form::kHeaderName, "X A", false},
      {"a header's value", form::kHeaderValue, "a\tb", true},
      {"nothing is one", form::kHeaderValue, "", true},
      {"blanks in front are not the value's", form::kHeaderValue, " a", false},
      {"nor tabs behind", form::kHeaderValue, "a\t", false},
      {"an escape", form::kHeaderValue, "a\x1b", false},
      {"DEL", form::kHeaderValue, "\x7f", false},
      {"all addresses", form::kListen, ":80", true},
      {"a name", form::kListen, "localhost:80", true},
      {"IPv6", form::kListen, "[::1]:80", true},
      {"no port", form::kListen, "localhost", false},
      {"an empty port", form::kListen, "localhost:", false},
      {"a port beyond", form::kListen, ":65536", false},
      {"a port of letters", form::kListen, ":http", false},
      {"a port and more", form::kListen, ":80a", false},
      {"a bracket that stays open", form::kListen, "[::1:80", false},
      {"brackets around a name", form::kListen, "[a]:80", false},
      {"a colon in a name", form::kListen, "a:b:80", false},
      {"a bracket in a name", form::kListen, "a]:80", false},
      {"a name of two words", form::kListen, "a b:80", false},
      {"a socket", form::kListen, "unix:/run/a", true},
      {"a socket without a name", form::kListen, "unix:", false},
      {"a socket's name of 108", form::kListen, "unix:" + std::string(108, 'a'), false},
      {"a network", form::kCidr, "10.0.0.0/8", true},
      {"of IPv6", form::kCidr, "fd00::/8", true},
      {"an address", form::kCidr, "10.0.0.0", false},
      {"more bits than there are", form::kCidr, "10.0.0.0/33", false},
      {"more than IPv6 has", form::kCidr, "fd00::/129", false},
      {"no number of bits", form::kCidr, "10.0.0.0/x", false},
      {"more numbers of bits than fit", form::kCidr, "10.0.0.0/99999999999", false},
      {"no address", form::kCidr, "ten/8", false},
      {"longer than any address", form::kCidr, std::string(46, '1') + "/8", false},
      {"an address that C would cut off", form::kCidr, "10.0.0.0\0x/8"s, false},
  };
  for (const auto& [why, form, text, fits] : cases) {
    EXPECT_EQ(form.fits(text), fits) << why << ": " << text;
  }
}

TEST(Forms, Collide) {
  struct Case {
    const char* why;
    const char *a, *b;
    bool collide;
  };
  const Case cases[] = {
      {"a socket and a port", "unix:/a", ":80", false},
      {"two sockets", "unix:/a", "unix:/b", false},
      {"one socket", "unix:/a", "unix:/a", true},
      {"two ports", ":80", ":81", false},
      {"ports that the kernel chooses", ":0", ":0", false},
      {"one name", "a:80", "a:80", true},
      {"two names", "a:80", "b:80", false},
      {"all addresses, and one", ":80", "b:80", true},
      {"all of IPv4, and one of IPv4", "0.0.0.0:80", "127.0.0.1:80", true},
      {"all of IPv4, and one of IPv6", "0.0.0.0:80", "[::1]:80", false},
      {"all of IPv4, and all of IPv6, which are both", "0.0.0.0:80", "[::]:80", true},
      {"all of IPv6, and one of IPv4", "[::]:80", "127.0.0.1:80", true},
  };
  for (const auto& [why, a, b, expected] : cases) {
    EXPECT_EQ(collide(a, b), expected) << why;
    EXPECT_EQ(collide(b, a), expected) << why << ", the other way";
  }
}

TEST(Names, AreKubernetes) {
  struct Case {
    const char* text;
    bool label, subdomain, name;
  };
  const Case cases[] = {
      {"web-1", true, true, true},   {"example.com", false, true, true},
      {"Web_1", false, false, true}, {"", false, false, false},
      {"a..b", false, false, true},  {"a.-b", false, false, true},
      {"-a", false, false, false},   {"a.", false, false, false},
      {"a b", false, false, false},  {"@", false, false, false},
      {"[", false, false, false},    {"{", false, false, false},
      {"/", false, false, false},    {"\xc1", false, false, false},
  };
  for (const auto& [text, label, subdomain, name] : cases) {
    EXPECT_EQ(is_dns_label(text), label) << text;
    EXPECT_EQ(is_dns_subdomain(text), subdomain) << text;
    EXPECT_EQ(is_label_name(text), name) << text;
  }
  EXPECT_TRUE(same_in_any_case("aZ-9", "Az-9"));
  EXPECT_FALSE(same_in_any_case("a", "ab"));
  EXPECT_FALSE(same_in_any_case("@", "`")) << "which differ in the same bit as letters do";
}

}  // namespace
}  // namespace headroom::policy
