#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "formula/formula.h"

namespace headroom::formula {

inline const std::vector<std::string> kNames = {"a", "b", "2nd", "in", "größe", ""};
inline const std::vector<Value> kValues = {6.0, 2.5, 4.0, 7.0, 1.0, 99.0};

/// What a formula gives on 2024-02-29 at 13:05:09.
inline tl::expected<Value, Failure> run(std::string_view text,
                                        const std::vector<Value>& values = kValues) {
  const auto formula = Formula::compile(text, kNames);
  if (!formula) {
    return tl::unexpected(Failure{Failure::Why::run, "refused: " + formula.error().what});
  }
  return formula->run(values, {.unix_millis = 1'709'211'909'999});
}

inline std::string repeated(std::string_view text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

}  // namespace headroom::formula
