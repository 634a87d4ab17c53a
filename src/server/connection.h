#pragma once

#include <array>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "server/api.h"
#include "server/hub.h"
#include "server/request_reader.h"
#include "server/wire.h"

namespace headroom::server {

/// What all connections have in common.
struct Common {
  Api& api;
  Hub& hub;
  std::size_t owed = 0;  // bytes of answers that clients have not taken yet
};

/// One client: reads a request, answers it, and so on. It ends by itself: every wait has a
/// deadline. Lives on the io_context's one thread, kept alive by what it waits for.
class Connection : public Subscriber, public std::enable_shared_from_this<Connection> {
 public:
  Connection(boost::asio::io_context& io, std::unique_ptr<Wire> wire, Door door,
             std::shared_ptr<Common> common);
  ~Connection() override;

  void start();
  void close();
  bool closed() const { return closed_; }
  /// Since when it waits for a whole request; none: one is being answered, or it is a stream.
  std::optional<std::chrono::steady_clock::time_point> idle_since() const { return idle_since_; }

  void push(std::shared_ptr<const std::string> message) override;
  void push_status(std::shared_ptr<const std::string> message) override;
  std::size_t queued() const override { return queued_; }
  void token_changed() override;

 private:
  void within(Millis time);  // from now, or it is closed
  void next();
  void read();
  void handle(RequestReader::State state);
  struct How {
    bool head = false, keep = false;
  };
  void respond(const Answer& answer, How how);
  struct Queued {
    std::shared_ptr<const std::string> message;
    bool status = false;  // that may be replaced
  };
  void begin_stream(const Answer& answer);
  void queue(Queued queued);
  void write_next();
  void discard(std::size_t most);
  void linger();

  std::unique_ptr<Wire> wire_;
  boost::asio::steady_timer timer_;
  std::uint64_t deadline_ = 0;  // which one: a timer that was moved may have fired already
  const Door door_;
  const std::shared_ptr<Common> common_;
  RequestReader reader_;
  std::array<char, 8192> in_;
  std::string out_;
  std::deque<Queued> queue_;  // of a stream; the first is being sent, at most one status waits
  std::size_t queued_ = 0;    // bytes of what is no status
  std::optional<std::chrono::steady_clock::time_point> idle_since_;
  bool asked_ = false;  // a whole request has come
  bool closed_ = false;
};

}  // namespace headroom::server
