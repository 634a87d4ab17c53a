#include "control/watch_file.h"

#include <sys/inotify.h>

#include <boost/asio/buffer.hpp>
#include <filesystem>

#include "base/log.h"
#include "base/time.h"

namespace headroom::control {

FileWatch::FileWatch(boost::asio::io_context& io, const std::string& path,
                     std::function<void()> changed)
    : inotify_(io), quiet_(io), changed_(std::move(changed)) {
  const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  auto folder = std::filesystem::path(path).parent_path();
  if (folder.empty()) folder = ".";
  constexpr auto kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE;
  if (fd < 0 || ::inotify_add_watch(fd, folder.c_str(), kEvents) < 0) {
    log::warn("{}: cannot be watched ({}); send SIGHUP to reload it", path, std::strerror(errno));
    if (fd >= 0) ::close(fd);
    return;
  }
  inotify_.assign(fd);
  wait();
}

void FileWatch::wait() {
  inotify_.async_read_some(
      boost::asio::buffer(buffer_), [this](boost::system::error_code error, std::size_t) {
        if (error) return;
        quiet_.expires_after(50ms);
        quiet_.async_wait([this](boost::system::error_code cancelled) {
          if (!cancelled) changed_();
        });
        wait();
      });
}

}  // namespace headroom::control
