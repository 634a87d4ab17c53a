#pragma once

#include <span>

#include "formula/builtins.h"

/// The functions on strings. Letters change their case in ASCII only.
namespace headroom::formula::texts {

using Arguments = std::span<Datum>;

bool trim(Workspace& space, Arguments arguments, Datum& out);
bool trim_prefix(Workspace& space, Arguments arguments, Datum& out);
bool trim_suffix(Workspace& space, Arguments arguments, Datum& out);
bool upper(Workspace& space, Arguments arguments, Datum& out);
bool lower(Workspace& space, Arguments arguments, Datum& out);
bool split(Workspace& space, Arguments arguments, Datum& out);
bool replace(Workspace& space, Arguments arguments, Datum& out);
bool repeat(Workspace& space, Arguments arguments, Datum& out);
bool join(Workspace& space, Arguments arguments, Datum& out);
bool index_of(Workspace& space, Arguments arguments, Datum& out);
bool last_index_of(Workspace& space, Arguments arguments, Datum& out);
bool has_prefix(Workspace& space, Arguments arguments, Datum& out);
bool has_suffix(Workspace& space, Arguments arguments, Datum& out);

/// Where `part` begins in `text`, with the effort it takes; npos, too, where that is spent.
std::size_t find(Workspace& space, std::string_view text, std::string_view part);

}  // namespace headroom::formula::texts
