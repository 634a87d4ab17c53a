#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "base/units.h"

namespace headroom::decide {

/// One link of the chain of reasons: what moved the number, or held it.
struct Step {
  enum class Stage { recommend, combine, activate, stabilise, limit };
  Stage stage = Stage::recommend;
  std::string code;  // a fixed word per kind of step, "CpuUtilization"; listed in docs
  std::string text;  // for people: "cpu 83% of 60% → 7 replicas"
  Replicas before;
  Replicas after;
  bool operator==(const Step&) const = default;
};

struct Condition {
  std::string type;  // AbleToScale, ScalingActive, ScalingLimited
  bool status = false;
  std::string reason;  // upstream's: ReadyForNewScale, TooManyReplicas, …
  std::string message;
  bool operator==(const Condition&) const = default;
};

struct Decision {
  Replicas current;   // what was asked for before
  Replicas replicas;  // what is asked for now
  std::vector<Step> steps;
  std::vector<Condition> conditions;
  Millis look_again = 15s;  // decide again after this, or earlier on an event

  bool rescales() const { return current != replicas; }
  /// The steps that moved the number, joined: "concurrency 14.2 of 7 → 3; at most 2 → 2".
  std::string reason() const;
  bool operator==(const Decision&) const = default;
};

}  // namespace headroom::decide
