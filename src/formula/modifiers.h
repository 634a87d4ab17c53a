#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "base/result.h"
#include "base/units.h"
#include "formula/formula.h"
#include "formula/go_number.h"

/// A ScaledObject's advanced.scalingModifiers: what is loaded from it, and the composite metric
/// that comes of it.
namespace headroom::formula {

/// As written. An empty text: the field is left out.
struct ModifiersText {
  std::string_view formula;
  std::string_view target;
  std::string_view activation_target;
  std::string_view metric_type;  // AverageValue (also where left out) or Value
};

/// What is served as the composite metric.
struct Composite {
  Quantity value;
  bool from_fallback = false;  // the formula gave nil: fallback.replicas x target
};

class Modifiers {
 public:
  /// What a document loader does (M1, M5, M6, M8): reads the numbers, compiles the formula against
  /// the triggers' names and runs it once with -1 for each. `names` in the triggers' order; an
  /// empty one for a trigger that is no variable (without a name, cpu, memory). `when` is what
  /// now() says in that run.
  /// Errors: invalid; `what` begins with the field's name: "formula: 1:7: unknown name …".
  static Result<Modifiers> load(const ModifiersText& text, std::span<const std::string> names,
                                Circumstances when = {});

  /// The composite of one value a name; nullopt: a trigger past its failure threshold under
  /// `behavior: scalingModifiers`. Where the formula gives nil it is `fallback_replicas` x target
  /// (nullopt: no fallback section, a failure). The value x 1000 is cut toward zero and not
  /// clamped: it may be negative (M7).
  tl::expected<Composite, Failure> composite(std::span<const Value> values,
                                             std::optional<std::int32_t> fallback_replicas,
                                             Circumstances when = {}) const;

  /// The formula's value itself, before thousandths.
  const Formula& formula() const { return formula_; }
  /// Above 0 and finite, as written: "2.5" is 2.5.
  double target() const { return target_; }
  /// In thousandths, cut off: 0 for a target below 0.001, which the API server would refuse.
  Quantity target_milli() const;
  /// The composite has to be above this for the object to be active; it may be negative.
  double activation_target() const { return activation_target_; }
  /// False: AverageValue.
  bool by_value() const { return by_value_; }

 private:
  explicit Modifiers(Formula formula) : formula_(std::move(formula)) {}

  Formula formula_;
  double target_ = 0;
  double activation_target_ = 0;
  bool by_value_ = false;
};

/// A metric's thousandths as a variable: one multiplication, not a division, as upstream has it.
inline double as_variable(Quantity quantity) { return static_cast<double>(quantity.milli) * 0.001; }

/// value x 1000 cut toward zero; nullopt: NaN, infinite, or beyond 64 bits.
std::optional<Quantity> to_thousandths(double value);

}  // namespace headroom::formula
