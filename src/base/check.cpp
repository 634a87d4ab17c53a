#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace headroom {

void check_failed(std::string_view what, std::source_location at) {
  std::fprintf(stderr, "headroom: a bug in headroom itself: %.*s (%s:%u)\n",
               static_cast<int>(what.size()), what.data(), at.file_name(), at.line());
  std::abort();
}

}  // namespace headroom
