#include "base/check.h"

#include <cstdlib>

#include "base/log.h"

namespace headroom {

void check_failed(std::string_view what, const char* file, int line) {
  log::error("a bug in headroom itself: {} ({}:{})", what, file, line);
  log::finish(log::kLastWords);  // what led to it, too
  std::abort();
}

}  // namespace headroom
