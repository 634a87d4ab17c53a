#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "gateway/gateway.h"
#include "gateway/wheel.h"

namespace headroom::gateway {

class Worker;

/// A replica as all threads share it. `outstanding` is the one word that every request writes.
struct Replica {
  Replica(ReplicaId of, const Address& at, std::uint64_t called)
      : id(of), name(called), address(at) {}

  const ReplicaId id;
  const std::uint64_t name;
  const Address address;
  std::atomic<std::int32_t> limit{0};
  std::atomic<bool> answered{false};
  std::atomic<bool> trying{false};  // the one request that tests an ejected replica is out
  std::atomic<std::int32_t> failures_in_row{0};
  std::atomic<std::int32_t> times_ejected{0};
  std::atomic<std::int64_t> left_alone_until{0};         // µs; it refused a connection
  std::atomic<std::int64_t> ejected_until{0};            // µs; 0: not ejected
  alignas(64) std::atomic<std::int64_t> outstanding{0};  // tunnels included
  std::atomic<std::int64_t> tunnels{0};
  std::atomic<std::uint64_t> cut{0};  // requests, because its drain took too long

  /// Takes a slot, never over the limit, whatever other threads do at the same time.
  bool acquire();
  void release() { outstanding.fetch_sub(1); }
};

/// A request in the service's queue. The queue's mutex guards all of it.
struct Waiting : Link {
  Worker* worker = nullptr;
  std::shared_ptr<Replica> granted;  // a slot that is its own; set when it leaves the queue
};

/// The service's FIFO of requests that no replica has room for. The lock is taken only where
/// there is no free slot, or something waits: not on the usual path.
struct Hold {
  std::mutex mutex;
  Link queue;
  std::atomic<std::int32_t> count{0};
  std::atomic<std::int64_t> bytes{0};
};

/// One service as all threads share it.
struct Service {
  ServiceId id = 0;
  Hold hold;
};

using Replicas = std::vector<std::shared_ptr<Replica>>;

}  // namespace headroom::gateway
