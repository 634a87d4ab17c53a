#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

namespace headroom::control {

/// Says when a file may have changed: written, replaced by a rename, or where a symbolic link on
/// the way to it was swapped (as a ConfigMap's). Watches the folder it is in, and that of each
/// link, so it speaks up for the neighbours, too: the caller compares. Events within 50 ms are one.
class FileWatch {
 public:
  FileWatch(boost::asio::io_context& io, const std::string& path, std::function<void()> changed);

  /// Looks where the path leads now. It does so by itself, but for changes that it could not see.
  void refresh();

 private:
  int follow();
  void wait();
  void tell_soon();
  void say(int error) const;

  std::string path_;
  std::set<int> folders_;  // as inotify numbers them
  boost::asio::posix::stream_descriptor inotify_;
  boost::asio::steady_timer quiet_;
  bool telling_ = false;
  int failed_ = 0;  // errno
  std::function<void()> changed_;
  char buffer_[4096];
  // For calls that come late: what is queued already is not recalled by the end.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace headroom::control
