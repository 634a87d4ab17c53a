#include "journal/lock.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

namespace headroom::journal {
namespace {

std::string holder(int fd) {
  std::array<char, 24> text{};
  const ssize_t size = ::pread(fd, text.data(), text.size() - 1, 0);
  std::string digits;
  for (ssize_t i = 0; i < size; ++i) {
    const char c = text[static_cast<std::size_t>(i)];
    if (c < '0' || c > '9') break;
    digits += c;
  }
  return digits.empty() ? "unknown" : digits;
}

}  // namespace

Result<Fd> take_lock(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd) {
    return fail({Code::unavailable, fmt::format("journal: cannot open {}: {}; the folder must be "
                                                "writable",
                                                path, std::strerror(errno))});
  }
  while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno == EWOULDBLOCK) {
      return fail({Code::conflict, fmt::format("journal: another Headroom (process {}) writes it, "
                                               "as {} says; stop that one or name another state "
                                               "directory",
                                               holder(fd.get()), path)});
    }
    return fail({Code::unavailable,
                 fmt::format("journal: cannot lock {}: {}", path, std::strerror(errno))});
  }
  // The id is for people; the lock holds without it, on a full disk too.
  const std::string id = std::to_string(::getpid()) + "\n";
  const bool written =
      ::ftruncate(fd.get(), 0) == 0 && ::pwrite(fd.get(), id.data(), id.size(), 0) > 0;
  static_cast<void>(written);
  return fd;
}

}  // namespace headroom::journal
