#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "formula/lexer.h"
#include "formula/tree.h"

namespace headroom::formula {

/// Reads `text` into `tree`. A variable in `names` hides the function of its name.
/// Bounds: 10,000 nodes (as upstream), nested 500 deep.
std::optional<Trouble> parse(std::string_view text, std::span<const std::string> names, Tree& tree);

}  // namespace headroom::formula
