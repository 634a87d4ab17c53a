#pragma once

#include <optional>

#include "formula/lexer.h"
#include "formula/tree.h"

namespace headroom::formula {

/// Rewrites the tree as upstream does, in the same order: not for speed, but because the result
/// depends on it. sum([a, b, c]) is a + (b + c), sum(1..n) is no list, `1 % 0` does not compile,
/// first(filter(…)) stops at the first.
std::optional<Trouble> optimise(Tree& tree);

}  // namespace headroom::formula
