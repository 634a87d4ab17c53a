#pragma once

#include <optional>
#include <string_view>

#include "formula/datum.h"
#include "formula/tree.h"

/// Times and durations, which are asked for numbers by their methods: `duration("90s").Minutes()`.
namespace headroom::formula {

struct Method {
  Kind of;
  std::string_view name;
  Kind result;
  Datum (*run)(const Datum& self);  // `self` is a value of the kind
};
/// Null: there is none of that name.
const Method* find_method(Kind of, std::string_view name);

/// Whether `datum` is a value whose methods those of `kind` are.
bool is_of(const Datum& datum, Kind kind);

/// Of Go's layouts that `date` tries, "2024-02-29" alone.
std::optional<Time> read_date(std::string_view text);

}  // namespace headroom::formula
