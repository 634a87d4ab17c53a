#include "policy/yaml_scalar.h"

#include <optional>
#include <string>

#include <gtest/gtest.h>

namespace headroom::policy {
namespace {

// What sigs.k8s.io/yaml makes of bare words.
TEST(YamlScalars, AreWhatKubernetesTakesThemFor) {
  struct Case {
    const char* why;
    const char* text;
    Scalar kind;
    std::optional<double> whole = {};
  };
  const Case cases[] = {
      {"a word", "web", Scalar::text},
      {"nothing", "", Scalar::text},
      {"a number", "10", Scalar::whole, 10},
      {"nought", "0", Scalar::whole, 0},
      {"with a sign", "-1", Scalar::whole, -1},
      {"with the other", "+1", Scalar::whole, 1},
      {"in groups", "1_000", Scalar::whole, 1000},
      {"hexadecimal", "0x1F", Scalar::whole, 31},
      {"in capitals", "0X1f", Scalar::whole, 31},
      {"binary", "0b101", Scalar::whole, 5},
      {"octal", "0o17", Scalar::whole, 15},
      {"octal of old", "017", Scalar::whole, 15},
      {"no octal, but a fraction of none", "08", Scalar::real, 8},
      {"a mark alone", "0x", Scalar::text},
      {"more than 64 bits", "99999999999999999999", Scalar::whole},
      {"a fraction", "1.5", Scalar::real},
      {"which is whole", "30.0", Scalar::real, 30},
      {"an exponent", "1e3", Scalar::real, 1000},
      {"beyond a double's whole numbers", "1e300", Scalar::real},
      {"no end", ".inf", Scalar::real},
      {"no end with a sign", "+.inf", Scalar::real},
      {"or the other", "-.inf", Scalar::real},
      {"no number", ".nan", Scalar::real},
      {"two signs", "--1", Scalar::text},
      {"a sign alone", "-", Scalar::text},
      {"a version", "1.2.3", Scalar::text},
      {"a date", "2001-01-01", Scalar::text},
      {"yes", "yes", Scalar::flag},
      {"in capitals", "YES", Scalar::flag},
      {"or one", "Yes", Scalar::flag},
      {"but not so", "yEs", Scalar::text},
      {"no", "off", Scalar::flag},
      {"a letter", "n", Scalar::flag},
  };
  for (const auto& [why, text, kind, whole] : cases) {
    SCOPED_TRACE(why);
    Node node{.kind = Node::Kind::scalar, .text = text};
    EXPECT_EQ(scalar_of(node), kind) << text;
    EXPECT_EQ(whole_of(node), whole) << text;
    EXPECT_EQ(flag_of(node).has_value(), kind == Scalar::flag) << text;
    node.quoted = true;
    EXPECT_EQ(scalar_of(node), Scalar::text) << text;
    EXPECT_FALSE(flag_of(node)) << text;
  }
  EXPECT_EQ(flag_of({.kind = Node::Kind::scalar, .text = "On"}), true);
  EXPECT_EQ(flag_of({.kind = Node::Kind::scalar, .text = "No"}), false);
}

}  // namespace
}  // namespace headroom::policy
