#include "policy/merge_keys.h"

#include <string>

#include <gtest/gtest.h>

namespace headroom::policy {
namespace {

/// The tree in few letters: {name:value,…}, [item,…].
std::string shown(const Node& node) {
  if (node.kind == Node::Kind::null) return "~";
  if (node.kind == Node::Kind::scalar) return node.text;
  const bool map = node.kind == Node::Kind::map;
  std::string all;
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    if (i > 0) all += map && i % 2 == 1 ? ":" : ",";
    all += shown(*node.items[i]);
  }
  return map ? "{" + all + "}" : "[" + all + "]";
}

TEST(MergeKeys, TakeOverWhatIsNotThere) {
  struct Case {
    const char* why;
    const char* text;
    const char* followed;
  };
  const Case cases[] = {
      {"none", "{a: 1, b: [2]}", "{a:1,b:[2]}"},
      {"a map", "{<<: {a: 1, b: 2}, b: 3}", "{b:3,a:1}"},
      {"a list of maps, of which the first wins", "{<<: [{a: 1}, {a: 2, b: 3}]}", "{a:1,b:3}"},
      {"a list with something else is a field", "{<<: [{a: 1}, 2]}", "{<<:[{a:1},2]}"},
      {"so is a text", "{<<: a}", "{<<:a}"},
      {"and a name in quotes", "{\"<<\": {a: 1}}", "{<<:{a:1}}"},
      {"nothing but it", "{<<: {a: 1}}", "{a:1}"},
      {"an empty one", "{<<: {}, a: 1}", "{a:1}"},
      {"one in another", "{<<: {<<: {a: 1}, b: 2}}", "{b:2,a:1}"},
      {"deeper down", "{a: [{<<: {b: 1}}]}", "{a:[{b:1}]}"},
      {"the same twice", "{x: &x {<<: {a: 1}}, y: *x}", "{x:{a:1},y:{a:1}}"},
      {"in a list it is a text", "[<<, a]", "[<<,a]"},
  };
  for (const auto& [why, text, followed] : cases) {
    SCOPED_TRACE(why);
    Problems problems;
    const Tree tree = parse(text, problems);
    ASSERT_FALSE(problems.any()) << to_string(problems.error("a.yaml", text));
    MergeKeys merge_keys;
    EXPECT_EQ(shown(merge_keys.follow(*tree.documents.at(0))), followed);
  }
}

}  // namespace
}  // namespace headroom::policy
