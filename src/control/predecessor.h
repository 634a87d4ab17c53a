#pragma once

#include <functional>
#include <optional>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "base/fd.h"

namespace headroom::control {

/// The Headroom before us, after an upgrade: it still answers what it had open, on replicas that
/// are ours now, and none of them may be stopped before it has. Its drain times bound it.
class Predecessor {
 public:
  explicit Predecessor(boost::asio::io_context& io) : socket_(io) {}

  /// The end of the socket is its end.
  void watch(Fd socket);
  bool lives() const { return socket_.is_open(); }
  /// At once where there is none; else when it has ended.
  void when_gone(std::function<void()> then);

 private:
  boost::asio::posix::stream_descriptor socket_;
  std::vector<std::function<void()>> waiting_;
};

}  // namespace headroom::control
