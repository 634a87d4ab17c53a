#include "formula/builtin_checks.h"

#include <algorithm>

#include <fmt/format.h>

#include "formula/builtins.h"

namespace headroom::formula {

std::string_view type_name(const Type& type) {
  switch (type.kind) {
    case Kind::unknown:
    case Kind::any:
      return "anything";
    case Kind::nil:
      return "nil";
    case Kind::boolean:
      return "a bool";
    case Kind::integer:
    case Kind::integer64:
      return "an integer";
    case Kind::number:
      return "a number";
    case Kind::text:
      return "a string";
    case Kind::list:
      return "a list";
    case Kind::map:
    case Kind::any_map:
      return "a map";
    case Kind::duration:
      return "a duration";
    case Kind::time:
      return "a time";
    case Kind::month:
      return "a month";
    case Kind::weekday:
      return "a weekday";
    case Kind::function:
      break;
  }
  return "a function";
}

namespace checks {
namespace {

/// Numbers to Go's reflection: durations and months are integers to it.
bool counts(const Type& type) {
  return type.numeric() || type.kind == Kind::duration || type.kind == Kind::month ||
         type.kind == Kind::weekday;
}

bool number_of(Arguments arguments, std::size_t expected, std::string& why) {
  if (arguments.size() == expected) return true;
  why = fmt::format("found {} arguments, expected {}", arguments.size(), expected);
  return false;
}

bool refuse(const Type& found, std::string_view expected, std::string& why) {
  why = fmt::format("found {}, expected {}", type_name(found), expected);
  return false;
}

bool list_like(const Type& type, std::string& why) {
  return type.open() || type.kind == Kind::list || refuse(type, "a list", why);
}

bool number_like(Arguments arguments, std::string& why) {
  if (!number_of(arguments, 1, why)) return false;
  return arguments[0].open() || counts(arguments[0]) || refuse(arguments[0], "a number", why);
}

bool convertible(Arguments arguments, std::string& why) {
  if (!number_of(arguments, 1, why)) return false;
  return arguments[0].open() || counts(arguments[0]) || arguments[0].kind == Kind::text ||
         refuse(arguments[0], "a number or a string", why);
}

}  // namespace

bool length(Arguments arguments, Type& result, std::string& why) {
  result = {Kind::integer};
  if (!number_of(arguments, 1, why)) return false;
  switch (arguments[0].kind) {
    case Kind::list:
    case Kind::map:
    case Kind::any_map:
    case Kind::text:
    case Kind::any:
    case Kind::unknown:
      return true;
    default:
      return refuse(arguments[0], "a list, a map or a string", why);
  }
}

bool absolute(Arguments arguments, Type& result, std::string& why) {
  if (!number_like(arguments, why)) return false;
  result = arguments[0].open() ? Type{Kind::any} : arguments[0];
  return true;
}

bool rounding(Arguments arguments, Type& result, std::string& why) {
  result = {Kind::number};
  return number_like(arguments, why);
}

bool to_integer(Arguments arguments, Type& result, std::string& why) {
  result = {Kind::integer};
  return convertible(arguments, why);
}

bool to_number(Arguments arguments, Type& result, std::string& why) {
  result = {Kind::number};
  return convertible(arguments, why);
}

bool of_anything(Arguments arguments, Type& result, std::string& why) {
  result = {Kind::text};
  return number_of(arguments, 1, why);
}

bool aggregate(Arguments arguments, Type& result, std::string& why) {
  if (arguments.empty()) {
    why = "found no argument, expected numbers or lists";
    return false;
  }
  for (const Type& argument : arguments) {
    if (argument.open() || argument.kind == Kind::list) {
      result = {Kind::any};
      return true;  // upstream looks no further either
    }
    if (!counts(argument)) return refuse(argument, "a number or a list", why);
  }
  result = arguments[0];
  return true;
}

bool end_of_list(Arguments arguments, Type& result, std::string& why) {
  result = {Kind::any};
  return number_of(arguments, 1, why) && list_like(arguments[0], why);
}

bool take(Arguments arguments, Type& result, std::string& why) {
  if (!number_of(arguments, 2, why) || !list_like(arguments[0], why)) return false;
  if (!arguments[1].open() && (!counts(arguments[1]) || arguments[1].kind == Kind::number)) {
    return refuse(arguments[1], "an integer", why);
  }
  result = arguments[0].open() ? Type{Kind::any} : Type{Kind::list};
  return true;
}

bool of_map(Arguments arguments, Type& result, std::string& why) {
  result = {Kind::list};
  if (!number_of(arguments, 1, why)) return false;
  const Kind kind = arguments[0].kind;
  return arguments[0].open() || kind == Kind::map || kind == Kind::any_map ||
         refuse(arguments[0], "a map", why);
}

bool of_list(Arguments arguments, Type& result, std::string& why) {
  result = {Kind::list};
  return number_of(arguments, 1, why) && list_like(arguments[0], why);
}

bool of_lists(Arguments arguments, Type& result, std::string& why) {
  result = {Kind::list};
  if (arguments.empty()) {
    why = "found no argument, expected lists";
    return false;
  }
  return std::ranges::all_of(arguments, [&](const Type& type) { return list_like(type, why); });
}

bool sort(Arguments arguments, Type& result, std::string& why) {
  result = {Kind::list};
  if (arguments.size() == 2) {
    if (!arguments[1].open() && arguments[1].kind != Kind::text) {
      return refuse(arguments[1], "\"asc\" or \"desc\"", why);
    }
    return list_like(arguments[0], why);
  }
  return number_of(arguments, 1, why) && list_like(arguments[0], why);
}

bool join(Arguments arguments, Type& result, std::string& why) {
  result = {Kind::text};
  if (arguments.empty() || arguments.size() > 2) return number_of(arguments, 2, why);
  if (arguments.size() == 2 && !arguments[1].open() && arguments[1].kind != Kind::text) {
    return refuse(arguments[1], "a string", why);
  }
  return list_like(arguments[0], why);
}

bool now(Arguments arguments, Type& result, std::string& why) {
  result = {Kind::time};
  return number_of(arguments, 0, why);
}

bool date(Arguments arguments, Type& result, std::string& why) {
  result = {Kind::time};
  if (arguments.size() == 2 || arguments.size() == 3) {
    why = "a layout or a time zone is not supported: expected the date alone";
    return false;
  }
  return number_of(arguments, 1, why);
}

bool signature(Arguments arguments, std::string_view takes, std::string& why) {
  const std::size_t least = std::min(takes.find('?'), takes.size());
  std::string kinds(takes);
  std::erase(kinds, '?');
  if (arguments.size() < least || arguments.size() > kinds.size()) {
    return number_of(arguments, arguments.size() < least ? least : kinds.size(), why);
  }
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i].open()) continue;
    const bool text = kinds[i] == 't';
    if (text ? arguments[i].kind != Kind::text : !arguments[i].whole()) {
      return refuse(arguments[i], text ? "a string" : "an integer", why);
    }
  }
  return true;
}

}  // namespace checks
}  // namespace headroom::formula
