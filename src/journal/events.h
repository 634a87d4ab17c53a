#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "journal/journal.h"
#include "journal/store.h"

namespace headroom::journal {

/// The journal's events, in a store of the journal's. `store` and `bounds` outlive it.
class Events {
 public:
  Events(Store& store, const Bounds& bounds) : store_(store), bounds_(bounds) {}

  /// Within a transaction of the caller's; its id.
  Result<std::int64_t> insert(const Event& event);
  /// In a transaction of its own.
  Result<std::int64_t> add(const Event& event);
  Result<std::vector<Event>> find(const EventQuery& query) const;

  /// A few that are too old at that time leave.
  Result<void> trim_by_age(std::int64_t now_unix_ms);
  /// The oldest leave until the bounds hold; the newest stays.
  Result<void> trim_by_size();

 private:
  Store& store_;
  const Bounds& bounds_;
};

}  // namespace headroom::journal
