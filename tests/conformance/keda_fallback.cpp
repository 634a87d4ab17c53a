#include "conformance/family.h"

namespace headroom::conformance {

Differences play_keda_fallback(const boost::json::object&) { return {"not yet played"}; }

}  // namespace headroom::conformance
