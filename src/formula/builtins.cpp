#include "formula/builtins.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"
#include "formula/aggregate.h"
#include "formula/builtin_checks.h"
#include "formula/go_number.h"
#include "formula/moment.h"
#include "formula/operators.h"
#include "formula/texts.h"

namespace headroom::formula {
namespace {

using Arguments = std::span<Datum>;

bool refuse(Workspace& space, const Datum& found, std::string_view expected) {
  return space.fail(fmt::format("found {}, expected {}", kind_name(found), expected));
}

bool length(Workspace& space, Arguments arguments, Datum& out) {
  const Datum& argument = arguments[0];
  if (const auto* list = std::get_if<ListRef>(&argument)) {
    out = static_cast<std::int64_t>((*list)->size());
  } else if (const auto* map = std::get_if<MapRef>(&argument)) {
    out = static_cast<std::int64_t>((*map)->entries().size());
  } else if (const auto* text = std::get_if<Text>(&argument)) {
    // Characters, not bytes: all that do not continue one.
    out = static_cast<std::int64_t>(
        std::ranges::count_if(**text, [](char c) { return (c & 0xc0) != 0x80; }));
    return space.spend((*text)->size() / 16);
  } else if (std::holds_alternative<Environment>(argument)) {
    out = static_cast<std::int64_t>(space.size());
  } else {
    return refuse(space, argument, "a list, a map or a string");
  }
  return true;
}

bool type_of(Workspace& space, Arguments arguments, Datum& out) {
  constexpr std::array<std::string_view, std::variant_size_v<Datum>> kNames = {
      "nil", "bool",          "int",       "float",      "string",       "array",
      "map", "time.Duration", "time.Time", "time.Month", "time.Weekday", "map"};
  return space.make(std::string(kNames[arguments[0].index()]), out);
}

bool absolute(Workspace& space, Arguments arguments, Datum& out) {
  if (const auto* integer = std::get_if<std::int64_t>(&arguments[0])) {
    out = *integer < 0 ? wrapping_subtract(0, *integer) : *integer;
    return true;
  }
  if (const auto* number = std::get_if<double>(&arguments[0])) {
    out = *number < 0 ? -*number : *number;
    return true;
  }
  return refuse(space, arguments[0], "a number");
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
  const Datum& argument = arguments[0];
  std::int64_t value = 0;
  if (as_integer(argument, value)) {
    out = value;
  } else if (const auto* text = std::get_if<Text>(&argument)) {
    const auto read = read_integer(**text);
    if (!read) return space.fail(fmt::format("\"{}\" is no integer", printable(**text, 40)));
    out = *read;
  } else if (const auto* duration = std::get_if<Duration>(&argument)) {
    out = duration->nanos;
  } else if (const auto* month = std::get_if<Month>(&argument)) {
    out = std::int64_t{month->number};
  } else if (const auto* day = std::get_if<Weekday>(&argument)) {
    out = std::int64_t{day->number};
  } else {
    return refuse(space, argument, "a number or a string");
  }
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
  const auto read = read_float(**text);
  if (!read) return space.fail(fmt::format("\"{}\" is no number", printable(**text, 40)));
  out = *read;
  return true;
}

bool to_string(Workspace& space, Arguments arguments, Datum& out) {
  if (std::holds_alternative<Time>(arguments[0]) ||
      std::holds_alternative<Environment>(arguments[0])) {
    return space.fail(fmt::format("string() of {} is not supported", kind_name(arguments[0])));
  }
  std::string text;
  if (!to_text(arguments[0], kMaxString, text)) {
    return space.fail(fmt::format("makes a string of more than {} bytes", kMaxString));
  }
  return space.spend(text.size() / 4) && space.make(std::move(text), out);
}

bool now(Workspace& space, Arguments, Datum& out) {
  out = time_of(space.when().unix_millis);
  return true;
}

bool date(Workspace& space, Arguments arguments, Datum& out) {
  const auto* text = std::get_if<Text>(&arguments[0]);
  if (text == nullptr) return refuse(space, arguments[0], "a string");
  const auto time = read_time(**text);
  if (!time) {
    return space.fail(
        fmt::format("found \"{}\", expected a date as 2024-02-29, 15:04:05, 2024-02-29 15:04:05 or "
                    "2024-02-29T15:04:05Z",
                    printable(**text, 40)));
  }
  out = *time;
  return true;
}

bool duration(Workspace& space, Arguments arguments, Datum& out) {
  const auto* text = std::get_if<Text>(&arguments[0]);
  if (text == nullptr) return refuse(space, arguments[0], "a string");
  const auto read = read_duration(**text);
  if (!read) {
    return space.fail(
        fmt::format("found \"{}\", expected a duration such as 1h30m", printable(**text, 40)));
  }
  out = *read;
  return true;
}

Datum byte_of(char c) { return std::int64_t{static_cast<unsigned char>(c)}; }

/// first, last: nil where there is none.
template <int Index>
bool end_of_list(Workspace&, Arguments arguments, Datum& out) {
  if (const auto* text = std::get_if<Text>(&arguments[0])) {  // a byte's number, as Go has it
    const std::string_view bytes = **text;
    out = Nil{};
    if (!bytes.empty()) out = byte_of(Index < 0 ? bytes.back() : bytes.front());
    return true;
  }
  out = Nil{};
  const auto* list = std::get_if<ListRef>(&arguments[0]);
  if (list != nullptr && (*list)->size() > 0)
    out = (*list)->at(Index < 0 ? (*list)->size() - 1 : 0);
  return true;
}

bool get(Workspace& space, Arguments arguments, Datum& out) {
  const Datum object = arguments[0];
  const Datum key = arguments[1];
  std::int64_t index = 0;
  if (const auto* list = std::get_if<ListRef>(&object)) {
    if (!as_integer(key, index)) return refuse(space, key, "an integer");
    const auto size = static_cast<std::int64_t>((*list)->size());
    if (index < 0) index = wrapping_add(index, size);
    out = Nil{};
    if (index >= 0 && index < size) out = (*list)->at(static_cast<std::size_t>(index));
    return true;
  }
  if (std::holds_alternative<Environment>(object)) {
    const auto* name = std::get_if<Text>(&key);
    if (name == nullptr && !is_nil(key)) return refuse(space, key, "a name");
    out = name == nullptr ? Nil{} : space.variable(**name).value_or(Nil{});
    return true;
  }
  if (std::holds_alternative<MapRef>(object)) return fetch(space, object, key, out);
  out = Nil{};
  return true;
}

template <class Number>
bool bits(Workspace& space, Arguments arguments, Datum& out, Number number) {
  const auto* a = std::get_if<std::int64_t>(&arguments[0]);
  const auto* b = std::get_if<std::int64_t>(&arguments[1]);
  if (a == nullptr || b == nullptr) {
    return refuse(space, arguments[a == nullptr ? 0 : 1], "an integer");
  }
  out = static_cast<std::int64_t>(
      number(static_cast<std::uint64_t>(*a), static_cast<std::uint64_t>(*b)));
  return true;
}

enum class Shift { left, right, unsigned_right };

template <Shift How>
bool shift(Workspace& space, Arguments arguments, Datum& out) {
  const auto* a = std::get_if<std::int64_t>(&arguments[0]);
  const auto* b = std::get_if<std::int64_t>(&arguments[1]);
  if (a == nullptr || b == nullptr) {
    return refuse(space, arguments[a == nullptr ? 0 : 1], "an integer");
  }
  if (*b < 0) return space.fail(fmt::format("cannot shift by {}", *b));
  const bool all = *b >= 64;  // C++ leaves these open
  if (How == Shift::right) {
    out = *a >> (all ? 63 : *b);
  } else {
    const auto value = static_cast<std::uint64_t>(*a);
    const std::uint64_t moved = How == Shift::left ? value << (*b & 63) : value >> (*b & 63);
    out = all ? std::int64_t{0} : static_cast<std::int64_t>(moved);
  }
  return true;
}

bool bit_not(Workspace& space, Arguments arguments, Datum& out) {
  const auto* a = std::get_if<std::int64_t>(&arguments[0]);
  if (a == nullptr) return refuse(space, arguments[0], "an integer");
  out = ~*a;
  return true;
}

using Texts = checks::Signature<'t', 't'>;
using OneText = checks::Signature<'t'>;
using TextAndMaybe = checks::Signature<'t', '?', 't'>;
using Integers = checks::Signature<'i', 'i'>;

constexpr auto kBuiltins = std::to_array<Builtin>({
    {"all", Form::predicate, nullptr, nullptr, Over::decide},
    {"none", Form::predicate, nullptr, nullptr, Over::decide},
    {"any", Form::predicate, nullptr, nullptr, Over::decide},
    {"one", Form::predicate, nullptr, nullptr, Over::decide},
    {"filter", Form::predicate, nullptr, nullptr, Over::filter},
    {"map", Form::predicate, nullptr, nullptr, Over::map},
    {"find", Form::predicate, nullptr, nullptr, Over::find},
    {"findIndex", Form::predicate, nullptr, nullptr, Over::find},
    {"findLast", Form::predicate, nullptr, nullptr, Over::find},
    {"findLastIndex", Form::predicate, nullptr, nullptr, Over::find},
    {"count", Form::optional_predicate, nullptr, nullptr, Over::count},
    {"sum", Form::optional_predicate, nullptr, nullptr, Over::sum},
    {"groupBy", Form::predicate, nullptr, nullptr, Over::group},
    {"sortBy", Form::predicate_and_more, nullptr, nullptr, Over::sort},
    {"reduce", Form::predicate_and_more, nullptr, nullptr, Over::reduce},
    {"len", Form::plain, checks::length, length},
    {"type", Form::plain, checks::of_anything, type_of},
    {"abs", Form::plain, checks::absolute, absolute},
    {"ceil", Form::plain, checks::rounding, rounded<ceiling>},
    {"floor", Form::plain, checks::rounding, rounded<floor_of>},
    {"round", Form::plain, checks::rounding, rounded<nearest_of>},
    {"int", Form::plain, checks::to_integer, to_integer},
    {"float", Form::plain, checks::to_number, to_number},
    {"string", Form::plain, checks::of_anything, to_string},
    {"trim", Form::plain, TextAndMaybe::check<Kind::text>, texts::trim},
    {"trimPrefix", Form::plain, TextAndMaybe::check<Kind::text>, texts::trim_prefix},
    {"trimSuffix", Form::plain, TextAndMaybe::check<Kind::text>, texts::trim_suffix},
    {"upper", Form::plain, OneText::check<Kind::text>, texts::upper},
    {"lower", Form::plain, OneText::check<Kind::text>, texts::lower},
    {"split", Form::plain, Texts::check<Kind::list>, texts::split},
    {"splitAfter"},
    {"replace", Form::plain, checks::Signature<'t', 't', 't', '?', 'i'>::check<Kind::text>,
     texts::replace},
    {"repeat", Form::plain, checks::Signature<'t', 'i'>::check<Kind::text>, texts::repeat},
    {"join", Form::plain, checks::join, texts::join},
    {"indexOf", Form::plain, Texts::check<Kind::integer>, texts::index_of},
    {"lastIndexOf", Form::plain, Texts::check<Kind::integer>, texts::last_index_of},
    {"hasPrefix", Form::plain, Texts::check<Kind::boolean>, texts::has_prefix},
    {"hasSuffix", Form::plain, Texts::check<Kind::boolean>, texts::has_suffix},
    {"max", Form::plain, checks::aggregate, aggregate::max},
    {"min", Form::plain, checks::aggregate, aggregate::min},
    {"mean", Form::plain, checks::aggregate, aggregate::mean},
    {"median", Form::plain, checks::aggregate, aggregate::median},
    {"toJSON"},
    {"fromJSON"},
    {"toBase64"},
    {"fromBase64"},
    {"now", Form::plain, checks::now, now},
    {"duration", Form::plain, OneText::check<Kind::duration>, duration},
    {"date", Form::plain, checks::date, date},
    {"timezone"},
    {"first", Form::plain, checks::end_of_list, end_of_list<0>},
    {"last", Form::plain, checks::end_of_list, end_of_list<-1>},
    {"get", Form::plain, nullptr, get},
    {"take", Form::plain, checks::take, aggregate::take},
    {"keys", Form::plain, checks::of_map, aggregate::keys},
    {"values", Form::plain, checks::of_map, aggregate::values},
    {"toPairs"},
    {"fromPairs"},
    {"reverse", Form::plain, checks::of_list, aggregate::reverse},
    {"uniq", Form::plain, checks::of_list, aggregate::uniq},
    {"concat", Form::plain, checks::of_lists, aggregate::concat},
    {"flatten", Form::plain, checks::of_list, aggregate::flatten},
    {"sort", Form::plain, checks::sort, aggregate::sort},
    {"bitand", Form::plain, Integers::check<Kind::integer>,
     [](Workspace& space, Arguments arguments, Datum& out) {
       return bits(space, arguments, out, std::bit_and{});
     }},
    {"bitor", Form::plain, Integers::check<Kind::integer>,
     [](Workspace& space, Arguments arguments, Datum& out) {
       return bits(space, arguments, out, std::bit_or{});
     }},
    {"bitxor", Form::plain, Integers::check<Kind::integer>,
     [](Workspace& space, Arguments arguments, Datum& out) {
       return bits(space, arguments, out, std::bit_xor{});
     }},
    {"bitnand", Form::plain, Integers::check<Kind::integer>,
     [](Workspace& space, Arguments arguments, Datum& out) {
       return bits(space, arguments, out,
                   [](std::uint64_t a, std::uint64_t b) { return a & ~b; });  // Go's &^
     }},
    {"bitshl", Form::plain, Integers::check<Kind::integer>, shift<Shift::left>},
    {"bitshr", Form::plain, Integers::check<Kind::integer>, shift<Shift::right>},
    {"bitushr", Form::plain, Integers::check<Kind::integer>, shift<Shift::unsigned_right>},
    {"bitnot", Form::plain, checks::Signature<'i'>::check<Kind::integer>, bit_not},
});

bool fetch_by_key(Workspace& space, const Map& map, const Datum& key, Datum& out) {
  const bool textual = std::holds_alternative<Text>(key);
  if (map.text_keys() && !textual && !is_nil(key)) return refuse(space, key, "a string");
  static const Datum kEmpty = make_text("");
  const Datum& wanted = map.text_keys() && !textual ? kEmpty : key;  // nil is the empty key
  for (const auto& [its, value] : map.entries()) {
    if (!space.spend(1)) return false;
    if (same(its, wanted, space.effort())) {
      out = value;
      return true;
    }
  }
  out = Nil{};
  return true;
}

}  // namespace

const Builtin* find_builtin(std::string_view name) {
  const auto* found = std::ranges::find(kBuiltins, name, &Builtin::name);
  return found == kBuiltins.end() ? nullptr : found;
}

bool fetch(Workspace& space, const Datum& object, const Datum& key, Datum& out) {
  std::int64_t index = 0;
  if (const auto* list = std::get_if<ListRef>(&object)) {
    if (!as_integer(key, index)) return refuse(space, key, "an integer");
    const auto size = static_cast<std::int64_t>((*list)->size());
    if (index < 0) index = wrapping_add(index, size);
    if (index < 0 || index >= size) {
      return space.fail(fmt::format("index {} is outside a list of {}", index, size));
    }
    Datum item = (*list)->at(static_cast<std::size_t>(index));  // `out` may be `object`
    out = std::move(item);
    return true;
  }
  if (const auto* map = std::get_if<MapRef>(&object)) {
    const MapRef kept = *map;
    return fetch_by_key(space, *kept, key, out);
  }
  if (std::holds_alternative<Environment>(object)) {
    const auto* name = std::get_if<Text>(&key);
    if (name == nullptr && !is_nil(key)) return refuse(space, key, "a name");
    out = name == nullptr ? space.missing() : space.variable(**name).value_or(space.missing());
    return true;
  }
  return space.fail(fmt::format("nothing can be taken out of {}", kind_name(object)));
}

}  // namespace headroom::formula
