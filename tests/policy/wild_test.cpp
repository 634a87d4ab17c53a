#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <boost/json/parse.hpp>
#include <boost/json/value_to.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "places.h"
#include "policy/documents.h"

namespace headroom::policy {
namespace {

constexpr std::string_view kHpa = "HorizontalPodAutoscaler";

std::string text_of(const std::string& file) {
  std::ifstream in(std::string(SOURCES) + "/tests/policy/wild/" + file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string target_of(const Autoscaler& autoscaler) {
  if (!autoscaler.target.scale_target_ref) return "";
  const auto& to = *autoscaler.target.scale_target_ref;
  return fmt::format("{}/{}/{}", to.api_version, to.kind, to.name);
}

std::string text_at(const boost::json::value& map, std::string_view name) {
  return boost::json::value_to<std::string>(map.at(name));
}

/// What expected.json says of a document, in its order.
std::string expected_of(const boost::json::value& one) {
  std::string names;
  const bool hpa = text_at(one, "kind") == kHpa;
  for (const auto& name : one.at(hpa ? "metrics" : "triggers").as_array()) {
    names += " " + boost::json::value_to<std::string>(name);
  }
  return fmt::format("{} {} {} {}..{}{}", text_at(one, "kind"), text_at(one, "name"),
                     text_at(one, "target"), one.at("min").as_int64(), one.at("max").as_int64(),
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
TEST(Wild, DocumentsAsPeopleHaveThem) {
  const auto parsed = boost::json::parse(text_of("expected.json"));
  const auto& all = parsed.as_array();
  for (const auto& file : all) {
    const auto name = text_at(file, "file");
    SCOPED_TRACE(name);
    const auto stream = read_stream(text_of(name), name, {});
    for (const auto& error : stream.errors) ADD_FAILURE() << to_string(error);
    std::vector<std::string> wanted, found;
    for (const auto& one : file.at("documents").as_array()) wanted.push_back(expected_of(one));
    for (const auto& document : stream.documents) {
      for (const auto& error : document.errors) ADD_FAILURE() << to_string(error);
      if (document.kind == kHpa) {
        for (const auto& warning : document.warnings) ADD_FAILURE() << to_string(warning);
      }
      if (document.autoscaler) found.push_back(found_in(document));
    }
    EXPECT_EQ(found, wanted);
  }
  EXPECT_GE(all.size(), 40U);
}

/// The place that the first line names: "# expect: 11:3 minReplica".
std::string expected_place(const std::string& text) {
  constexpr std::string_view kExpect = "# expect: ";
  const auto start = text.find(kExpect);
  if (start == std::string::npos) return "";
  const auto from = start + kExpect.size();
  return text.substr(from, text.find(' ', from) - from);
}

TEST(Wild, WhatIsWrongIsSaidAtItsPlace) {
  std::size_t seen = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(SOURCES) + "/tests/policy/wild/bad")) {
    const auto name = "bad/" + entry.path().filename().string();
    SCOPED_TRACE(name);
    const auto text = text_of(name);
    const auto stream = read_stream(text, name, {});
    std::vector<std::string> places;  // a field that upstream drops is a warning
    const auto add = [&](const std::vector<Error>& errors) {
      for (const auto& error : errors) {
        places.push_back(fmt::format("{}:{}", error.where.line, error.where.column));
      }
    };
    add(stream.errors);
    for (const auto& document : stream.documents) {
      add(document.errors);
      add(document.warnings);
    }
    EXPECT_THAT(places, ::testing::Contains(expected_place(text)));
    ++seen;
  }
  EXPECT_GE(seen, 15U);
}

}  // namespace
}  // namespace headroom::policy
