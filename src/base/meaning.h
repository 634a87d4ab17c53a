#pragma once

#include <string_view>

namespace headroom {

/// A fixed word that users meet: in a step, an event, a metric's label. The tables of them stand
/// beside what they name, and docs/reasons.md prints them.
struct Meaning {
  std::string_view name;
  std::string_view meaning;  // in one sentence
  std::string_view advice;   // what to do about it; "Nothing…" where nothing is
  std::string_view example;  // as a user meets it; empty: see the page
};

}  // namespace headroom
