#pragma once

#include <span>

#include "formula/builtins.h"

/// The functions on lists (and numbers) as a whole.
namespace headroom::formula::aggregate {

using Arguments = std::span<Datum>;

bool max(Workspace& space, Arguments arguments, Datum& out);
bool min(Workspace& space, Arguments arguments, Datum& out);
bool mean(Workspace& space, Arguments arguments, Datum& out);
bool median(Workspace& space, Arguments arguments, Datum& out);
bool take(Workspace& space, Arguments arguments, Datum& out);
bool keys(Workspace& space, Arguments arguments, Datum& out);
bool values(Workspace& space, Arguments arguments, Datum& out);
bool reverse(Workspace& space, Arguments arguments, Datum& out);
bool uniq(Workspace& space, Arguments arguments, Datum& out);
bool concat(Workspace& space, Arguments arguments, Datum& out);
bool flatten(Workspace& space, Arguments arguments, Datum& out);
bool sort(Workspace& space, Arguments arguments, Datum& out);

/// Sorts `items` by `keys` (which may be the same), both of one size. NaN stays where Go's
/// insertion sort leaves it, up to 12 items.
bool sort_by(Workspace& space, std::vector<Datum>& items, const std::vector<Datum>& keys,
             bool descending);

/// "asc" or "desc".
bool read_order(Workspace& space, const Datum& order, bool& descending);

}  // namespace headroom::formula::aggregate
