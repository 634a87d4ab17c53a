#pragma once

#include <string>

#include "base/time.h"
#include "base/units.h"
#include "decide/decision.h"
#include "decide/observation.h"

/// Numbers as the steps say them.
namespace headroom::decide {

/// At most three digits after the point, fewer for larger numbers: 14.2, 0.125, 1234.
std::string number(double value);
/// "60 s", "1.5 s".
std::string seconds(Millis duration);
/// From two minutes on in minutes or hours: "90 s", "5 min", "3 min 12 s", "2 h 5 min".
std::string span_of(double seconds);
/// As a step's numbers have it.
inline double in_seconds(Millis duration) {
  return std::chrono::duration<double>(duration).count();
}
/// "1 replica", "3 replicas".
std::string replicas(Replicas count);
/// "→ 3 replicas".
std::string arrow(Replicas to);
/// "300 MiB".
std::string bytes(Quantity quantity);
/// Why there is no reading: "no data", "timeout (connection refused)".
std::string said(const Absent& absent);
/// "recommend", "combine", …
const char* word(Step::Stage stage);

}  // namespace headroom::decide
