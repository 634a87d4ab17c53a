#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <string>

namespace headroom::control {

/// Says when a file may have changed: written, replaced by a rename, or behind a symbolic link
/// that was swapped (as a ConfigMap's). Watches the folder it is in; several changes within
/// 50 ms are one.
class FileWatch {
 public:
  FileWatch(boost::asio::io_context& io, const std::string& path, std::function<void()> changed);

 private:
  void wait();

  boost::asio::posix::stream_descriptor inotify_;
  boost::asio::steady_timer quiet_;
  std::function<void()> changed_;
  char buffer_[4096];
};

}  // namespace headroom::control
