#include <cerrno>
#include <cstdio>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>

#include "base/log.h"
#include "cli/verbs.h"

namespace {

/// Where one of the three is closed (2>&-), what is opened next would get its number, and the log.
void fill_standard_descriptors() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0) ::open("/dev/null", O_RDWR);  // the lowest number that is free
  }
}

/// What the verb printed is where it should be, or that it is not is said.
int call(int argc, char** argv) {
  int code = headroom::cli::kFailed;
  int why = 0;
  try {
    code = headroom::cli::headroom(argc, argv);
    if (std::fflush(stdout) != 0) why = errno;
  } catch (const std::system_error& error) {
    if (std::ferror(stdout) == 0) throw;
    why = error.code().value();
  }
  if (std::ferror(stdout) == 0) return code;
  fmt::print(stderr, "headroom: not all of it could be printed{}{}\n", why != 0 ? ": " : "",
             why != 0 ? std::generic_category().message(why) : "");
  return code == headroom::cli::kOk ? headroom::cli::kFailed : code;
}

}  // namespace

int main(int argc, char** argv) {
  fill_standard_descriptors();
  const int code = call(argc, argv);
  headroom::log::finish(headroom::log::kLastWords);
  return code;
}
