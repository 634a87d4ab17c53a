#include "formula/machine.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "formula/go_number.h"
#include "formula/moment.h"
#include "formula/operators.h"

namespace headroom::formula {

Machine::Machine(const Tree& tree, Workspace& space)
    : tree_(tree), space_(space), variables_(static_cast<std::size_t>(tree.variables)) {}

bool Machine::eval(const Node& node, Datum& out) {
  if (space_.spend(1) && dispatch(node, out)) return true;
  if (!failed_) at_ = node.at;  // the innermost comes first
  failed_ = true;
  return false;
}

/// An operand that is not the first. In upstream last(filter(…)) and filter(…)[-1] leave a bool on
/// the stack below what they give, which is then taken for the operand before: arithmetic fails
/// there, and so does everything here.
bool Machine::operand(const Node& node, Datum& out) {
  const bool before = std::exchange(left_over_, false);
  if (!eval(node, out)) return false;
  if (left_over_) {
    return fail(
        "last(filter(…)) and filter(…)[-1] work as the first operand only, as in KEDA: put it into "
        "a let");
  }
  left_over_ = before;
  return true;
}

bool Machine::operands(const Node& node, std::span<Datum> out) {
  if (out.empty()) return true;
  if (!eval(*node.children[0], out[0])) return false;
  for (std::size_t i = 1; i < out.size(); ++i) {
    if (!operand(*node.children[i], out[i])) return false;
  }
  return true;
}

bool Machine::fail_kind(const Datum& found, std::string_view expected) {
  return fail(fmt::format("found {}, expected {}", kind_name(found), expected));
}

bool Machine::dispatch(const Node& node, Datum& out) {
  switch (node.kind) {
    case NodeKind::nil:
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
    case NodeKind::member:
      return member(node, out);
    case NodeKind::slice:
      return slice(node, out);
    case NodeKind::method:
      return method(node, out);
    case NodeKind::builtin:
      return node.builtin->over == Over::nothing ? function(node, out) : over_list(node, out);
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
    default:
      return sum_of_list(node, out);
  }
}

bool Machine::name(const Node& node, Datum& out) {
  if (node.declared) {
    out = variables_[static_cast<std::size_t>(node.slot)];
  } else if (node.slot >= 0) {
    out = space_.variable(static_cast<std::size_t>(node.slot));
  } else {
    out = space_.function();  // upstream looks it up in the data
  }
  return true;
}

bool Machine::unary(const Node& node, Datum& out) {
  if (!eval(*node.children[0], out)) return false;
  if (node.op == Op::keep) return true;
  if (node.op == Op::negate) {
    const Datum operand = std::move(out);
    return negate(operand, out, space_.why);
  }
  const auto* flag = std::get_if<bool>(&out);
  if (flag == nullptr) return fail_kind(out, "a bool");
  out = !*flag;
  return true;
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
  std::array<Datum, 2> sides;
  return operands(node, sides) && apply(node, sides[0], sides[1], out);
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
    case Op::range:
      return range(left, right, out);
    case Op::in:
      return in(left, right, out);
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
    const std::string_view expected = kind == Kind::integer ? "an integer" : "a string";
    if (kind_name(left) != expected) return fail_kind(left, expected);
    if (kind_name(right) != expected) return fail_kind(right, expected);
  }
  const auto* list = std::get_if<ListRef>(&left);
  if (list != nullptr && !space_.spend(4 * (*list)->size())) return false;
  out = equal(left, right);
  return true;
}

bool Machine::range(const Datum& from, const Datum& to, Datum& out) {
  std::int64_t first = 0;
  std::int64_t last = 0;
  if (!as_integer(from, first)) return fail_kind(from, "an integer");
  if (!as_integer(to, last)) return fail_kind(to, "an integer");
  const std::int64_t size =
      std::max<std::int64_t>(wrapping_add(wrapping_subtract(last, first), 1), 0);
  out = std::make_shared<const List>(first, static_cast<std::size_t>(size));
  return space_.grow(static_cast<std::size_t>(size));
}

bool Machine::in(const Datum& needle, const Datum& hay, Datum& out) {
  out = false;
  if (is_nil(hay)) return true;
  const auto* list = std::get_if<ListRef>(&hay);
  if (list == nullptr) return fail_kind(hay, "a list");
  for (std::size_t i = 0; i < (*list)->size() && !std::get<bool>(out); ++i) {
    out = equal((*list)->at(i), needle);
  }
  return space_.spend(4 * (*list)->size());
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
    out = (*text)->find(**part) != std::string::npos;
  } else {
    out = node.regex->matches(**text);
  }
  return space_.spend((*text)->size() * (*part)->size() / 4);
}

bool Machine::member(const Node& node, Datum& out) {
  std::array<Datum, 2> parts;
  return operands(node, parts) && fetch(space_, parts[0], parts[1], out);
}

bool Machine::slice(const Node& node, Datum& out) {
  Datum object;
  if (!eval(*node.children[0], object)) return false;
  const auto* list = std::get_if<ListRef>(&object);
  if (list == nullptr) return fail_kind(object, "a list");
  const auto size = static_cast<std::int64_t>((*list)->size());
  const auto end = [&](const Node* given, std::int64_t& at) {
    if (given == nullptr) return true;
    Datum datum;
    if (!operand(*given, datum)) return false;
    if (!as_integer(datum, at)) return fail_kind(datum, "an integer");
    at = std::clamp<std::int64_t>(at < 0 ? wrapping_add(size, at) : at, 0, size);
    return true;
  };
  std::int64_t from = 0;
  std::int64_t to = size;
  if (!end(node.children[2], to) || !end(node.children[1], from)) return false;
  std::vector<Datum> items;
  for (; from < to; ++from) items.push_back((*list)->at(static_cast<std::size_t>(from)));
  return space_.make(std::move(items), out);
}

/// A value may still turn out to be nil.
bool Machine::method(const Node& node, Datum& out) {
  Datum object;
  if (!eval(*node.children[0], object)) return false;
  if (!is_of(object, node.method->of)) return fail_kind(object, type_name({node.method->of}));
  out = node.method->run(object);
  return true;
}

bool Machine::pointer(const Node& node, Datum& out) {
  if (node.name == "index") {
    out = static_cast<std::int64_t>(scope_.index);
  } else if (node.name == "acc") {
    out = scope_.acc;
  } else if (scope_.index < scope_.list->size()) {
    out = scope_.list->at(scope_.index);
  } else {  // what reduce begins with is evaluated beside its list, empty or not
    return fail("there is no element here");
  }
  return true;
}

bool Machine::declaration(const Node& node, Datum& out) {
  if (!eval(*node.children[0], out)) return false;
  variables_[static_cast<std::size_t>(node.slot)] = std::move(out);
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
  return operands(node, items) && space_.make(std::move(items), out);
}

bool Machine::sum_of_list(const Node& node, Datum& out) {
  std::vector<Datum> items(node.children.size());
  if (!operands(node, items)) return false;
  out = std::move(items.back());
  for (std::size_t i = items.size() - 1; i-- > 0;) {
    const Datum right = std::move(out);
    if (!calculate(Op::add, items[i], right, out, space_.why)) return false;
  }
  return true;
}

bool Machine::function(const Node& node, Datum& out) {
  constexpr std::size_t kFew = 4;  // arguments that need no allocation
  const std::size_t size = node.children.size();
  std::array<Datum, kFew> few;
  std::vector<Datum> many(size > kFew ? size : 0);
  const std::span<Datum> arguments = size > kFew ? many : std::span<Datum>(few).first(size);
  if (!operands(node, arguments)) return false;
  std::size_t cost = 0;
  for (const Datum& argument : arguments) {
    const auto* list = std::get_if<ListRef>(&argument);
    if (list != nullptr) cost += (*list)->size() * node.builtin->cost;
  }
  return space_.spend(cost) && node.builtin->run(space_, arguments, out);
}

}  // namespace headroom::formula
