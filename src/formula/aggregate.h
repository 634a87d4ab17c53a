#pragma once

#include <span>

#include "formula/builtins.h"

/// The functions on numbers and lists of them as a whole.
namespace headroom::formula::aggregate {

using Arguments = std::span<Datum>;

bool max(Workspace& space, Arguments arguments, Datum& out);
bool min(Workspace& space, Arguments arguments, Datum& out);
bool mean(Workspace& space, Arguments arguments, Datum& out);
bool median(Workspace& space, Arguments arguments, Datum& out);

/// NaN stays where Go's insertion sort leaves it, up to 12 items.
bool sort(Workspace& space, Arguments arguments, Datum& out);

}  // namespace headroom::formula::aggregate
