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
bool of_anything(Arguments arguments, Type& result, std::string& why);  // gives a string
bool aggregate(Arguments arguments, Type& result, std::string& why);
bool end_of_list(Arguments arguments, Type& result, std::string& why);
bool take(Arguments arguments, Type& result, std::string& why);
bool of_map(Arguments arguments, Type& result, std::string& why);
bool of_list(Arguments arguments, Type& result, std::string& why);   // gives a list
bool of_lists(Arguments arguments, Type& result, std::string& why);  // gives a list
bool sort(Arguments arguments, Type& result, std::string& why);
bool join(Arguments arguments, Type& result, std::string& why);
bool now(Arguments arguments, Type& result, std::string& why);
bool date(Arguments arguments, Type& result, std::string& why);

/// A fixed signature: t for a string, i for an integer; what stands after ? may be left out.
bool signature(Arguments arguments, std::string_view takes, std::string& why);

template <char... Takes>
struct Signature {
  static constexpr char kText[] = {Takes..., '\0'};
  template <Kind Gives>
  static bool check(Arguments arguments, Type& result, std::string& why) {
    result = {Gives};
    return signature(arguments, kText, why);
  }
};

}  // namespace headroom::formula::checks
