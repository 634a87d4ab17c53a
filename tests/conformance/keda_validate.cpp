#include "conformance/family.h"

namespace headroom::conformance {

Differences play_keda_validate(const boost::json::object&) { return {"not yet played"}; }

}  // namespace headroom::conformance
