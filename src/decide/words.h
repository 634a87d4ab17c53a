#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/text.h"
#include "base/time.h"
#include "base/units.h"
#include "decide/decision.h"
#include "decide/observation.h"

/// Numbers as the steps say them.
namespace headroom::decide {

/// As a step's numbers have it.
inline double in_seconds(Millis duration) {
  return std::chrono::duration<double>(duration).count();
}
/// "1 request", "3 requests": of what has a plural in s.
std::string counted(std::int64_t count, std::string_view one);
/// "1 replica", "3 replicas".
std::string replicas(Replicas count);
/// "→ 3 replicas".
std::string arrow(Replicas to);
/// "1 → 3 replicas".
std::string change_of(const Decision& decision);
/// "300 MiB".
std::string bytes(Quantity quantity);
/// Why there is no reading: "no data", "timeout (connection refused)".
std::string said(const Absent& absent);
/// "recommend", "combine", …
const char* word(Step::Stage stage);

}  // namespace headroom::decide
