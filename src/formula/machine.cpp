#include "formula/machine.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "formula/go_number.h"
#include "formula/operators.h"
#include "formula/texts.h"

namespace headroom::formula {

Machine::Machine(const Tree& tree, Workspace& space) : tree_(tree), space_(space) {
  const auto variables = static_cast<std::size_t>(tree.variables);
  if (variables > kNear) far_.resize(variables - kNear);
}

Datum& Machine::variable(int slot) {
  const auto index = static_cast<std::size_t>(slot);
  return index < kNear ? near_[index] : far_[index - kNear];
}

bool Machine::eval(const Node& node, Datum& out) {
  if (space_.spend(1) && dispatch(node, out)) return true;
  if (!failed_) at_ = node.at;  // the innermost comes first
  failed_ = true;
  return false;
}

bool Machine::fail_kind(const Datum& found, std::string_view expected) {
  return fail(fmt::format("found {}, expected {}", kind_name(found), expected));
}

bool Machine::dispatch(const Node& node, Datum& out) {
  switch (node.kind) {
    case NodeKind::nil:
      out = Nil{};
      return true;
    case NodeKind::boolean:
    case NodeKind::integer:
    case NodeKind::number:
    case NodeKind::text:
    case NodeKind::constant:
      out = node.value;
      return true;
    case NodeKind::name:
      return name(node, out);
    case NodeKind::unary:
      return unary(node, out);
    case NodeKind::binary:
      return binary(node, out);
    case NodeKind::chain:
      if (!eval(*node.children[0], out)) return false;
      cut_ = false;
      return true;
    case NodeKind::member:
      return member(node, out);
    case NodeKind::slice:
      return slice(node, out);
    case NodeKind::call:
      return call(node, out);
    case NodeKind::builtin:
      return node.builtin->form == Form::plain ? function(node, out) : over_list(node, out);
    case NodeKind::predicate:
      return eval(*node.children[0], out);
    case NodeKind::pointer:
      return pointer(node, out);
    case NodeKind::declaration:
      return declaration(node, out);
    case NodeKind::sequence:
      return std::ranges::all_of(node.children, [&](const Node* n) { return eval(*n, out); });
    case NodeKind::conditional:
      return conditional(node, out);
    case NodeKind::list:
      return list(node, out);
    case NodeKind::map:
      return map(node, out);
    case NodeKind::sum_of_list:
      return sum_of_list(node, out);
  }
  return false;
}

bool Machine::name(const Node& node, Datum& out) {
  if (node.declared) {
    out = variable(node.slot);
  } else if (node.slot >= 0) {
    out = space_.variable(static_cast<std::size_t>(node.slot));
  } else if (node.name == "$env") {
    out = Environment{};
  } else {
    out = space_.missing();  // a function's name as a value: upstream looks it up in the data
  }
  return true;
}

bool Machine::unary(const Node& node, Datum& out) {
  if (!eval(*node.children[0], out)) return false;
  if (node.op == Op::keep) return true;
  if (node.op == Op::logical_not) {
    const auto* flag = std::get_if<bool>(&out);
    if (flag == nullptr) return fail_kind(out, "a bool");
    out = !*flag;
    return true;
  }
  const Datum operand = std::move(out);
  return calculate(node.op, operand, operand, out, space_.why);
}

bool Machine::logical(const Node& node, Datum& out) {
  if (!eval(*node.children[0], out)) return false;
  if (node.op == Op::coalesce) return !is_nil(out) || eval(*node.children[1], out);
  const auto* flag = std::get_if<bool>(&out);
  if (flag == nullptr) return fail_kind(out, "a bool");
  if (*flag == (node.op == Op::logical_or)) return true;
  return eval(*node.children[1], out);
}

bool Machine::binary(const Node& node, Datum& out) {
  if (node.op == Op::logical_and || node.op == Op::logical_or || node.op == Op::coalesce) {
    return logical(node, out);
  }
  Datum left;
  Datum right;
  return eval(*node.children[0], left) && eval(*node.children[1], right) &&
         apply(node, left, right, out);
}

bool Machine::apply(const Node& node, const Datum& left, const Datum& right, Datum& out) {
  switch (node.op) {
    case Op::equal:
    case Op::unequal: {
      bool result = false;
      if (!equality(node, left, right, result)) return false;
      out = result == (node.op == Op::equal);
      return true;
    }
    case Op::less:
    case Op::more:
    case Op::at_most:
    case Op::at_least: {
      bool result = false;
      if (!compare(node.op, left, right, result)) {
        return fail(fmt::format("cannot compare {} with {}", kind_name(left), kind_name(right)));
      }
      out = result;
      return true;
    }
    case Op::add:
      return add(left, right, out);
    case Op::range:
      return range(left, right, out);
    case Op::in:
      return in(node, left, right, out);
    case Op::matches:
    case Op::contains:
    case Op::starts_with:
    case Op::ends_with:
      return on_texts(node, left, right, out);
    default:
      return calculate(node.op, left, right, out, space_.why);
  }
}

bool Machine::equality(const Node& node, const Datum& left, const Datum& right, bool& out) {
  const Kind kind = node.children[0]->type.kind;
  // Where both sides are integers (or strings) by their types, upstream takes them for such
  // without looking, and fails where one is not: find([1], # > 5) == 1.
  if (kind == node.children[1]->type.kind && (kind == Kind::integer || kind == Kind::text)) {
    const auto fits = [&](const Datum& datum) {
      return kind == Kind::integer ? std::holds_alternative<std::int64_t>(datum)
                                   : std::holds_alternative<Text>(datum);
    };
    const std::string_view expected = kind == Kind::integer ? "an integer" : "a string";
    if (!fits(left)) return fail_kind(left, expected);
    if (!fits(right)) return fail_kind(right, expected);
  }
  out = equal(left, right, space_.effort());
  return space_.spend(0);
}

bool Machine::add(const Datum& left, const Datum& right, Datum& out) {
  const auto* a = std::get_if<Text>(&left);
  const auto* b = std::get_if<Text>(&right);
  if (a != nullptr && b != nullptr) {
    return space_.spend(((*a)->size() + (*b)->size()) / 16) && space_.make(**a + **b, out);
  }
  return calculate(Op::add, left, right, out, space_.why);
}

bool Machine::range(const Datum& from, const Datum& to, Datum& out) {
  std::int64_t first = 0;
  std::int64_t last = 0;
  if (!as_integer(from, first)) return fail_kind(from, "an integer");
  if (!as_integer(to, last)) return fail_kind(to, "an integer");
  const std::int64_t size =
      std::max<std::int64_t>(wrapping_add(wrapping_subtract(last, first), 1), 0);
  if (!space_.grow(static_cast<std::size_t>(size))) return false;
  out = std::make_shared<const List>(first, static_cast<std::size_t>(size));
  return true;
}

bool Machine::in(const Node& node, const Datum& needle, const Datum& hay, Datum& out) {
  out = false;
  if (const auto* list = std::get_if<ListRef>(&hay)) {
    Datum wanted = needle;
    if (node.strict) {  // a set of keys of one kind, in which nil is its zero
      const Datum first = (*list)->at(0);
      if (is_nil(wanted)) {
        wanted = std::holds_alternative<Text>(first) ? make_text("") : Datum(std::int64_t{0});
      }
      if (wanted.index() != first.index()) return fail_kind(wanted, kind_name(first));
    }
    for (std::size_t i = 0; i < (*list)->size(); ++i) {
      if (!space_.spend(1)) return false;
      if (equal((*list)->at(i), wanted, space_.effort())) {
        out = true;
        break;
      }
    }
    return space_.spend(0);
  }
  if (const auto* map = std::get_if<MapRef>(&hay)) {
    if ((*map)->text_keys() && !std::holds_alternative<Text>(needle) && !is_nil(needle)) {
      return fail_kind(needle, "a string");
    }
    const Datum wanted = (*map)->text_keys() && is_nil(needle) ? make_text("") : needle;
    for (const auto& [key, value] : (*map)->entries()) {
      if (!space_.spend(1)) return false;
      if (same(key, wanted, space_.effort())) out = true;
    }
    return true;
  }
  if (std::holds_alternative<Environment>(hay)) {
    const auto* wanted = std::get_if<Text>(&needle);
    if (wanted == nullptr && !is_nil(needle)) return fail_kind(needle, "a name");
    out = wanted != nullptr && space_.variable(**wanted).has_value();
    return true;
  }
  return is_nil(hay) || fail_kind(hay, "a list or a map");
}

bool Machine::on_texts(const Node& node, const Datum& left, const Datum& right, Datum& out) {
  if (is_nil(left) || is_nil(right)) {
    out = false;
    return true;
  }
  const auto* text = std::get_if<Text>(&left);
  const auto* part = std::get_if<Text>(&right);
  if (text == nullptr) return fail_kind(left, "a string");
  if (part == nullptr) return fail_kind(right, "a string");
  if (node.op == Op::starts_with) {
    out = (*text)->starts_with(**part);
  } else if (node.op == Op::ends_with) {
    out = (*text)->ends_with(**part);
  } else if (node.op == Op::contains) {
    out = texts::find(space_, **text, **part) != std::string::npos;
  } else if (node.regex != nullptr) {
    out = node.regex->matches(**text, space_.effort());
  } else {
    if (!space_.spend(100 + (*part)->size())) return false;
    const auto regex = Regex::compile(**part);
    if (!regex) return fail(regex.error().what);
    out = regex->matches(**text, space_.effort());
  }
  return space_.spend(((*text)->size() + (*part)->size()) / 16);
}

bool Machine::member(const Node& node, Datum& out) {
  Datum object;
  if (!eval(*node.children[0], object)) return false;
  if (cut_ || (node.optional && is_nil(object))) {
    cut_ = true;
    out = Nil{};
    return true;
  }
  Datum key;
  return eval(*node.children[1], key) && fetch(space_, object, key, out);
}

bool Machine::slice(const Node& node, Datum& out) {
  Datum object;
  if (!eval(*node.children[0], object)) return false;
  if (cut_) {
    out = Nil{};
    return true;
  }
  const auto* list = std::get_if<ListRef>(&object);
  const auto* text = std::get_if<Text>(&object);
  if (list == nullptr && text == nullptr) return fail_kind(object, "a list or a string");
  const auto size = static_cast<std::int64_t>(list != nullptr ? (*list)->size() : (*text)->size());
  Datum to = size;
  Datum from = std::int64_t{0};
  if (node.children[2] != nullptr && !eval(*node.children[2], to)) return false;
  if (node.children[1] != nullptr && !eval(*node.children[1], from)) return false;
  std::int64_t a = 0;
  std::int64_t b = 0;
  if (!as_integer(from, a)) return fail_kind(from, "an integer");
  if (!as_integer(to, b)) return fail_kind(to, "an integer");
  const auto inside = [&](std::int64_t i) {
    return std::clamp<std::int64_t>(i < 0 ? wrapping_add(size, i) : i, 0, size);
  };
  b = inside(b);
  a = std::min(inside(a), b);
  const auto first = static_cast<std::size_t>(a);
  const auto count = static_cast<std::size_t>(b - a);
  if (!space_.spend(count)) return false;
  if (text != nullptr) return space_.make((*text)->substr(first, count), out);
  std::vector<Datum> items;
  for (std::size_t i = 0; i < count; ++i) items.push_back((*list)->at(first + i));
  return space_.make(std::move(items), out);
}

/// Only methods can be called: the checker has seen to it, but for what a value turns out to be.
bool Machine::call(const Node& node, Datum& out) {
  std::vector<Datum> arguments(node.children.size() - 1);
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (!eval(*node.children[i + 1], arguments[i])) return false;
  }
  const Node& callee = *node.children[0];
  if (callee.kind != NodeKind::member) return fail("this is not a function");
  Datum object;
  if (!eval(*callee.children[0], object)) return false;
  if (cut_ || (callee.optional && is_nil(object))) {
    cut_ = true;
    out = Nil{};
    return true;
  }
  Datum key;
  if (!eval(*callee.children[1], key)) return false;
  const auto* name = std::get_if<Text>(&key);
  const Method* method = name == nullptr ? nullptr : find_method(kind_with_methods(object), **name);
  if (method == nullptr) return fail(fmt::format("{} has no such method", kind_name(object)));
  if (arguments.size() != (method->argument ? 1U : 0U)) {
    return fail(fmt::format("{}: found {} arguments", method->name, arguments.size()));
  }
  if (method->argument && kind_with_methods(arguments[0]) != *method->argument) {
    return fail_kind(arguments[0], type_name({*method->argument}));
  }
  out = method->run(object, arguments.empty() ? object : arguments[0]);
  return true;
}

bool Machine::pointer(const Node& node, Datum& out) {
  if (node.name == "index") {
    out = static_cast<std::int64_t>(scope_.index);
  } else if (node.name == "acc") {
    out = scope_.acc;
  } else if (scope_.list == nullptr || scope_.index >= scope_.list->size()) {
    return fail("there is no element here");
  } else {
    out = scope_.list->at(scope_.index);
  }
  return true;
}

bool Machine::declaration(const Node& node, Datum& out) {
  if (!eval(*node.children[0], out)) return false;
  variable(node.slot) = std::move(out);
  return eval(*node.children[1], out);
}

bool Machine::conditional(const Node& node, Datum& out) {
  if (!eval(*node.children[0], out)) return false;
  const auto* flag = std::get_if<bool>(&out);
  if (flag == nullptr) return fail_kind(out, "a bool");
  return eval(*node.children[*flag ? 1 : 2], out);
}

bool Machine::list(const Node& node, Datum& out) {
  std::vector<Datum> items(node.children.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!eval(*node.children[i], items[i])) return false;
  }
  return space_.grow(items.size()) && space_.make(std::move(items), out);
}

bool Machine::map(const Node& node, Datum& out) {
  std::vector<Datum> parts(node.children.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!eval(*node.children[i], parts[i])) return false;
  }
  if (!space_.grow(parts.size() / 2)) return false;
  std::vector<std::pair<Datum, Datum>> entries;
  for (std::size_t i = 0; i < parts.size(); i += 2) {
    if (!std::holds_alternative<Text>(parts[i])) return fail_kind(parts[i], "a string");
    if (!space_.spend(entries.size())) return false;
    const bool known = std::ranges::any_of(
        entries, [&](const auto& entry) { return same(entry.first, parts[i], space_.effort()); });
    if (!known) entries.emplace_back(parts[i], parts[i + 1]);  // upstream: the first one counts
  }
  return space_.make_map(std::move(entries), true, out);
}

bool Machine::sum_of_list(const Node& node, Datum& out) {
  std::vector<Datum> items(node.children.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!eval(*node.children[i], items[i])) return false;
  }
  out = std::move(items.back());
  for (std::size_t i = items.size() - 1; i-- > 0;) {
    const Datum right = std::move(out);
    if (!add(items[i], right, out)) return false;
  }
  return true;
}

bool Machine::function(const Node& node, Datum& out) {
  constexpr std::size_t kFew = 4;  // arguments that need no allocation
  const std::size_t size = node.children.size();
  std::array<Datum, kFew> few;
  std::vector<Datum> many;
  if (size > kFew) many.resize(size);
  const std::span<Datum> arguments =
      size > kFew ? std::span<Datum>(many) : std::span<Datum>(few).first(size);
  for (std::size_t i = 0; i < size; ++i) {
    if (!eval(*node.children[i], arguments[i])) return false;
  }
  return node.builtin->run(space_, arguments, out);
}

}  // namespace headroom::formula
