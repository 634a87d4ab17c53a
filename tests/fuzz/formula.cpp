#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "base/check.h"
#include "formula/modifiers.h"

namespace {

using namespace headroom;

using Values = std::array<formula::Value, 4>;
constexpr std::array<Values, 3> kRuns = {{
    {-1.0, -1.0, -1.0, -1.0},
    {3.0, 2.5, std::nullopt, 1e9},
    {std::nullopt, 0.0, 1.0, std::numeric_limits<double>::quiet_NaN()},
}};
const std::array<std::string, 4> kNames = {"a", "b", "", "rps"};

/// A ScaledObject's modifiers with the text as formula or as numbers.
void compose(const formula::ModifiersText& text) {
  const auto modifiers = formula::Modifiers::load(text, kNames);
  if (!modifiers) {
    check(!modifiers.error().what.empty(), "a refusal says why");
    return;
  }
  check(modifiers->target() > 0 && std::isfinite(modifiers->target()), "a target is aimed at");
  check(modifiers->target_milli().milli >= 0, "and its thousandths are not negative");
  for (const auto& values : kRuns) {
    const auto composite = modifiers->composite(values, 3);
    check(composite || !composite.error().what.empty(), "a failure says why");
  }
}

}  // namespace

/// Formulas: what compiles ends, within its bounds, and gives the same twice. What is a number
/// reads back as it is spelled.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  formula::read_go_float(text);
  compose({.formula = text, .target = "2.5"});
  compose({.formula = "a", .target = text, .activation_target = text});
  const auto formula = formula::Formula::compile(text, kNames);
  if (!formula) {
    check(!formula.error().what.empty(), "a refusal says why");
    return 0;
  }
  for (const auto& values : kRuns) {
    const auto first = formula->run(values);
    const auto second = formula->run(values);
    check(first.has_value() == second.has_value(), "a run repeats itself");
    if (!first) {
      check(!first.error().what.empty(), "a failure says why");
    } else if (*first && std::isfinite(**first)) {
      check(**first == **second, "a run gives the same twice");
    }
  }
  return 0;
}
