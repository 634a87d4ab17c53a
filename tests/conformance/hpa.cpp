#include "conformance/family.h"

namespace headroom::conformance {

Differences play_hpa(const boost::json::object&) { return {"not yet played"}; }

}  // namespace headroom::conformance
