#include "conformance/family.h"

namespace headroom::conformance {

Differences play_knative(const boost::json::object&) { return {"not yet played"}; }

}  // namespace headroom::conformance
