#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

#include "base/time.h"
#include "base/units.h"
#include "decide/decision.h"

namespace headroom::decide {

struct Measured {
  Quantity value;
  Instant at;     // when the newest sample was taken
  Millis window;  // what it averages over
  bool operator==(const Measured&) const = default;
};
/// A text that is mostly empty, in the room of two pointers: there is a reading for each replica
/// and metric, and deciding for many is waiting for memory.
class RareText {
 public:
  RareText() = default;
  RareText(std::string text)  // NOLINT: it is a text
      : text_(text.empty() ? nullptr : std::make_shared<const std::string>(std::move(text))) {}
  RareText(const char* text) : RareText(std::string(text)) {}  // NOLINT

  std::string text() const { return text_ ? *text_ : std::string(); }
  bool operator==(const RareText& other) const { return text() == other.text(); }

 private:
  std::shared_ptr<const std::string> text_;
};

struct Absent {
  enum class Reason { unreachable, timeout, no_data, not_finite, negative, stale };
  Reason reason = Reason::no_data;
  RareText answer;  // what the source said, at most 200 bytes
  bool operator==(const Absent&) const = default;
};
/// Zero is an answer, and it takes people's services away: "none" is Absent.
using Reading = tl::expected<Measured, Absent>;

/// What a container asks for: resource name ("cpu", "memory") to quantity.
using ResourceRequests = std::vector<std::pair<std::string, Quantity>>;

struct ContainerSeen {
  std::string name;
  ResourceRequests requests;
  bool operator==(const ContainerSeen&) const = default;
};

/// What replicas are made of. Most have one in common.
struct Template {
  std::vector<ContainerSeen> containers;
  std::vector<ContainerSeen> sidecars;  // init containers that keep running
  ResourceRequests pod_requests;        // of the pod as a whole
  ResourceRequests overhead;
  bool operator==(const Template&) const = default;
};

struct Readiness {
  Truth status = Truth::no;
  Instant since;  // the last change
  bool operator==(const Readiness&) const = default;
};

/// A replica: a process, or a pod.
struct ReplicaSeen {
  enum class State { starting, ready, draining };
  enum class Phase { pending, running, succeeded, failed };
  std::uint64_t id = 0;
  Phase phase = Phase::running;
  bool deleting = false;           // on its way out
  std::optional<Instant> started;  // none: not yet
  std::optional<Readiness> ready;  // none: nobody has looked
  std::int32_t made_of = 0;        // which of the observation's templates
  Reading cpu;                     // cores
  Reading memory;                  // bytes
  std::int32_t restarts = 0;       // of a process: failures in a row

  /// In one word. A process is never pending or failed: it is started again.
  State state() const;
  bool is_ready() const { return ready && ready->status == Truth::yes; }
  bool operator==(const ReplicaSeen&) const = default;
};

/// What a source said of one of the policy's metrics.
struct MetricSeen {
  std::optional<Absent> failed;      // the source did; nothing below counts
  std::vector<Reading> of_replicas;  // one for each of the observation's, in their order
  std::vector<Quantity> strays;      // of names that are no replica
  std::vector<Quantity> values;      // Object: one; External: of each series
  bool operator==(const MetricSeen&) const = default;
};

/// What an external scaler says of one of the policy's triggers (KEDA's GetMetricSpec, IsActive).
struct ScalerSeen {
  std::int32_t trigger = 0;    // which of the policy's
  std::string metric;          // its name; empty: the trigger's type
  double target = 0;           // for each replica, or for all; not above 0: none
  std::optional<bool> active;  // none: active above 0
  bool operator==(const ScalerSeen&) const = default;
};

/// From a unix time on a zone's clocks are so many seconds ahead of UTC.
struct OffsetSeen {
  std::int64_t from = 0;
  std::int32_t seconds = 0;
  bool operator==(const OffsetSeen&) const = default;
};
struct ZoneSeen {
  std::string name;                 // "Europe/Berlin"
  std::vector<OffsetSeen> offsets;  // rising; the first holds before its time, too
  bool operator==(const ZoneSeen&) const = default;
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
  Replicas status;               // what there is: its "status replicas"
  bool selects = true;           // the target says which replicas are its own
  std::vector<Template> templates;
  std::vector<ReplicaSeen> replicas;
  /// One for each of the policy's metrics. None at all: Resource metrics are the replicas' own
  /// cpu and memory.
  std::vector<MetricSeen> metrics;
  /// One for each of the policy's. Not read: those of cpu, memory and cron.
  std::vector<Reading> triggers;
  std::vector<ScalerSeen> scalers;  // of external and external-push triggers; once each
  std::vector<ZoneSeen> zones;      // of cron triggers (zones_of(), prepared.h)
  tl::expected<Load, Absent> load = tl::unexpected<Absent>(Absent{});

  std::int32_t ready() const;
  bool operator==(const Observation&) const = default;
};

}  // namespace headroom::decide
