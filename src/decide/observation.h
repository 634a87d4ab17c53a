#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "base/time.h"
#include "base/units.h"

namespace headroom::decide {

struct Measured {
  Quantity value;
  Instant at;     // when the newest sample was taken
  Millis window;  // what it averages over
  bool operator==(const Measured&) const = default;
};
struct Absent {
  enum class Reason { unreachable, timeout, no_data, not_finite, negative, stale };
  Reason reason = Reason::no_data;
  std::string answer;  // what the source said, at most 200 bytes
  bool operator==(const Absent&) const = default;
};
/// Zero is an answer, and it takes people's services away: "none" is Absent.
using Reading = tl::expected<Measured, Absent>;

struct ReplicaSeen {
  enum class State { starting, ready, draining };
  std::uint64_t id = 0;
  State state = State::starting;
  Instant started;
  Instant state_since;  // the last change of readiness
  Reading cpu;          // cores
  Reading memory;       // bytes
  bool operator==(const ReplicaSeen&) const = default;
};

/// What the gateway measured. Concurrency counts what waits, too.
struct Load {
  double concurrency = 0;  // time average over `over`
  double rate = 0;         // arrivals per second over `over`
  Millis over = 1s;
  std::int64_t waiting = 0;  // now
  std::int64_t running = 0;  // now
  Instant last_active;       // when something last waited, ran or arrived
  bool operator==(const Load&) const = default;
};

/// What is true now.
struct Observation {
  Instant now;
  std::int64_t unix_millis = 0;  // the wall clock, for people
  Replicas current;              // asked for: the target's "spec replicas"
  std::vector<ReplicaSeen> replicas;
  tl::expected<Load, Absent> load = tl::unexpected<Absent>(Absent{});

  std::int32_t ready() const;
  bool operator==(const Observation&) const = default;
};

}  // namespace headroom::decide
