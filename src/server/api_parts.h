#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "server/api.h"

namespace headroom::server {

template <class T>
void Api::on_loop(Millis patience, std::function<T()> work,
                  std::function<void(std::optional<T>)> then) {
  /// Kept alive by its timer alone: the loop may come to it when the server is gone.
  struct Waiting : std::enable_shared_from_this<Waiting> {
    Waiting(boost::asio::io_context& io, std::function<void(std::optional<T>)> told)
        : timer(io), tell(std::move(told)) {}
    void end(std::optional<T> with) {
      if (auto told = std::exchange(tell, {})) told(std::move(with));
    }
    void wait(Millis time, const std::shared_ptr<std::atomic<bool>>& begun) {
      timer.expires_after(time);
      timer.async_wait([self = this->shared_from_this(), time, begun](auto) {
        // Whoever comes first: the loop, which then does it, or the time, and it is not done.
        const bool does = begun->exchange(true);
        if (!does || !self->tell || self->second) return self->end(std::nullopt);
        self->second = true;
        self->wait(time, begun);
      });
    }
    boost::asio::steady_timer timer;
    std::function<void(std::optional<T>)> tell;
    bool second = false;  // the loop had begun when the time was over, and is waited for once more
  };
  const auto begun = std::make_shared<std::atomic<bool>>(false);
  const auto waiting = std::make_shared<Waiting>(*io_, std::move(then));
  waiting->wait(patience, begun);
  boost::asio::post(doors_.loop, [work = std::move(work), io = std::weak_ptr(io_),
                                  to = std::weak_ptr(waiting), begun] {
    if (begun->exchange(true)) return;
    auto result = work();
    const auto alive = io.lock();
    if (!alive) return;
    boost::asio::post(*alive, [to, result = std::move(result)]() mutable {
      const auto back = to.lock();
      if (!back) return;
      back->end(std::move(result));
      back->timer.cancel();
    });
  });
}

}  // namespace headroom::server
