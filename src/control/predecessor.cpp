#include "control/predecessor.h"

#include "base/log.h"

namespace headroom::control {

void Predecessor::watch(Fd socket) {
  socket_.assign(socket.release());
  socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                     [this](boost::system::error_code error) {
                       if (error) return;
                       log::info("upgrade: the Headroom before this one has ended");
                       socket_.close(error);
                       for (const auto& then : std::exchange(waiting_, {})) then();
                     });
}

void Predecessor::when_gone(std::function<void()> then) {
  if (!socket_.is_open()) return then();
  waiting_.push_back(std::move(then));
}

}  // namespace headroom::control
