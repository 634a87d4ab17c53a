#include "control/clock.h"

namespace headroom::control {

std::int64_t unix_millis() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

}  // namespace headroom::control
