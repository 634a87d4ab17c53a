#pragma once

#include "journal/journal.h"

namespace headroom::journal {

/// How the texts of the events begin (of kind policy) by which the times are told in which nothing
/// was decided.
constexpr const char* kStarted = "started";
constexpr const char* kTakenOver = "taken over at an upgrade";
constexpr const char* kStopped = "stopped";

inline bool begins_life(const Event& event) {
  return event.kind == Event::Kind::policy &&
         (event.text.starts_with(kStarted) || event.text.starts_with(kTakenOver));
}
inline bool ends_life(const Event& event) {
  return event.kind == Event::Kind::policy && event.text.starts_with(kStopped);
}

inline bool is_of_life(const Event& event) { return begins_life(event) || ends_life(event); }

}  // namespace headroom::journal
