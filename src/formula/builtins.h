#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formula/datum.h"
#include "formula/formula.h"
#include "formula/tree.h"

/// expr's functions: what they take, what they give, what they do.
namespace headroom::formula {

inline constexpr std::string_view kNoListsInLists = "a list in a list is not supported here";

/// What a run has, and what it may use up.
class Workspace {
 public:
  Workspace(std::span<const Value> values, Circumstances when) : values_(values), when_(when) {}

  std::string why;  // what is wrong, once something has failed

  bool fail(std::string what) {
    why = std::move(what);
    return false;
  }
  /// Counts effort; fails once it is spent.
  bool spend(std::size_t steps);
  /// Upstream's budget: fewer than a million elements of lists that had to be built.
  bool grow(std::size_t elements);
  /// Makes a list, whose elements are counted. Fails where there are lists among them.
  bool make(std::vector<Datum> items, Datum& out);

  const Circumstances& when() const { return when_; }
  Datum variable(std::size_t index) const;
  /// What a function's name gives as a value.
  Datum function() const { return when_.rehearsal ? Datum(0.0) : Datum(Nil{}); }

 private:
  std::span<const Value> values_;
  Circumstances when_;
  std::size_t steps_ = 0;
  std::size_t elements_ = 0;
};

/// What a function does with the elements of a list; nothing: it takes values, no predicate.
enum class Over { nothing, decide, filter, map, count, find, sum, reduce };

struct Builtin {
  std::string_view name;
  Over over = Over::nothing;
  /// The type of what it gives, or false and why not. Null: the checker's own affair.
  bool (*check)(std::span<const Type> arguments, Type& result, std::string& why) = nullptr;
  bool (*run)(Workspace& space, std::span<Datum> arguments, Datum& out) = nullptr;
  std::size_t cost = 0;  // in steps, for each element of a list that it is given
};

/// Null: there is none of that name.
const Builtin* find_builtin(std::string_view name);

/// Whether upstream has a function of that name, which is not supported here.
bool is_upstreams(std::string_view name);

/// object[key]: a failure where there is no such element.
bool fetch(Workspace& space, const Datum& object, const Datum& key, Datum& out);

std::string_view type_name(const Type& type);

}  // namespace headroom::formula
