#include "formula/builtin_checks.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "formula/builtins.h"

namespace headroom::formula {

std::string_view type_name(const Type& type) {
  constexpr std::array<std::string_view, 11> kNames = {
      "anything", "anything", "nil",        "a bool", "an integer", "a number",
      "a string", "a list",   "a duration", "a time", "a function"};
  return kNames[static_cast<std::size_t>(type.kind)];
}

namespace checks {
namespace {

bool number_of(Arguments arguments, std::size_t expected, std::string& why) {
  if (arguments.size() == expected) return true;
  why = fmt::format("found {} arguments, expected {}", arguments.size(), expected);
  return false;
}

/// What is known of an argument has to be one of `kinds`.
bool fits(const Type& found, std::initializer_list<Kind> kinds, std::string_view expected,
          std::string& why) {
  if (found.open() || std::ranges::find(kinds, found.kind) != kinds.end()) return true;
  why = fmt::format("found {}, expected {}", type_name(found), expected);
  return false;
}

bool number(Arguments arguments, std::string& why) {
  return number_of(arguments, 1, why) &&
         fits(arguments[0], {Kind::integer, Kind::number}, "a number", why);
}

bool number_or_text(Arguments arguments, std::string& why) {
  return number_of(arguments, 1, why) &&
         fits(arguments[0], {Kind::integer, Kind::number, Kind::text}, "a number or a string", why);
}

bool text(Arguments arguments, std::string& why) {
  return number_of(arguments, 1, why) && fits(arguments[0], {Kind::text}, "a string", why);
}

}  // namespace

bool length(Arguments arguments, Type& result, std::string& why) {
  result = {Kind::integer};
  return number_of(arguments, 1, why) &&
         fits(arguments[0], {Kind::list, Kind::text}, "a list or a string", why);
}

bool absolute(Arguments arguments, Type& result, std::string& why) {
  if (!number(arguments, why)) return false;
  result = arguments[0].open() ? Type{Kind::any} : arguments[0];
  return true;
}

bool rounding(Arguments arguments, Type& result, std::string& why) {
  result = {Kind::number};
  return number(arguments, why);
}

bool to_integer(Arguments arguments, Type& result, std::string& why) {
  result = {Kind::integer};
  return number_or_text(arguments, why);
}

bool to_number(Arguments arguments, Type& result, std::string& why) {
  result = {Kind::number};
  return number_or_text(arguments, why);
}

bool to_text(Arguments arguments, Type& result, std::string& why) {
  result = {Kind::text};
  return number_of(arguments, 1, why) &&
         fits(arguments[0],
              {Kind::nil, Kind::boolean, Kind::integer, Kind::number, Kind::text, Kind::function},
              "a number, a bool or a string", why);
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
    if (!fits(argument, {Kind::integer, Kind::number}, "a number or a list", why)) return false;
  }
  result = arguments[0];
  return true;
}

bool end_of_list(Arguments arguments, Type& result, std::string& why) {
  result = {Kind::any};
  return number_of(arguments, 1, why) && fits(arguments[0], {Kind::list}, "a list", why);
}

bool sort(Arguments arguments, Type& result, std::string& why) {
  result = {Kind::list};
  if (arguments.size() == 2) {
    if (!fits(arguments[1], {Kind::text}, "\"asc\" or \"desc\"", why)) return false;
    arguments = arguments.first(1);
  }
  return number_of(arguments, 1, why) && fits(arguments[0], {Kind::list}, "a list", why);
}

bool now(Arguments arguments, Type& result, std::string& why) {
  result = {Kind::time};
  return number_of(arguments, 0, why);
}

bool date(Arguments arguments, Type& result, std::string& why) {
  result = {Kind::time};
  return text(arguments, why);
}

bool duration(Arguments arguments, Type& result, std::string& why) {
  result = {Kind::duration};
  return text(arguments, why);
}

}  // namespace checks
}  // namespace headroom::formula
