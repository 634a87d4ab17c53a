#pragma once

#include <string>
#include <vector>

#include "journal/journal.h"

/// One decision as people read it, and as programs do.
namespace headroom::cli {

/// Some lines: when, how many replicas before and after, what was seen, the steps, the
/// conditions, what became of it.
std::string tell(const journal::Entry& entry);

/// The line of a step in it: "limit      9 → 8    at most 8 (maxReplicas) → 8 replicas  [Too…]".
std::string tell_step(const decide::Step& step);
/// And that of a condition: "ScalingLimited is true: TooManyReplicas: at most …".
std::string tell_condition(const decide::Condition& condition);

/// One line: "2024-05-01 14:05:09  shop  0 → 1 replica: 1 request waits".
std::string tell_briefly(const journal::Entry& entry);

/// A JSON array of {id, autoscaler, time, unixMillis, observation, decision, outcome}.
std::string tell_json(const std::vector<journal::Entry>& entries);

}  // namespace headroom::cli
