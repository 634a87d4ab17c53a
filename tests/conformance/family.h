#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

/// What every family of conformance cases is played with.
namespace headroom::conformance {

/// One field that is not as upstream answered: "steps[3].replicas: upstream 4, ours 5".
using Differences = std::vector<std::string>;

/// Plays one case; no differences: agreed.
using Play = Differences (*)(const boost::json::object& sample);

// One function a family, each in the file of its name.
Differences play_hpa(const boost::json::object& sample);  // hpa-single and hpa-history
Differences play_hpa_document(const boost::json::object& sample);
Differences play_keda_executor(const boost::json::object& sample);
Differences play_keda_fallback(const boost::json::object& sample);
Differences play_keda_formula(const boost::json::object& sample);
Differences play_keda_validate(const boost::json::object& sample);
Differences play_knative(const boost::json::object& sample);

/// Compares, and says the differences below `path`, one for each leaf that is not the same:
/// `steps[3].conditions[1].reason: upstream "A", ours "B"`.
void expect_equal(const boost::json::value& upstream, const boost::json::value& ours,
                  std::string_view path, Differences& differences);

}  // namespace headroom::conformance
