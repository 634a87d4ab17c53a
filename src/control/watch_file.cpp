#include "control/watch_file.h"

#include <cerrno>
#include <cstring>
#include <deque>
#include <filesystem>
#include <system_error>

#include <boost/asio/buffer.hpp>
#include <sys/inotify.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/time.h"

namespace headroom::control {

namespace {

namespace fs = std::filesystem;

constexpr int kMostLinks = 40;  // as the kernel

fs::file_type type_of(const fs::path& path) {
  std::error_code ignored;
  return fs::symlink_status(path, ignored).type();
}

}  // namespace

FileWatch::FileWatch(boost::asio::io_context& io, const std::string& path,
                     std::function<void()> changed)
    : path_(path), inotify_(io), quiet_(io), changed_(std::move(changed)) {
  Fd fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  boost::system::error_code error(fd ? 0 : errno, boost::system::system_category());
  if (!error) inotify_.assign(fd.get(), error);
  if (error) {
    failed_ = error.value();
    say(failed_);
    return;
  }
  fd.release();
  refresh();
  wait();
}

void FileWatch::say(int error) const {
  log::warn("{}: cannot be watched ({}); send SIGHUP to reload it", path_, std::strerror(error));
}

void FileWatch::refresh() {
  const int failed = follow();
  if (failed != 0 && failed_ == 0) say(failed);
  failed_ = failed;
}

/// Watches the folders in which a change can make the path another file: that of each link on the
/// way, and the last that is there. 0, or errno of one that cannot be watched.
int FileWatch::follow() {
  constexpr auto kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE;
  std::set<int> folders;
  int failed = 0, links = 0;
  const fs::path whole(path_);
  std::deque<fs::path> rest(whole.begin(), whole.end());
  fs::path at;  // so far, without links
  while (!rest.empty() && links <= kMostLinks) {
    const auto next = at / rest.front();
    rest.pop_front();
    auto type = type_of(next);
    fs::path target;
    if (type == fs::file_type::symlink || type == fs::file_type::not_found || rest.empty()) {
      const int folder =
          ::inotify_add_watch(inotify_.native_handle(), at.empty() ? "." : at.c_str(), kEvents);
      if (folder >= 0) folders.insert(folder);
      if (folder < 0) failed = errno;
      std::error_code none;  // now that a swap of it is seen
      target = fs::read_symlink(next, none);
      type = type_of(next);
    }
    if (type == fs::file_type::not_found) break;
    if (target.empty()) {
      at = next;
    } else {
      ++links;
      rest.insert(rest.begin(), target.begin(), target.end());
    }
  }
  if (failed != 0) folders.merge(std::set(folders_));  // better those than none
  for (const int folder : folders_) {
    if (!folders.contains(folder)) ::inotify_rm_watch(inotify_.native_handle(), folder);
  }
  folders_ = std::move(folders);
  return failed;
}

void FileWatch::wait() {
  inotify_.async_read_some(
      boost::asio::buffer(buffer_),
      [this, alive = std::weak_ptr(alive_)](boost::system::error_code error, std::size_t) {
        if (error || !alive.lock()) return;
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
  quiet_.async_wait([this, alive = std::weak_ptr(alive_)](boost::system::error_code error) {
    if (error || !alive.lock()) return;
    telling_ = false;
    refresh();  // before it is read: what changes after that is seen
    changed_();
  });
}

}  // namespace headroom::control
