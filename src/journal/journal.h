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

/// What is kept, the newest first. `bytes` bounds the file: a quarter of it is for samples, an
/// eighth for events (both by estimate), and the rest for decisions.
struct Bounds {
  Millis age = 30 * 24h;  // decisions
  std::int64_t bytes = 256 << 20;
  Millis events_age = 90 * 24h;
  std::int64_t events = 100'000;
  std::int64_t samples = 500'000;  // of all levels and autoscalers
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
  std::optional<std::int64_t> since_unix_ms;  // those at or after
  std::optional<std::int64_t> until_unix_ms;  // the newest at or before
  bool only_rescales = false;
  std::size_t limit = 1;
};

/// Something that happened. A rescale's is written with its decision, in the same transaction.
struct Event {
  enum class Kind { rescale, ready, draining, gone, trouble, operator_word, policy };
  std::int64_t id = 0;  // by the journal; a later event's is larger, none is used twice
  std::string autoscaler;
  std::int64_t unix_ms = 0;
  Kind kind = Kind::trouble;
  std::string text;  // one line for people; at most kEventBytes are kept, made printable()
  std::optional<std::int64_t> decision;  // the entry of a rescale
  bool operator==(const Event&) const = default;
};
constexpr std::size_t kEventBytes = 2048;

/// "rescale", "ready", "draining", "gone", "trouble", "operator", "policy"
const char* name(Event::Kind kind);

struct EventQuery {
  std::string autoscaler;                     // empty: all
  std::optional<std::int64_t> since_unix_ms;  // at or after
  std::optional<std::int64_t> until_unix_ms;  // at or before
  std::optional<std::int64_t> after;          // an id: the oldest first of those with a larger one
  std::size_t limit = 100;                    // without `after` the newest first
};

/// What one autoscaler was like over a step. Reals: none is unknown.
struct Sample {
  std::int64_t unix_ms = 0;                              // the step's begin
  std::int32_t wanted = 0, ready = 0;                    // the most
  std::int64_t waiting = 0;                              // the most
  std::int64_t failed = 0;                               // the sum
  std::optional<double> concurrency, rate, cpu, memory;  // averages; cores, bytes: of all replicas
  std::optional<double> p50_ms, p95_ms, p99_ms;          // the most: a quantile cannot be averaged
  // As the step's newest look had them. The target is of a ready replica; none: not scaled by load.
  std::optional<double> target;
  bool by_rate = false;  // the target: of requests per second, else of requests at once
  std::optional<double> objective_ms, objective_percentile;  // none: there was none
  std::int64_t judged = 0, within = 0;  // the sums: requests held against it, and those within
  bool operator==(const Sample&) const = default;
};

/// Makes `to` the sample of both: the sums and the most. Averages and aims stay those of `to`.
void add(Sample& to, const Sample& from);

/// Times without Headroom have no samples. Each begins at a multiple of `step`.
struct History {
  Millis step{};
  std::vector<Sample> samples;  // oldest first, no two of one step
};
/// Samples are taken of steps of this length, and kept for two hours; folded into steps of a
/// minute for a week, and of five minutes for 90 days (less where Bounds::samples or ::bytes say
/// so: of the finest level first that has more than a third).
constexpr Millis kSampleStep = 5s;

/// The durable record (SQLite, WAL). One writer per file, held by a lock beside it (path.lock);
/// readers may come from other processes at any time. Not thread-safe: one thread each.
///
/// What is promised. A decision that rescales, or that gives other reasons than the one before
/// it, is durable (fsync) when record() returns. Of those that change nothing and repeat the
/// reasons the first has an entry, and the newest another, which moves on with the memory, on disk
/// at most 5 s later than they were made, and when the journal is closed. (One that is repeated
/// for less than 2 s has only the first.) So a crash loses no rescale, and of the memory at most
/// the last 5 s without one; and what held at any time is found by it.
///
/// Events are in the file when event() returns, and safe from a loss of power then, too, but for
/// `ready`, `draining` and `gone`: these with the next write. Samples are written together, when
/// the first of another step comes, and when the journal is closed: a crash loses those of the
/// last two steps at most.
class Journal {
 public:
  /// `stand_by`: will write, but changes nothing before begin(), as its writer before may yet go
  /// on.
  enum class Mode { write, stand_by, read };

  /// Errors: unavailable (cannot be opened, not writable, damaged: says what to do),
  /// conflict (another Headroom writes it); standing by: unavailable, too, where it could not be
  /// brought up to date, or where there is none.
  static Result<Journal> open(const std::string& path, Mode mode, Bounds bounds = {});
  /// Of one that stands by: brings the file up to date, which an earlier Headroom does not read
  /// from then on, and writes. Errors: unavailable (a full disk): nothing has changed.
  Result<void> begin();
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

  /// Writes it and gives its id; old events leave by the bounds. A rescale's is written by
  /// record(), as "2 → 3 replicas: " and the reason.
  /// Errors: invalid (a rescale), unavailable (as record()).
  Result<std::int64_t> event(const Event& event);
  /// Errors: unavailable. A file of a Headroom that knew no events has none.
  Result<std::vector<Event>> events(const EventQuery& query) const;

  /// Takes what an autoscaler was like over a step of kSampleStep. `unix_ms` is rounded down to
  /// such a step; where the wall clock was set back, the later sample of a step replaces the
  /// earlier. A real that is not finite is unknown.
  /// Errors: invalid (a time before 1970 or after 9999), unavailable: those taken wait (of
  /// all autoscalers the newest 8,192), and are written with the next step's.
  Result<void> sample(const std::string& autoscaler, const Sample& sample);
  /// The samples of the steps that touch since..until, of the finest level that reaches back to
  /// `since` (or as far as any does) and has at most `most` of them; where none has so few, of
  /// the coarsest, folded further. Those that are not written yet are not among them.
  /// Errors: unavailable. A file of a Headroom that knew no samples has none.
  Result<History> history(const std::string& autoscaler, std::int64_t since_unix_ms,
                          std::int64_t until_unix_ms, std::size_t most = 2000) const;

  /// Start-up times of replicas (start to ready), the newest 100 of each autoscaler.
  Result<void> startup(const std::string& autoscaler, Millis took);
  /// Their median; nullopt where there is none.
  Result<std::optional<Millis>> usual_startup(const std::string& autoscaler) const;

  /// Newest first.
  Result<std::vector<Entry>> find(const Query& query) const;
  /// When it decided first of what the journal still has; nullopt where it has nothing of it.
  Result<std::optional<std::int64_t>> first_decided(const std::string& autoscaler) const;
  /// nullopt: there is none of that id (any more).
  Result<std::optional<Entry>> entry(std::int64_t id) const;
  Result<std::vector<std::string>> autoscalers() const;

 private:
  struct Impl;
  explicit Journal(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace headroom::journal
