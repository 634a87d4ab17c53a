#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

/// KEDA's scaling modifiers: a formula over the triggers' values, in the language of
/// expr-lang/expr 1.17. Pure: no clock, no I/O. Evaluation is bounded in steps, in memory and in
/// depth, so a formula cannot hang or exhaust anything.
namespace headroom::formula {

/// What a formula gives: a number, or nothing (nil).
using Value = std::optional<double>;

/// A formula that compiles. Immutable; may be run by several threads at once.
class Formula {
 public:
  /// Compiles `text`, wrapped in float(...) as KEDA does (M5), against the variables' names.
  /// Errors: invalid; `what` says line and column inside the formula, what was found and expected.
  static Result<Formula> compile(std::string_view text, std::span<const std::string> names);

  /// Runs it with one value a name, in their order; nullopt is nil.
  /// Errors: invalid for what fails at run time (nil arithmetic, an index outside, a bound).
  Result<Value> run(std::span<const Value> values) const;

 private:
  struct Program;
  explicit Formula(std::shared_ptr<const Program> program) : program_(std::move(program)) {}
  std::shared_ptr<const Program> program_;
};

}  // namespace headroom::formula
