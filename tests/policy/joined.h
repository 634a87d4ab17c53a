#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace headroom::policy {

/// All of them, a line each.
inline std::string joined(const std::vector<Error>& errors) {
  std::string all;
  for (const auto& error : errors) all += (all.empty() ? "" : "\n") + to_string(error);
  return all;
}

}  // namespace headroom::policy
