#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "base/units.h"

namespace headroom::decide {

/// One link of the chain of reasons: what moved the number, or held it.
struct Step {
  enum class Stage { recommend, combine, activate, stabilise, limit };
  Stage stage = Stage::recommend;
  std::string_view code;  // a fixed word per kind of step (steps.h), "Utilization"
  Replicas before;
  Replicas after;
  /// What it was made from; steps.h says for each code what they are.
  std::array<double, 4> inputs = {};
  std::int32_t source = -1;  // which of the policy's metrics it is about; -1: none of them
  std::string text;          // for people, by put_into_words(): "cpu 83% of 60% → 7 replicas"
  bool operator==(const Step&) const = default;
};

enum class Truth { no, yes, unknown };

/// As Kubernetes' conditions; the words are upstream's.
struct Condition {
  std::string_view type;  // AbleToScale, ScalingActive, ScalingLimited, …
  Truth status = Truth::no;
  std::string_view reason;  // ReadyForNewScale, TooManyReplicas, …
  std::string message;      // by put_into_words()
  bool operator==(const Condition&) const = default;
};

/// Sets the condition of that type, which stays in its place; its message is made anew.
void set_condition(std::vector<Condition>& conditions, std::string_view type, Truth status,
                   std::string_view reason);

/// What one of the policy's metrics is at, as status.currentMetrics has it.
struct MetricNow {
  std::optional<std::int32_t> average_utilization;
  std::optional<Quantity> average_value;
  std::optional<Quantity> value;
  bool operator==(const MetricNow&) const = default;
};

struct Decision {
  Replicas current;   // what was asked for before
  Replicas replicas;  // what is asked for now
  std::vector<Step> steps;
  std::vector<Condition> conditions;
  std::vector<MetricNow> metrics;  // one for each of the policy's that was read
  bool write = false;              // the scale is to be written (HPA: now and then unchanged)
  bool error = false;              // something could not be read or is wrong
  Millis look_again = 15s;         // decide again after this, or earlier on an event

  bool rescales() const { return current != replicas; }
  /// The steps that moved the number, joined: "concurrency 14.2 of 7 → 3; at most 2 → 2".
  std::string reason() const;
  bool operator==(const Decision&) const = default;
};

/// The decision's conditions are these, their messages to be made.
void show_conditions(const std::vector<Condition>& conditions, Decision& decision);

}  // namespace headroom::decide
