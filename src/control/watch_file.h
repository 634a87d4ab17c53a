#pragma once

#include <functional>
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

 private:
  int follow();
  void wait();
  void tell_soon();

  std::string path_;
  std::set<int> folders_;  // as inotify numbers them
  boost::asio::posix::stream_descriptor inotify_;
  boost::asio::steady_timer quiet_;
  bool telling_ = false;
  std::function<void()> changed_;
  char buffer_[4096];
};

}  // namespace headroom::control
