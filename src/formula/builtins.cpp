#include "formula/builtins.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"
#include "formula/aggregate.h"
#include "formula/builtin_checks.h"
#include "formula/go_number.h"
#include "formula/moment.h"
#include "formula/operators.h"

namespace headroom::formula {
namespace {

using Arguments = std::span<Datum>;

bool refuse(Workspace& space, const Datum& found, std::string_view expected) {
  return space.fail(fmt::format("found {}, expected {}", kind_name(found), expected));
}

/// What was written, where `read` cannot make anything of it.
bool refuse_text(Workspace& space, const std::string& found, std::string_view expected) {
  return space.fail(fmt::format("found \"{}\", expected {}", printable(found, 40), expected));
}

bool length(Workspace& space, Arguments arguments, Datum& out) {
  if (const auto* list = std::get_if<ListRef>(&arguments[0])) {
    out = static_cast<std::int64_t>((*list)->size());
    return true;
  }
  const auto* text = std::get_if<Text>(&arguments[0]);
  if (text == nullptr) return refuse(space, arguments[0], "a list or a string");
  // Characters, not bytes: all that do not continue one.
  out = static_cast<std::int64_t>(
      std::ranges::count_if(**text, [](char c) { return (c & 0xc0) != 0x80; }));
  return true;
}

bool absolute(Workspace& space, Arguments arguments, Datum& out) {
  if (const auto* integer = std::get_if<std::int64_t>(&arguments[0])) {
    out = *integer < 0 ? wrapping_subtract(0, *integer) : *integer;
    return true;
  }
  const auto* number = std::get_if<double>(&arguments[0]);
  if (number == nullptr) return refuse(space, arguments[0], "a number");
  out = *number < 0 ? -*number : *number;
  return true;
}

template <double (*Round)(double)>
bool rounded(Workspace& space, Arguments arguments, Datum& out) {
  double value = 0;
  if (!as_number(arguments[0], value)) return refuse(space, arguments[0], "a number");
  out = Round(value);
  return true;
}
double ceiling(double value) { return std::ceil(value); }
double floor_of(double value) { return std::floor(value); }
double nearest_of(double value) { return std::round(value); }

bool to_integer(Workspace& space, Arguments arguments, Datum& out) {
  std::int64_t value = 0;
  if (as_integer(arguments[0], value)) {
    out = value;
    return true;
  }
  const auto* text = std::get_if<Text>(&arguments[0]);
  if (text == nullptr) return refuse(space, arguments[0], "a number or a string");
  const auto read = read_go_integer(**text);
  if (!read) return refuse_text(space, **text, "an integer");
  out = *read;
  return true;
}

bool to_number(Workspace& space, Arguments arguments, Datum& out) {
  double value = 0;
  if (as_number(arguments[0], value)) {
    out = value;
    return true;
  }
  const auto* text = std::get_if<Text>(&arguments[0]);
  if (text == nullptr) return refuse(space, arguments[0], "a number or a string");
  const auto read = read_go_float(**text);
  if (!read) return refuse_text(space, **text, "a number");
  out = *read;
  return true;
}

/// Go's %v.
bool to_text(Workspace& space, Arguments arguments, Datum& out) {
  const Datum value = arguments[0];
  if (const auto* number = std::get_if<double>(&value)) {
    out = make_text(go_spelling(*number));
  } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    out = make_text(std::to_string(*integer));
  } else if (const auto* flag = std::get_if<bool>(&value)) {
    out = make_text(*flag ? "true" : "false");
  } else if (is_nil(value)) {
    out = make_text("<nil>");
  } else if (std::holds_alternative<Text>(value)) {
    out = value;
  } else {
    return refuse(space, value, "a number, a bool or a string");
  }
  return space.spend(40);  // for what is kept of it
}

bool now(Workspace& space, Arguments, Datum& out) {
  const std::chrono::milliseconds millis(space.when().unix_millis);
  out = Time{std::chrono::floor<std::chrono::seconds>(millis).count()};
  return true;
}

bool date(Workspace& space, Arguments arguments, Datum& out) {
  const auto* text = std::get_if<Text>(&arguments[0]);
  if (text == nullptr) return refuse(space, arguments[0], "a string");
  const auto time = read_date(**text);
  if (!time) return refuse_text(space, **text, "a date such as 2024-02-29");
  out = *time;
  return true;
}

bool duration(Workspace& space, Arguments arguments, Datum& out) {
  const auto* text = std::get_if<Text>(&arguments[0]);
  if (text == nullptr) return refuse(space, arguments[0], "a string");
  const auto nanos = read_duration(**text);
  if (!nanos) return refuse_text(space, **text, "a duration such as 1h30m");
  out = Duration{*nanos};
  return true;
}

/// first, last: nil where there is none.
template <bool Last>
bool end_of_list(Workspace&, Arguments arguments, Datum& out) {
  out = Nil{};
  const auto* list = std::get_if<ListRef>(&arguments[0]);
  if (list == nullptr || (*list)->size() == 0) return true;
  out = (*list)->at(Last ? (*list)->size() - 1 : 0);
  return true;
}

// A list that is sorted takes its size's logarithm, too: up to 20.
constexpr auto kBuiltins = std::to_array<Builtin>({
    {"all", Over::decide},
    {"none", Over::decide},
    {"any", Over::decide},
    {"one", Over::decide},
    {"filter", Over::filter},
    {"map", Over::map},
    {"find", Over::find},
    {"count", Over::count},
    {"sum", Over::sum},
    {"reduce", Over::reduce},
    {"len", Over::nothing, checks::length, length},
    {"abs", Over::nothing, checks::absolute, absolute},
    {"ceil", Over::nothing, checks::rounding, rounded<ceiling>},
    {"floor", Over::nothing, checks::rounding, rounded<floor_of>},
    {"round", Over::nothing, checks::rounding, rounded<nearest_of>},
    {"int", Over::nothing, checks::to_integer, to_integer},
    {"float", Over::nothing, checks::to_number, to_number},
    {"string", Over::nothing, checks::to_text, to_text},
    {"max", Over::nothing, checks::aggregate, aggregate::max, 1},
    {"min", Over::nothing, checks::aggregate, aggregate::min, 1},
    {"mean", Over::nothing, checks::aggregate, aggregate::mean, 1},
    {"median", Over::nothing, checks::aggregate, aggregate::median, 10},
    {"sort", Over::nothing, checks::sort, aggregate::sort, 20},
    {"first", Over::nothing, checks::end_of_list, end_of_list<false>},
    {"last", Over::nothing, checks::end_of_list, end_of_list<true>},
    {"get"},
    {"now", Over::nothing, checks::now, now},
    {"date", Over::nothing, checks::date, date},
    {"duration", Over::nothing, checks::duration, duration},
});

constexpr auto kUpstreams = std::to_array<std::string_view>(
    {"bitand",     "bitnand",     "bitnot",     "bitor",     "bitshl",        "bitshr",  "bitushr",
     "bitxor",     "concat",      "findIndex",  "findLast",  "findLastIndex", "flatten", "fromJSON",
     "fromBase64", "fromPairs",   "groupBy",    "hasPrefix", "hasSuffix",     "indexOf", "join",
     "keys",       "lastIndexOf", "lower",      "repeat",    "replace",       "reverse", "sortBy",
     "split",      "splitAfter",  "take",       "timezone",  "toBase64",      "toJSON",  "toPairs",
     "trim",       "trimPrefix",  "trimSuffix", "type",      "uniq",          "upper",   "values"});

}  // namespace

const Builtin* find_builtin(std::string_view name) {
  const auto* found = std::ranges::find(kBuiltins, name, &Builtin::name);
  return found == kBuiltins.end() ? nullptr : found;
}

bool is_upstreams(std::string_view name) {
  return std::ranges::find(kUpstreams, name) != kUpstreams.end();
}

bool fetch(Workspace& space, const Datum& object, const Datum& key, Datum& out) {
  const auto* list = std::get_if<ListRef>(&object);
  if (list == nullptr) {
    return space.fail(fmt::format("nothing can be taken out of {}", kind_name(object)));
  }
  std::int64_t index = 0;
  if (!as_integer(key, index)) return refuse(space, key, "an integer");
  const auto size = static_cast<std::int64_t>((*list)->size());
  if (index < 0) index += size;
  if (index < 0 || index >= size) {
    return space.fail(fmt::format("index {} is outside a list of {}", index, size));
  }
  out = (*list)->at(static_cast<std::size_t>(index));
  return true;
}

}  // namespace headroom::formula
