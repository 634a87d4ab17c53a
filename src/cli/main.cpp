#include <fcntl.h>

#include "base/log.h"
#include "cli/verbs.h"

namespace {

/// Where one of the three is closed (2>&-), what is opened next would get its number, and the log.
void fill_standard_descriptors() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0) ::open("/dev/null", O_RDWR);  // the lowest number that is free
  }
}

}  // namespace

int main(int argc, char** argv) {
  fill_standard_descriptors();
  const int code = headroom::cli::headroom(argc, argv);
  headroom::log::finish(headroom::log::kLastWords);
  return code;
}
