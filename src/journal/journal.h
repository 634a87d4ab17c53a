#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "base/units.h"
#include "decide/decision.h"
#include "decide/memory.h"
#include "decide/observation.h"

namespace headroom::journal {

struct Bounds {
  Millis age = 30 * 24h;
  std::int64_t bytes = 256 << 20;
};

/// One decision as it was made.
struct Entry {
  std::int64_t id = 0;
  std::string autoscaler;
  decide::Observation observation;
  decide::Decision decision;
  std::string outcome;  // what became of it; empty: not known yet
};

struct Restored {
  Replicas replicas;  // as last asked for
  decide::Memory memory;
};

struct Query {
  std::string autoscaler;                     // empty: all
  std::optional<std::int64_t> until_unix_ms;  // the newest at or before
  bool only_rescales = false;
  std::size_t limit = 1;
};

/// The durable record (SQLite, WAL). One writer per file, held by a lock beside it (path.lock);
/// readers may come from other processes at any time. Not thread-safe: one thread each.
///
/// What is promised. A decision that rescales, or that gives other reasons than the one before
/// it, is durable (fsync) when record() returns. One that changes nothing and repeats the
/// reasons is folded into the entry before it: its time, its observation and the memory move
/// on, on disk at most 5 s later than they were made, and when the journal is closed. So a crash
/// loses no rescale, and of the memory at most the last 5 s without one.
class Journal {
 public:
  enum class Mode { write, read };

  /// Errors: unavailable (cannot be opened, not writable, damaged: says what to do),
  /// conflict (another Headroom writes it).
  static Result<Journal> open(const std::string& path, Mode mode, Bounds bounds = {});
  Journal(Journal&&) noexcept;
  Journal& operator=(Journal&&) noexcept;
  ~Journal();

  /// Writes the decision with `memory` as the state after it, in one transaction, and gives the
  /// entry's id; old entries leave by the bounds. Errors: unavailable (disk full, I/O): nothing
  /// was written; may be tried again.
  Result<std::int64_t> record(const std::string& autoscaler, const decide::Observation& observation,
                              const decide::Decision& decision, const decide::Memory& memory);
  Result<void> outcome(std::int64_t id, const std::string& what);

  /// What a restart goes on from; nullopt where the journal knows nothing of it.
  Result<std::optional<Restored>> restore(const std::string& autoscaler) const;
  /// The newest loop time in the journal; Instant{} where empty.
  Result<Instant> newest() const;

  /// Start-up times of replicas (start to ready), the newest 100 of each autoscaler.
  Result<void> startup(const std::string& autoscaler, Millis took);
  /// Their median; nullopt where there is none.
  Result<std::optional<Millis>> usual_startup(const std::string& autoscaler) const;

  /// Newest first.
  Result<std::vector<Entry>> find(const Query& query) const;
  Result<std::vector<std::string>> autoscalers() const;

 private:
  struct Impl;
  explicit Journal(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace headroom::journal
