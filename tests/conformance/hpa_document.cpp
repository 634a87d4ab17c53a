#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "conformance/family.h"
#include "policy/hpa.h"

namespace headroom::conformance {
namespace {

using policy::hpa::HorizontalPodAutoscaler;

/// A document read from JSON; what cannot be read is a difference.
HorizontalPodAutoscaler read(const boost::json::object& document, Differences& differences) {
  policy::Problems problems, warnings;
  const auto text = boost::json::serialize(document);
  const auto tree = policy::parse(text, problems);
  HorizontalPodAutoscaler hpa;
  if (tree.documents.size() == 1) hpa = policy::hpa::read(*tree.documents[0], problems, warnings);
  for (const auto& problem : problems.errors("case", text)) {
    differences.push_back(to_string(problem));
  }
  return hpa;
}

/// [type, path] of each, sorted: where one path begins with another, orders differ.
boost::json::array sorted(std::vector<std::pair<std::string, std::string>> errors) {
  std::ranges::sort(errors);
  boost::json::array array;
  for (const auto& [type, path] : errors) array.push_back(boost::json::array{type, path});
  return array;
}

}  // namespace

Differences play_hpa_document(const boost::json::object& sample) {
  Differences differences;
  auto hpa = read(sample.at("hpa").as_object(), differences);
  policy::hpa::set_defaults(hpa);
  std::vector<std::pair<std::string, std::string>> ours, upstream;
  for (const auto& error : policy::hpa::validate(hpa, sample.at("scaleToZero").as_bool())) {
    ours.emplace_back(error.type, error.path);
  }
  for (const auto& error : sample.at("errors").as_array()) {
    upstream.emplace_back(error.at(0).as_string(), error.at(1).as_string());
  }
  expect_equal(sorted(upstream), sorted(ours), "errors", differences);
  const auto* defaulted = sample.if_contains("defaulted");
  if (defaulted == nullptr) return differences;
  const boost::json::object document = {{"apiVersion", "autoscaling/v2"}, {"spec", *defaulted}};
  const auto expected = read(document, differences);
  if (expected.spec == hpa.spec) return differences;
  HorizontalPodAutoscaler found;
  found.spec = hpa.spec;
  differences.push_back(fmt::format("defaulted: upstream {}, ours\n{}",
                                    boost::json::serialize(*defaulted), policy::hpa::write(found)));
  return differences;
}

}  // namespace headroom::conformance
