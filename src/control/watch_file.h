#pragma once

#include <functional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

namespace headroom::control {

/// Says when a file may have changed: written, replaced by a rename, or behind a symbolic link
/// beside it that was swapped (as a ConfigMap's). Watches the folder it is in, so it speaks up
/// for the neighbours, too: the caller compares. Events within 50 ms are one.
/// A link into another folder is not followed: what changes there is seen on SIGHUP only.
class FileWatch {
 public:
  FileWatch(boost::asio::io_context& io, const std::string& path, std::function<void()> changed);

 private:
  void wait();
  void tell_soon();

  boost::asio::posix::stream_descriptor inotify_;
  boost::asio::steady_timer quiet_;
  bool telling_ = false;
  std::function<void()> changed_;
  char buffer_[4096];
};

}  // namespace headroom::control
