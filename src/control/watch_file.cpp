#include "control/watch_file.h"

#include <cstring>
#include <filesystem>

#include <boost/asio/buffer.hpp>
#include <sys/inotify.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/time.h"

namespace headroom::control {

FileWatch::FileWatch(boost::asio::io_context& io, const std::string& path,
                     std::function<void()> changed)
    : inotify_(io), quiet_(io), changed_(std::move(changed)) {
  Fd fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  auto folder = std::filesystem::path(path).parent_path();
  if (folder.empty()) folder = ".";
  constexpr auto kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE;
  if (!fd || ::inotify_add_watch(fd.get(), folder.c_str(), kEvents) < 0) {
    log::warn("{}: cannot be watched ({}); send SIGHUP to reload it", path, std::strerror(errno));
    return;
  }
  boost::system::error_code error;
  inotify_.assign(fd.get(), error);
  if (error) {
    log::warn("{}: cannot be watched ({}); send SIGHUP to reload it", path, error.message());
    return;
  }
  fd.release();
  wait();
}

void FileWatch::wait() {
  inotify_.async_read_some(boost::asio::buffer(buffer_),
                           [this](boost::system::error_code error, std::size_t) {
                             if (error) return;
                             tell_soon();
                             wait();
                           });
}

/// An editor makes several events of one save. The first sets the time, and later ones do not
/// push it back: a busy neighbour in the folder must not silence us.
void FileWatch::tell_soon() {
  if (telling_) return;
  telling_ = true;
  quiet_.expires_after(50ms);
  quiet_.async_wait([this](boost::system::error_code error) {
    telling_ = false;
    if (!error) changed_();
  });
}

}  // namespace headroom::control
