#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "journal/journal.h"

namespace headroom::control {

/// Writes decisions to the journal before they are acted on.
///
/// Where the journal cannot take them (a full disk), scaling goes on, because a service that is
/// not scaled is worse than one whose record comes late: the entries wait here, at most kKept of
/// them, and are written when the journal takes them again, which is tried once in kRetry: an
/// attempt may block for as long as the journal waits for a lock.
class Recorder {
 public:
  static constexpr std::size_t kKept = 256;
  static constexpr Millis kRetry = 5s;

  explicit Recorder(journal::Journal journal) : journal_(std::move(journal)) {}

  /// The journal's id of the entry; nullopt where it comes late.
  std::optional<std::int64_t> record(const std::string& autoscaler,
                                     const decide::Observation& observation,
                                     const decide::Decision& decision,
                                     const decide::Memory& memory);
  void outcome(std::int64_t entry, const std::string& what);
  /// Lost where the journal cannot take it: nothing is decided by it.
  void event(const std::string& autoscaler, journal::Event::Kind kind, const std::string& text);
  void sample(const std::string& autoscaler, const journal::Sample& sample);
  /// Those of the steps that touch since..until, oldest first; none where they cannot be read.
  std::vector<journal::Sample> samples(const std::string& autoscaler, std::int64_t since_unix_ms,
                                       std::int64_t until_unix_ms) const;
  void startup(const std::string& autoscaler, Millis took);
  /// What a replica usually takes to be ready; 1 s where nothing is known.
  Millis usual_startup(const std::string& autoscaler) const;

  /// Writes from now on what it did not while the journal stood by (see journal::Journal::begin).
  /// Errors: as there; then it is left alone until reopened(), as after close().
  Result<void> begin();
  /// Leaves the journal to another writer; until reopened() decisions wait here, and the rest is
  /// lost.
  /// Errors: unavailable (decisions wait that the journal does not take; it stays open).
  Result<void> close();
  bool is_open() const { return journal_.has_value(); }
  void reopened(journal::Journal journal) {
    journal_ = std::move(journal);
    retry_at_ = {};
  }

  /// What a restart goes on from. Errors: unavailable (closed, or not readable).
  Result<std::optional<journal::Restored>> restore(const std::string& autoscaler) const;
  /// Whether who had the autoscaler before did not come to its end: it was killed, or crashed.
  bool was_cut_off(const std::string& autoscaler) const;
  std::size_t waiting() const { return waiting_.size(); }

 private:
  struct Late {
    std::string autoscaler;
    decide::Observation observation;
    decide::Decision decision;
    decide::Memory memory;
  };
  void flush();
  void keep(Late late);
  void failed(const Error& error, Instant now);

  std::optional<journal::Journal> journal_;  // none: closed
  std::deque<Late> waiting_;
  std::size_t dropped_ = 0;
  Instant retry_at_{};
  std::optional<Instant> complained_;
};

}  // namespace headroom::control
