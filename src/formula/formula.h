#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "base/result.h"

/// KEDA's scaling modifiers: a formula over the triggers' values, in the language of
/// expr-lang/expr 1.17 as far as numbers need it: without maps, lists in lists, and the functions
/// that work on strings, which are refused by their names. Pure: no clock, no I/O. Evaluation is
/// bounded in steps, in memory and in depth, so a formula cannot hang or exhaust anything.
namespace headroom::formula {

/// What a formula gives, and what a variable is: a number, or nothing (nil).
using Value = std::optional<double>;

/// Why a run gives no number that can be used.
struct Failure {
  enum class Why {
    run,         ///< it failed on the way: arithmetic with nil, an index outside, a bound
    not_float,   ///< it gave something else: `float(a) > 5` gives a bool
    not_finite,  ///< NaN, infinite, or beyond 64 bits of thousandths
    nil,         ///< nil, and there is no fallback
  };
  Why why = Why::run;
  std::string what;  ///< with line and column inside the formula
};

/// What a run may look at beside its values.
struct Circumstances {
  std::int64_t unix_millis = 0;  ///< what now() says, in UTC
  /// Upstream's trial run when an object is loaded, in which a function's name as a value (`max`
  /// without parentheses) is 0; later it is nil.
  bool rehearsal = false;
};

// The bounds. Upstream knows the one of elements only.
inline constexpr std::size_t kMaxText = std::size_t{64} << 10;  ///< bytes of a formula
inline constexpr std::size_t kMaxString = 256;                  ///< bytes of a string in it
inline constexpr std::size_t kMaxSteps = 10'000'000;            ///< of a run: under a second
inline constexpr std::size_t kMaxElements = 1'000'000;          ///< of lists that a run makes

/// A formula that compiles. Immutable; may be run by several threads at once.
class Formula {
 public:
  /// Compiles `text`, wrapped in float(...) as KEDA does (M5), against the variables' names. An
  /// empty name stands for a variable that cannot be referred to.
  /// Errors: invalid; `what` is "line:column: what was found, what was expected", counted in
  /// characters from 1 inside `text`. What upstream knows and this does not is named, too.
  static Result<Formula> compile(std::string_view text, std::span<const std::string> names);

  /// Runs it with one value a name, in their order; nullopt is nil. Arithmetic allocates nothing;
  /// lists, strings and `let` do.
  tl::expected<Value, Failure> run(std::span<const Value> values, Circumstances when = {}) const;

 private:
  struct Program;
  explicit Formula(std::shared_ptr<const Program> program) : program_(std::move(program)) {}
  std::shared_ptr<const Program> program_;
};

}  // namespace headroom::formula
