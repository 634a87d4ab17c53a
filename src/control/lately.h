#pragma once

#include <deque>

#include "base/time.h"

namespace headroom::control {

/// By how much a cumulative count has grown lately: since the newest mark that is `recent` old, or
/// since the first. Bounded: keeps a mark per `every`, by which it may be longer.
template <class Count>
class Lately {
 public:
  Lately(Millis recent, Millis every) : recent_(recent), every_(every) {}

  /// Looks come in order of time.
  void add(Instant now, const Count& count) {
    newest_ = count;
    // A mark is of what had been counted by then, so that what comes after it can be told.
    if (marks_.empty() || now - marks_.back().at >= every_) marks_.push_back({now, count});
    while (marks_.size() > 1 && now - marks_[1].at >= recent_) marks_.pop_front();
  }
  void forget() { marks_.clear(); }

  Count grown() const { return marks_.empty() ? Count{} : newest_ - marks_.front().before; }

 private:
  struct Mark {
    Instant at;
    Count before;
  };
  Millis recent_, every_;
  Count newest_{};
  std::deque<Mark> marks_;
};

}  // namespace headroom::control
