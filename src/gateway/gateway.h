#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/fd.h"
#include "base/histogram.h"
#include "base/result.h"
#include "base/time.h"

/// The data path: listen, hold, balance, forward, drain, measure. HTTP/1.1, event-driven, an
/// I/O thread per core (at most 4); no lock and no allocation per request on the path.
namespace headroom::gateway {

using ServiceId = std::uint32_t;
using ReplicaId = std::uint64_t;

/// One service's settings; the meanings and defaults are those of policy::Gateway.
struct Settings {
  std::string name;
  Address listen;
  std::vector<std::string> trusted_proxies;  // CIDR
  bool forwarded = false;
  bool half_close = false;
  struct Hold {
    std::int32_t max_requests = 1024;
    std::int64_t max_bytes = 64 << 20;
    Millis timeout = 60s;
    std::vector<std::string> no_wake;
    Millis retry_after = 1s;  // what a 503 says: the usual start-up time
  } hold;
  struct Timeouts {
    Millis head = 10s, body_idle = 60s, connect = 1s, response_head = 60s, response_idle = 300s,
           send_idle = 60s, idle = 75s, upstream_idle = 4s, tunnel_idle = 3600s, request = 0s;
  } timeouts;
  struct Limits {
    std::int32_t request_line = 8 << 10, head = 32 << 10, fields = 128;
    std::int64_t body = 0;
    std::int32_t connections = 0;
  } limits;
  struct Retries {
    std::int32_t attempts = 2, budget_percent = 20, budget_minimum = 3;
  } retries;
};

/// A replica that may get traffic.
struct Backend {
  ReplicaId id = 0;
  Address address;
  std::int32_t limit = 0;  // requests at once; 0: none
  std::uint64_t name = 0;  // what traces call it, as its owner does
};

/// Why a request that had arrived was not answered by a replica.
enum class Failure : std::uint8_t {
  refused,
  connect_timeout,
  reset_before_head,
  reset_in_body,
  bad_response,
  head_timeout,
  idle_timeout,
  client_abort,
  client_idle,
  hold_full,
  hold_timeout,
  drain_cut,
  request_timeout,
  bad_request,
  kCount
};
const char* name(Failure failure);

/// Sums over all threads; counters are cumulative: readers take two and subtract.
/// arrived = completed + sum(failed) + waiting + outstanding, exact at rest.
struct Snapshot {
  std::uint64_t arrived = 0, completed = 0;
  std::uint64_t failed[static_cast<std::size_t>(Failure::kCount)] = {};
  std::uint64_t rejected = 0;  // refused before they arrived: bad framing, limits
  std::uint64_t retries = 0, retries_denied = 0, ejections = 0, panics = 0;
  std::int64_t waiting = 0, outstanding = 0;  // now
  std::int64_t tunnels = 0;                   // now
  std::int64_t client_connections = 0, upstream_connections = 0;
  double concurrency_seconds = 0;  // integral of waiting + outstanding + tunnels
  std::uint64_t codes[6] = {};     // by class: [2] is 2xx; [0] none
  Histogram::Counts duration;      // from arrived to the last byte in the kernel
  Histogram::Counts hold;          // how long requests waited for a replica

  /// Of the failed ones those that are no client's doing: what it broke off or got wrong is not the
  /// service's to answer for.
  std::uint64_t service_failures() const;
};

/// Requests that a deadline found without an answer, counted as drain_cut. Tunnels are none of
/// them.
struct Unanswered {
  std::uint64_t cut = 0;      // replicas had them: the client gets a part of an answer, or nothing
  std::uint64_t refused = 0;  // they waited for a replica, and got 503 with Retry-After
};

class Tracing;

struct Options {
  int threads = 0;  // 0: the cores, at most 4
  /// Something waits in the service and no replica has room. Called from I/O threads at once
  /// (within 1 ms) when the first request waits, and again every 100 ms while any does. Must
  /// not block.
  std::function<void(ServiceId)> demand;
  std::shared_ptr<Tracing> tracing;  // null: no request is traced
  /// Listens, but accepts nothing before open(): a predecessor still does, on the same sockets.
  bool deaf = false;
};

/// A socket that listens already: a predecessor's, or one that a service manager `keeps`.
struct Listener {
  Fd socket;
  bool kept = false;  // a Unix socket's file stays when the service goes
};

class Gateway {
 public:
  static Result<std::unique_ptr<Gateway>> start(Options options);
  virtual ~Gateway() = default;  // cuts what is left

  /// Accepts from now on, where Options::deaf had it wait.
  virtual void open() = 0;

  /// Binds and listens; where `listener` is given, on that.
  /// Errors: conflict (the address is in use, be it by another service), unavailable, invalid.
  virtual Result<ServiceId> add(const Settings& settings, Listener listener = {}) = 0;
  /// New settings for requests from now on; the listener is kept where the address is the same, and
  /// `listener` used, where it is given, where it is another.
  virtual Result<void> reconfigure(ServiceId service, const Settings& settings,
                                   Listener listener = {}) = 0;

  /// The replicas that may get traffic from now on. One that is missing gets nothing new (its
  /// idle connections close); its outstanding requests go on. One that is new and was refused
  /// or ejected before starts afresh.
  virtual void set_backends(ServiceId service, std::vector<Backend> backends) = 0;
  /// Requests (and tunnels) outstanding on a replica, over all threads; 0 once all threads have
  /// confirmed that it gets nothing new and nothing is left.
  virtual std::int64_t outstanding(ServiceId service, ReplicaId replica) const = 0;
  /// For a replica that is no longer among the backends: calls `done` (from an I/O thread) when
  /// nothing is outstanding, or after `deadline`, when what is left is cut; it is told how many
  /// requests that were (drain_cut). Tunnels are closed when the rest has finished.
  virtual void drain(ServiceId service, ReplicaId replica, Millis deadline,
                     std::function<void(std::uint64_t cut)> done) = 0;
  /// The process is gone: what was outstanding on it fails now, or is retried where safe.
  virtual void gone(ServiceId service, ReplicaId replica) = 0;

  /// Takes the backlog and stops listening, which holds when it returns; the service's answers
  /// say Connection: close. Its id stays valid, for what is still open.
  virtual void close(ServiceId service) = 0;
  /// Answers what waits for a replica with 503, because none will come (drain_cut); how many
  /// requests that were.
  virtual std::uint64_t refuse_waiting(ServiceId service) = 0;

  virtual Snapshot snapshot(ServiceId service) const = 0;
  /// The address in use (the port the kernel chose for ":0").
  virtual Address listening(ServiceId service) const = 0;
  /// Another descriptor of the socket that listens, for a successor.
  virtual Fd listener(ServiceId service) const = 0;

  /// Stops listening, which holds when it returns, in favour of a successor on the same sockets.
  /// Then shutdown() need not hurry: clients that are idle may send one more request for 5 s, so
  /// that none meets a connection that closes under it, and tunnels live until the deadline.
  virtual void let_go() = 0;
  /// Takes the backlog, stops listening, answers with Connection: close, closes idle
  /// connections; returns when all is answered or after `deadline`, when what waits for a replica
  /// gets 503, with 1 s to read it, and the rest is cut.
  /// Gives what that was of each service; nothing of one whose requests were all answered.
  virtual std::map<ServiceId, Unanswered> shutdown(Millis deadline) = 0;
};

}  // namespace headroom::gateway
