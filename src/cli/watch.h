#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <boost/json/array.hpp>

#include "base/result.h"
#include "cli/admin.h"
#include "journal/journal.h"

namespace headroom::cli {

struct Seen {
  boost::json::array autoscalers;      // by their names
  std::vector<journal::Event> events;  // by their times
  std::vector<std::string> warnings;   // of one that does not answer, or whose document is refused
};

/// Looks again and again at what runs: one Headroom (`journal`), or all; one autoscaler (`name`),
/// or all. What starts meanwhile is seen from then on, what ends is not seen any more.
class Watch {
 public:
  /// Where there is no name or no journal, it is empty. `since_unix_ms`: when it began.
  Watch(std::string journal, std::string name, std::int64_t since_unix_ms)
      : journal_(std::move(journal)), name_(std::move(name)), since_unix_ms_(since_unix_ms) {}

  /// What is now, with the events that happened last, or those since the look before.
  /// Errors: unavailable: there is nothing to see, or, after it was there, any more.
  enum class Events { last, news };
  Result<Seen> look(Events events);

 private:
  Result<std::vector<Admin::Asked>> ask();
  void take(const Admin::Asked& asked, Events events, Seen& seen);
  Error nothing() const;

  std::string journal_, name_;
  std::int64_t since_unix_ms_;
  std::optional<Admin> only_;                   // of `journal_`
  std::map<std::string, std::int64_t> newest_;  // by journal: the id of the event seen last
  bool answered_ = false, found_ = false;       // at this look; at one before
};

}  // namespace headroom::cli
