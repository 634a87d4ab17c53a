#pragma once

#include <boost/json/value.hpp>

#include "policy/autoscaler.h"

namespace headroom::conformance {

/// What a valid ScaledObject asks for.
policy::Autoscaler read_scaled_object(const boost::json::value& document);

}  // namespace headroom::conformance
