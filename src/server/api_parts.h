#pragma once

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
  struct Waiting {
    boost::asio::steady_timer timer;
    std::function<void(std::optional<T>)> then;
    void end(std::optional<T> with) {
      if (auto told = std::exchange(then, {})) told(std::move(with));
    }
  };
  // Alive until its timer has fired; the loop knows it weakly, because it may come to it when the
  // server is gone.
  const auto waiting = std::make_shared<Waiting>(boost::asio::steady_timer(*io_), std::move(then));
  waiting->timer.expires_after(patience);
  waiting->timer.async_wait([waiting](boost::system::error_code) { waiting->end(std::nullopt); });
  boost::asio::post(doors_.loop,
                    [work = std::move(work), io = std::weak_ptr(io_), to = std::weak_ptr(waiting)] {
                      if (to.expired()) return;  // nobody waits: it was said that it was not done
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
