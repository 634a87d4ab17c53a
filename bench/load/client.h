#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/epoll.h>

#include "base/address.h"
#include "base/fd.h"
#include "base/result.h"
#include "load/answer.h"
#include "load/schedule.h"
#include "load/tally.h"

namespace headroom::bench {

struct Plan {
  enum class Mode {
    open,    // requests are due when the schedule says, whatever the answers do
    closed,  // each of `connections` sends its next request when it has the answer
    idle,    // each of `connections` sends one request and stays open
  };
  Mode mode = Mode::open;
  Address address;
  std::string get, post;  // whole requests
  double post_share = 0;
  std::optional<Schedule> schedule;  // open
  std::uint64_t requests = 0;        // closed: how many; 0: until `duration`
  Nanos duration = 0;                // closed, idle: for how long; 0: no end
  int connections = 1024;            // at most
  Nanos timeout = 10'000'000'000;    // for an answer, from when the request was due
  bool quiet = false;
};

/// Sends a plan's requests over keep-alive connections, from one thread.
class Client {
 public:
  Client(Plan plan, Tally& tally) : plan_(std::move(plan)), tally_(tally) {}

  /// Returns when the plan is done and nothing is open. SIGINT or SIGTERM ends the plan early;
  /// a second one ends at once.
  Result<void> run();
  double seconds() const { return static_cast<double>(now_) / 1e9; }

 private:
  struct Request {
    Nanos due = 0;
    Nanos sent = 0;
    bool idempotent = true;
  };
  struct Connection {
    enum class State { closed, connecting, idle, busy };
    Fd fd;
    State state = State::closed;
    std::uint32_t generation = 0;
    Request request;
    std::size_t offset = 0;  // of the request's bytes, sent
    Answer answer;
  };
  using State = Connection::State;

  Result<void> open_epoll();
  void turn();
  bool done() const;
  Nanos clock() const;
  Nanos next_wake() const;
  void issue();
  Request make(Nanos due);
  void start(const Request& request);
  void open(const Request& request);
  void on_event(const epoll_event& event);
  void on_connected(Connection& c);
  void begin(Connection& c, const Request& request);
  void send(Connection& c);
  void receive(Connection& c, bool closing);
  void finish(Connection& c, bool reuse);
  void fail(Connection& c, Failure failure);
  void close(Connection& c);
  void next_from_queue();
  void expire();
  void on_signal();
  void report();
  const std::string& bytes(const Request& request) const {
    return request.idempotent ? plan_.get : plan_.post;
  }
  std::uint32_t index(const Connection& c) const {
    return static_cast<std::uint32_t>(&c - connections_.data());
  }

  Plan plan_;
  Tally& tally_;
  Fd epoll_, signals_;
  std::int64_t start_ = 0;
  Nanos now_ = 0;
  Nanos swept_ = 0;
  Nanos reported_ = 0;
  Tally::Counts last_;
  Histogram::Counts last_latency_;
  std::optional<Nanos> due_;  // of the schedule's next request
  bool stopped_ = false;      // no new requests
  bool cut_ = false;          // nor waiting for answers
  bool said_error_ = false;
  bool said_idle_ = false;
  std::uint64_t issued_ = 0;
  double post_credit_ = 0;
  std::uint64_t open_requests_ = 0;  // on a connection
  std::uint64_t open_connections_ = 0;
  std::deque<Request> queue_;  // due, but no connection is free
  std::vector<Connection> connections_;
  std::vector<std::uint32_t> free_;                            // closed ones
  std::vector<std::pair<std::uint32_t, std::uint32_t>> idle_;  // index, generation; newest last
  std::string scratch_ = std::string(64 << 10, '\0');
};

}  // namespace headroom::bench
