#pragma once

#include <optional>
#include <span>
#include <string>

#include "formula/lexer.h"
#include "formula/tree.h"

namespace headroom::formula {

/// Gives every node its type and every name its place, and refuses what upstream's checker does.
std::optional<Trouble> check(Tree& tree, std::span<const std::string> names);

}  // namespace headroom::formula
