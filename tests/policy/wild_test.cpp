#include <fstream>
#include <iterator>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "policy/documents.h"
#include "policy/json.h"

namespace headroom::policy {
namespace {

constexpr std::string_view kHpa = "HorizontalPodAutoscaler";

std::string text_of(const std::string& file) {
  std::ifstream in(std::string(TEST_DATA) + "/wild/" + file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string target_of(const Autoscaler& autoscaler) {
  if (!autoscaler.target.scale_target_ref) return "";
  const auto& to = *autoscaler.target.scale_target_ref;
  return fmt::format("{}/{}/{}", to.api_version, to.kind, to.name);
}

/// What expected.json says of a document, in its order.
std::string expected_of(const Json& one) {
  std::string names;
  const bool hpa = one.find("kind")->plain == kHpa;
  for (const auto& name : one.find(hpa ? "metrics" : "triggers")->items) names += " " + name.plain;
  return fmt::format("{} {} {} {}..{}{}", one.find("kind")->plain, one.find("name")->plain,
                     one.find("target")->plain, one.find("min")->plain, one.find("max")->plain,
                     names);
}

std::string found_in(const Document& document) {
  std::string names;
  if (document.kind == kHpa) {
    for (const auto& metric : document.autoscaler->metrics) names += " " + metric.name;
  } else {
    for (const auto& trigger : document.autoscaler->triggers) names += " " + trigger.type;
  }
  const auto& a = *document.autoscaler;
  return fmt::format("{} {} {} {}..{}{}", document.kind, a.name, target_of(a), a.min_replicas.count,
                     a.max_replicas.count, names);
}

// tests/policy/wild/README.md says what is special about each file.
TEST(Wild, HpasAsPeopleHaveThem) {
  const auto all = JsonReader::read(text_of("expected.json"));
  ASSERT_TRUE(all);
  std::size_t seen = 0;
  for (const auto& file : all->items) {
    const auto& name = file.find("file")->plain;
    if (!name.starts_with("hpa-")) continue;
    SCOPED_TRACE(name);
    const auto stream = read_stream(text_of(name), name, {});
    for (const auto& error : stream.errors) ADD_FAILURE() << to_string(error);
    std::vector<std::string> wanted, found;
    for (const auto& one : file.find("documents")->items) {
      if (one.find("kind")->plain == kHpa) wanted.push_back(expected_of(one));
    }
    for (const auto& document : stream.documents) {
      for (const auto& error : document.errors) ADD_FAILURE() << to_string(error);
      for (const auto& warning : document.warnings) ADD_FAILURE() << to_string(warning);
      if (document.autoscaler && document.kind == kHpa) found.push_back(found_in(document));
    }
    EXPECT_EQ(found, wanted);
    ++seen;
  }
  EXPECT_GT(seen, 20U);
}

}  // namespace
}  // namespace headroom::policy
