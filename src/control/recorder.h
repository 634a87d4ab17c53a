#pragma once

#include <deque>
#include <map>
#include <string>

#include "journal/journal.h"

namespace headroom::control {

/// Writes decisions to the journal before they are acted on. Where the journal cannot take
/// them (a full disk), scaling goes on, because a service that is not scaled is worse than one
/// whose record comes late: the entries wait here, at most kKept of them, and are written when
/// the journal takes them again.
class Recorder {
 public:
  static constexpr std::size_t kKept = 256;

  explicit Recorder(journal::Journal journal) : journal_(std::move(journal)) {}

  void record(const std::string& autoscaler, const decide::Observation& observation,
              const decide::Decision& decision, const decide::Memory& memory);
  void startup(const std::string& autoscaler, Millis took);

  const journal::Journal& journal() const { return journal_; }
  std::size_t waiting() const { return waiting_.size(); }

 private:
  struct Late {
    std::string autoscaler;
    decide::Observation observation;
    decide::Decision decision;
    decide::Memory memory;
  };
  bool flush();
  void failed(const Error& error, Instant now);

  journal::Journal journal_;
  std::deque<Late> waiting_;
  std::size_t dropped_ = 0;
  Instant complained_{};
};

}  // namespace headroom::control
