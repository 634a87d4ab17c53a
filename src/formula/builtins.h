#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formula/datum.h"
#include "formula/formula.h"
#include "formula/tree.h"

/// expr's functions: what they take, what they give, what they do.
namespace headroom::formula {

/// What a run has, and what it may use up.
class Workspace {
 public:
  Workspace(std::span<const std::string> names, std::span<const Value> values, Circumstances when)
      : names_(names), values_(values), when_(when) {}

  std::string why;  // what is wrong, once something has failed

  bool fail(std::string what) {
    if (why.empty()) why = std::move(what);
    return false;
  }
  /// Counts effort; fails once it is spent.
  bool spend(std::size_t steps);
  Effort& effort() { return effort_; }
  /// Upstream's budget: fewer than a million elements of lists that had to be built.
  bool grow(std::size_t elements);
  /// Makes a string or a list: fails for what is too long or nested too deeply.
  bool make(std::string text, Datum& out);
  bool make(std::vector<Datum> items, Datum& out);
  bool make_map(std::vector<std::pair<Datum, Datum>> entries, bool text_keys, Datum& out);

  const Circumstances& when() const { return when_; }
  std::size_t size() const { return names_.size(); }
  Datum variable(std::size_t index) const;
  /// A trigger's value by name; nullopt: there is none.
  std::optional<Datum> variable(std::string_view name) const;
  /// What a name that is none gives: 0 in a rehearsal, else nil, as upstream's maps have it.
  Datum missing() const;

 private:
  std::span<const std::string> names_;
  std::span<const Value> values_;
  Circumstances when_;
  Effort effort_{kMaxSteps};
  std::size_t elements_ = 0;  // counted as upstream does
  std::size_t made_ = 0;      // everything that was made, in elements
};

enum class Form {
  plain,
  predicate,           // list, predicate
  optional_predicate,  // list, and a predicate or none
  predicate_and_more,  // list, predicate, and one more or none
};

/// What a function does with the elements it looks at.
enum class Over { nothing, decide, filter, map, count, find, sum, group, sort, reduce };

struct Builtin {
  std::string_view name;
  Form form = Form::plain;
  /// The type of what it gives, or false and why not. Null: not supported (plain), or the
  /// checker's own affair (predicates).
  bool (*check)(std::span<const Type> arguments, Type& result, std::string& why) = nullptr;
  bool (*run)(Workspace& space, std::span<Datum> arguments, Datum& out) = nullptr;
  Over kind = Over::nothing;  // of one with a predicate
};

/// Null: there is none of that name.
const Builtin* find_builtin(std::string_view name);

/// A value's method: `duration("90s").Minutes()`.
struct Method {
  Kind of;
  std::string_view name;
  Kind result;
  std::optional<Kind> argument = std::nullopt;
  Datum (*run)(const Datum& self, const Datum& argument) = nullptr;
};
const Method* find_method(Kind of, std::string_view name);

/// object[key]: a failure where there is no such element; `get` gives nil instead.
bool fetch(Workspace& space, const Datum& object, const Datum& key, Datum& out);

/// The kind of a value that has methods; unknown for all others.
Kind kind_with_methods(const Datum& datum);

std::string_view type_name(const Type& type);

}  // namespace headroom::formula
