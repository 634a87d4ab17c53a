#include <fmt/format.h>

#include "formula/machine.h"
#include "formula/operators.h"

/// The functions that look at each element of a list.
namespace headroom::formula {

bool Machine::over_list(const Node& node, Datum& out) {
  Datum items;
  if (!eval(*node.children[0], items)) return false;
  const auto* list = std::get_if<ListRef>(&items);
  if (list == nullptr) return fail_kind(items, "a list");
  Scope outer = std::move(scope_);
  scope_ = Scope{list->get(), 0, Nil{}};
  const bool fine = over_items(node, out);
  scope_ = std::move(outer);
  return fine;
}

bool Machine::over_items(const Node& node, Datum& out) {
  switch (node.builtin->over) {
    case Over::decide:
      return decide(node, out);
    case Over::filter:
      return filter(node, out);
    case Over::map:
      return map_items(node, out);
    case Over::count:
      return count(node, out);
    case Over::find:
      return find(node, out);
    case Over::sum:
      return sum(node, out);
    default:
      return reduce(node, out);
  }
}

/// What the predicate gives, or the element itself where there is none.
bool Machine::item(const Node& node, Datum& out) {
  if (node.children.size() > 1) return eval(*node.children[1], out);
  out = scope_.list->at(scope_.index);
  return space_.spend(4);
}

bool Machine::truth(const Node& node, bool& out) {
  Datum result;
  if (!item(node, result)) return false;
  const auto* flag = std::get_if<bool>(&result);
  if (flag == nullptr) {
    return fail(fmt::format("the predicate gives {}, expected a bool", kind_name(result)));
  }
  out = *flag;
  return true;
}

/// all, any, none, one.
bool Machine::decide(const Node& node, Datum& out) {
  const bool ends_on = node.name != "all";  // what ends the loop early, but for one
  const bool one = node.name == "one";
  std::size_t hits = 0;
  for (; scope_.index < scope_.list->size() && (one || hits == 0); ++scope_.index) {
    bool hit = false;
    if (!truth(node, hit)) return false;
    if (hit == ends_on) ++hits;
  }
  out = one ? hits == 1 : (hits > 0) == (node.name == "any");
  return true;
}

bool Machine::count(const Node& node, Datum& out) {
  std::int64_t hits = 0;
  for (; scope_.index < scope_.list->size(); ++scope_.index) {
    bool hit = false;
    if (!truth(node, hit)) return false;
    if (hit && ++hits == node.threshold) break;
  }
  out = hits;
  return true;
}

bool Machine::filter(const Node& node, Datum& out) {
  std::vector<Datum> items;
  for (; scope_.index < scope_.list->size(); ++scope_.index) {
    bool hit = false;
    if (!truth(node, hit)) return false;
    if (hit) items.push_back(scope_.list->at(scope_.index));
  }
  return space_.make(std::move(items), out);
}

bool Machine::map_items(const Node& node, Datum& out) {
  std::vector<Datum> items(scope_.list->size());
  for (; scope_.index < items.size(); ++scope_.index) {
    if (!operand(*node.children[1], items[scope_.index])) return false;
  }
  return space_.make(std::move(items), out);
}

/// The first element, or the last one, that the predicate holds for.
bool Machine::find(const Node& node, Datum& out) {
  const std::size_t size = scope_.list->size();
  if (node.from_end) left_over_ = true;
  for (std::size_t i = 0; i < size; ++i) {
    scope_.index = node.from_end ? size - 1 - i : i;
    bool hit = false;
    if (!truth(node, hit)) return false;
    if (!hit) continue;
    out = scope_.list->at(scope_.index);
    return true;
  }
  if (node.throws) return fail("no element is left");
  out = Nil{};
  return true;
}

bool Machine::sum(const Node& node, Datum& out) {
  Datum sum = std::int64_t{0};
  for (; scope_.index < scope_.list->size(); ++scope_.index) {
    Datum next;
    if (!item(node, next)) return false;
    const Datum before = std::move(sum);
    if (!calculate(Op::add, next, before, sum, space_.why)) return false;
  }
  out = std::move(sum);
  return true;
}

bool Machine::reduce(const Node& node, Datum& out) {
  Datum acc;
  if (node.children.size() > 2) {
    if (!eval(*node.children[2], acc)) return false;
  } else {
    if (scope_.list->size() == 0) return fail("nothing to reduce, and no initial value");
    acc = scope_.list->at(0);
    scope_.index = 1;
  }
  scope_.acc = std::move(acc);
  for (; scope_.index < scope_.list->size(); ++scope_.index) {
    Datum next;
    if (!eval(*node.children[1], next)) return false;
    scope_.acc = std::move(next);
  }
  out = std::move(scope_.acc);
  return true;
}

}  // namespace headroom::formula
