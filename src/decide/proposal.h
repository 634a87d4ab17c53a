#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "decide/decision.h"

namespace headroom::decide {

/// What one way of deciding says: a number, or why it has none.
struct Proposal {
  std::int32_t source = -1;          // which of the policy's metrics; -1: the gateway's load
  std::optional<Replicas> replicas;  // none: it could not tell
  std::vector<Step> steps;           // a chain from what runs now to `replicas`
  std::string_view failure;          // where it has none: the condition's reason
};

/// Grows a chain of steps; each starts at the number where the one before ended.
class Chain {
 public:
  Chain(std::vector<Step>& steps, Replicas from) : steps_(steps), number_(from) {}

  Replicas number() const { return number_; }
  /// What follows starts from here.
  void go_on_from(Replicas number) { number_ = number; }

  /// From its numbers; its text is left to put_into_words().
  Step& link(Step::Stage stage, std::string_view code, Replicas to,
             const std::array<double, 4>& inputs = {}, std::int32_t source = -1) {
    Step& step = steps_.emplace_back();
    step.stage = stage;
    step.code = code;
    step.before = number_;
    step.after = number_ = to;
    step.inputs = inputs;
    step.source = source;
    return step;
  }
  /// Only where it moves the number.
  void move(Step::Stage stage, std::string_view code, Replicas to,
            const std::array<double, 4>& inputs = {}) {
    if (to != number_) link(stage, code, to, inputs);
  }

 private:
  std::vector<Step>& steps_;
  Replicas number_;
};

}  // namespace headroom::decide
