#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "decide/decision.h"
#include "decide/memory.h"
#include "decide/observation.h"

/// Observation, Decision and Memory as JSON (versioned by a "v" field), for the journal and
/// for `-o json`. from_json(to_json(x)) equals x.
namespace headroom::decide {

std::string to_json(const Observation& observation);
std::string to_json(const Decision& decision);
std::string to_json(const Memory& memory);

/// Errors: Code::invalid for text that is not such JSON or of a version to come.
Result<Observation> observation_from_json(std::string_view text);
Result<Decision> decision_from_json(std::string_view text);
Result<Memory> memory_from_json(std::string_view text);

}  // namespace headroom::decide
