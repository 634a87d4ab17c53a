#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "decide/decision.h"

namespace headroom::decide {

/// What one way of deciding says: a number, or why it has none.
struct Proposal {
  std::string name;                  // "cpu", "concurrency"
  std::optional<Replicas> replicas;  // none: it could not tell
  std::vector<Step> steps;           // a chain from what runs now to `replicas`
  std::string failure;               // where it has none: the condition's reason and message
  std::string message;
};

/// Grows a chain of steps; each starts at the number where the one before ended.
class Chain {
 public:
  Chain(std::vector<Step>& steps, Replicas from) : steps_(steps), number_(from) {}

  Replicas number() const { return number_; }

  void add(Step::Stage stage, std::string_view code, Replicas to, std::string text) {
    steps_.push_back({stage, std::string(code), std::move(text), number_, to});
    number_ = to;
  }
  /// Only where it moves the number.
  template <class Words>
  void move(Step::Stage stage, std::string_view code, Replicas to, const Words& words) {
    if (to != number_) add(stage, code, to, words());
  }

 private:
  std::vector<Step>& steps_;
  Replicas number_;
};

}  // namespace headroom::decide
