#pragma once

#include <span>
#include <string>

#include "formula/tree.h"

/// What functions take, and the type of what they give: one check for each manner of function.
namespace headroom::formula::checks {

using Arguments = std::span<const Type>;

bool length(Arguments arguments, Type& result, std::string& why);
bool absolute(Arguments arguments, Type& result, std::string& why);
bool rounding(Arguments arguments, Type& result, std::string& why);
bool to_integer(Arguments arguments, Type& result, std::string& why);
bool to_number(Arguments arguments, Type& result, std::string& why);
bool to_text(Arguments arguments, Type& result, std::string& why);
bool aggregate(Arguments arguments, Type& result, std::string& why);
bool end_of_list(Arguments arguments, Type& result, std::string& why);
bool sort(Arguments arguments, Type& result, std::string& why);
bool now(Arguments arguments, Type& result, std::string& why);
bool date(Arguments arguments, Type& result, std::string& why);
bool duration(Arguments arguments, Type& result, std::string& why);

}  // namespace headroom::formula::checks
