#include "conformance/keda_object.h"

#include <boost/json/serialize.hpp>

#include "policy/scaled_object.h"
#include "policy/tree.h"

namespace headroom::conformance {

policy::Autoscaler read_scaled_object(const boost::json::value& document) {
  policy::Problems problems;
  const auto tree = policy::parse(boost::json::serialize(document), problems);
  if (problems.any() || tree.documents.empty()) return {};
  return policy::keda::to_autoscaler(
      policy::keda::read(*tree.documents.front(), policy::keda::Strictness::cluster).object);
}

}  // namespace headroom::conformance
