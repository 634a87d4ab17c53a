#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "server/api.h"
#include "server/health.h"

namespace headroom::server {

/// Who is told of what happens. Bounds by itself what it has not taken yet.
class Subscriber {
 public:
  virtual ~Subscriber() = default;
  virtual void push(std::shared_ptr<const std::string> message) = 0;
  /// Takes the place of the status before, where that has not begun to be sent.
  virtual void push_status(std::shared_ptr<const std::string> message) = 0;
  virtual std::size_t queued() const = 0;  // bytes, without those that may be replaced
  virtual void token_changed() = 0;        // ends, if it was let in by the token
};

/// Tells every subscriber how it stands, once a second and when a count changes, and each event
/// once. One that is slow misses statuses, never an event. Idle while there is none. Lives on the
/// io_context's one thread.
class Hub {
 public:
  static constexpr std::size_t kMost = 64;  // subscribers

  Hub(boost::asio::io_context& io, Api& api) : timer_(io), api_(api) {}

  bool full();
  /// Tells it how it stands at once; `after`: and of the events after this one.
  void add(std::weak_ptr<Subscriber> subscriber, std::optional<std::int64_t> after);
  void token_changed();

 private:
  struct Client {
    std::weak_ptr<Subscriber> to;
    std::optional<std::int64_t> told;  // the event that it was told of last; none: from now on
  };
  using Standing = std::vector<std::pair<std::string, Counts>>;

  Standing standing() const;
  std::string status() const;
  void prune();
  void look_soon();
  void look();
  void tell_events();

  boost::asio::steady_timer timer_;
  Api& api_;
  std::vector<Client> clients_;
  bool looking_ = false;
  Standing told_;
  std::chrono::steady_clock::time_point status_at_, events_at_;
};

}  // namespace headroom::server
