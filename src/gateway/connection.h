#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "gateway/buffers.h"
#include "gateway/http1.h"
#include "gateway/service.h"
#include "gateway/trace.h"
#include "gateway/wheel.h"

namespace headroom::gateway {

struct WorkerService;
struct LocalReplica;
struct Exchange;

/// What epoll points at.
struct Source {
  enum class Kind : std::uint8_t { client, upstream, listener, mailbox, alarm };
  explicit Source(Kind of) : kind(of) {}
  const Kind kind;
};

/// A socket with what epoll said of it; edge-triggered, so a flag stays until a call says
/// otherwise.
struct Connection : Source {
  explicit Connection(Kind of) : Source(of) {}
  int fd = -1;
  bool readable = false;
  bool writable = false;
  bool hangup = false;  // the peer's FIN is here, behind what is still to be read
  bool broken = false;  // reset
  bool queued = false;  // in the run queue
  bool closed = false;  // waits for the end of the turn, when it is freed
  struct Timer : Timed {
    explicit Timer(Connection* of) : owner(of) {}
    Connection* const owner;
  } timer{this};
};

/// A client's connection. Idle, it is this and nothing else.
struct Client : Connection {
  Client() : Connection(Kind::client) {}
  enum class State : std::uint8_t { idle, head, busy, flushing, lingering };

  WorkerService* service = nullptr;
  Exchange* exchange = nullptr;
  Buffer in;   // what was received and not yet used
  Buffer out;  // what could not be sent yet
  State state = State::idle;
  bool trusted = false;
  bool close_after = false;  // flushing: then close, else next request
  bool scan = true;          // `in` may hold a whole head
  std::uint8_t address_size = 0;
  char address[46] = {};
  std::uint16_t rescans = 0;
  std::uint32_t discarded = 0;  // lingering: bytes thrown away
  Hook<Client> idle{this};      // in the worker's list of idle clients, the oldest first
  Hook<Client> open{this};      // in the worker's list of the service's clients

  std::string_view peer() const { return {address, address_size}; }
};

/// A connection to a replica.
struct Upstream : Connection {
  Upstream() : Connection(Kind::upstream) {}
  LocalReplica* replica = nullptr;
  Exchange* exchange = nullptr;  // none: idle
  bool connected = false;
  bool reused = false;
  bool watches_out = true;  // not, at first, for Unix sockets, which would wake us for each send
  Time idle_since{};
  Hook<Upstream> idle{this};  // in the replica's pool, the newest first
  Hook<Upstream> open{this};  // in the worker's list of the replica's connections
};

/// One request and its answer.
struct Exchange : Waiting {
  std::uint32_t generation = 0;  // counts the uses of this object
  WorkerService* service = nullptr;
  Client* client = nullptr;
  Upstream* upstream = nullptr;
  std::shared_ptr<Replica> slot;  // where it counts as outstanding

  // The request. `request` holds what goes to the replica; what was sent stays in it as long as
  // another replica may have to be sent it again.
  Buffer request;
  std::uint32_t sent = 0;
  bool repeatable = true;
  bool idempotent = false;
  bool head = false;
  bool upgrade = false;
  bool expecting = false;  // 100-continue: the client's body is not read yet
  bool keep_alive = true;
  std::uint8_t minor = 1;
  bool body_done = true;
  http1::Framing body = http1::Framing::none;
  std::uint64_t body_left = 0;
  std::uint64_t body_taken = 0;
  http1::Chunks body_chunks;

  // The answer.
  Buffer response;  // of a head that came in parts
  http1::Response answer;
  http1::Chunks answer_chunks;
  std::uint64_t answer_left = 0;
  bool answering = false;  // the final head is on its way to the client
  bool answered = false;   // all of it is
  std::uint8_t interim = 0;

  bool waiting = false;
  bool fresh = false;  // take no kept connection
  bool tunnel = false;
  bool client_done = false, upstream_done = false;  // tunnel: that side has sent its last
  std::uint8_t retries = 0;
  std::int64_t hold_bytes = 0;  // of the service's bound, while waiting
  Time arrived{}, waits_since{};
  Time hold_deadline = kNever;  // set once, however often it has to wait

  // The client's deadlines while busy; kNever where one does not run.
  Time until_hold = kNever, until_expect = kNever, until_body = kNever, until_rate = kNever,
       until_sent = kNever, until_whole = kNever;
  std::uint64_t rate_from = 0;  // body_taken when the rate window began

  // Of a trace. The span stays with the object: a sampled request allocates nothing.
  enum class Phase : std::uint8_t { held, queued, upstream };
  bool sampled = false;
  Phase phase = Phase::queued;
  Time phase_since{};
  std::unique_ptr<Span> span;
};

}  // namespace headroom::gateway
