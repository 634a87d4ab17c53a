#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "formula/modifiers.h"

/// Formulas: what compiles ends, within its bounds, and gives the same twice. What is a number
/// reads back as it is spelled.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace headroom;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  formula::read_go_float(text);
  static const std::array<std::string, 4> kNames = {"a", "b", "", "rps"};
  const auto formula = formula::Formula::compile(text, kNames);
  if (!formula) {
    check(!formula.error().what.empty(), "a refusal says why");
    return 0;
  }
  const std::array<std::array<formula::Value, 4>, 3> runs = {{
      {-1.0, -1.0, -1.0, -1.0},
      {3.0, 2.5, std::nullopt, 1e9},
      {std::nullopt, 0.0, 1.0, std::nan("")},
  }};
  for (const auto& values : runs) {
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
