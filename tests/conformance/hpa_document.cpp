#include "conformance/family.h"

namespace headroom::conformance {

Differences play_hpa_document(const boost::json::object&) { return {"not yet played"}; }

}  // namespace headroom::conformance
