#include "server/listener.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace headroom::server {
namespace {

constexpr int kBacklog = 128;

Error failed(Code code, const std::string& where, std::string_view what) {
  return {code, fmt::format("{}: {}", where, what), {}};
}
Error failed(const std::string& where, int number) {
  return failed(Code::unavailable, where, std::strerror(number));
}

Fd socket_of(int family) {
  return Fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

/// Removes the socket of a process that is dead. Errors: conflict (somebody answers; or what is
/// there is no socket, and is not ours to remove).
Result<void> make_way(const Fd& folder, const Address& address, const std::string& path) {
  struct stat status {};
  if (::fstatat(folder.get(), LocalListener::kName, &status, AT_SYMLINK_NOFOLLOW) != 0) return {};
  if (!S_ISSOCK(status.st_mode)) {
    return fail(failed(Code::conflict, path, "is there and is no socket; move it away"));
  }
  const auto probe = socket_of(AF_UNIX);
  if (!probe) return fail(failed(path, errno));
  // Non-blocking: a full backlog is somebody, too.
  if (::connect(probe.get(), address.get(), address.length) == 0 || errno != ECONNREFUSED) {
    return fail(
        failed(Code::conflict, path,
               "another Headroom answers there; give each a folder of its own (--journal)"));
  }
  if (::unlinkat(folder.get(), LocalListener::kName, 0) != 0 && errno != ENOENT) {
    return fail(failed(path, errno));
  }
  return {};
}

}  // namespace

bool is_loopback(const Address& address) {
  if (address.family() == AF_INET) {
    const auto* const in = reinterpret_cast<const sockaddr_in*>(&address.storage);
    return ntohl(in->sin_addr.s_addr) >> 24 == 127;
  }
  if (address.family() == AF_INET6) {
    const auto& in = reinterpret_cast<const sockaddr_in6*>(&address.storage)->sin6_addr;
    return IN6_IS_ADDR_LOOPBACK(&in) || (IN6_IS_ADDR_V4MAPPED(&in) && in.s6_addr[12] == 127);
  }
  return false;
}

Result<Fd> listen_on(const Address& address) {
  const auto name = to_string(address);
  Fd socket = socket_of(address.family());
  if (!socket) return fail(failed(name, errno));
  const int yes = 1, no = 0;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (address.family() == AF_INET6) {
    ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
  }
  if (::bind(socket.get(), address.get(), address.length) != 0 ||
      ::listen(socket.get(), kBacklog) != 0) {
    if (errno == EADDRINUSE) return fail(failed(Code::conflict, name, "somebody listens there"));
    return fail(failed(name, errno));
  }
  return socket;
}

Result<LocalListener> LocalListener::open(const std::string& folder) {
  LocalListener made;
  made.path_ = folder + "/" + kName;
  made.folder_.reset(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!made.folder_) return fail(failed(folder, errno));
  auto address = unix_address(made.path_);
  if (!address) {
    address = unix_address(fmt::format("/proc/self/fd/{}/{}", made.folder_.get(), kName));
  }
  if (!address) return fail(address.error());
  if (auto free = make_way(made.folder_, *address, made.path_); !free) return fail(free.error());
  Fd socket = socket_of(AF_UNIX);
  if (!socket) return fail(failed(made.path_, errno));
  if (::bind(socket.get(), address->get(), address->length) != 0) {
    return fail(failed(made.path_, errno));
  }
  // Nobody connects before it listens, so nobody does while the mode is another.
  struct stat status {};
  if (::fchmodat(made.folder_.get(), kName, 0600, 0) != 0 ||
      ::fstatat(made.folder_.get(), kName, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
      ::listen(socket.get(), kBacklog) != 0) {
    return fail(failed(made.path_, errno));
  }
  made.inode_ = status.st_ino;
  made.socket_ = std::move(socket);
  return made;
}

Result<LocalListener> LocalListener::adopt(const std::string& folder, Fd socket) {
  LocalListener made;
  made.path_ = folder + "/" + kName;
  made.folder_.reset(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  struct stat status {};
  if (!made.folder_ || ::fstatat(made.folder_.get(), kName, &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return fail(failed(made.path_, errno));
  }
  made.inode_ = status.st_ino;
  made.socket_ = std::move(socket);
  return made;
}

LocalListener::~LocalListener() {
  struct stat status {};
  if (!socket_ || ::fstatat(folder_.get(), kName, &status, AT_SYMLINK_NOFOLLOW) != 0) return;
  if (status.st_ino == inode_) ::unlinkat(folder_.get(), kName, 0);
}

}  // namespace headroom::server
