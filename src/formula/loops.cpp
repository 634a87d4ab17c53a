#include <algorithm>

#include <fmt/format.h>

#include "formula/aggregate.h"
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
  switch (node.builtin->kind) {
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
    case Over::group:
      return group_by(node, out);
    case Over::sort:
      return sort_by(node, out);
    case Over::reduce:
      return reduce(node, out);
    case Over::nothing:
      break;
  }
  return fail("not supported");
}

/// Whether the predicate, or the element itself where there is none, is true.
bool Machine::truth(const Node& node, bool& out) {
  Datum result;
  if (node.children.size() > 1) {
    if (!eval(*node.children[1], result)) return false;
  } else {
    if (!space_.spend(1)) return false;
    result = scope_.list->at(scope_.index);
  }
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
  for (; scope_.index < scope_.list->size(); ++scope_.index) {
    bool hit = false;
    if (!truth(node, hit)) return false;
    if (hit == ends_on) {
      ++hits;
      if (!one) break;
    }
  }
  out = one ? hits == 1 : (hits > 0) == (node.name == "any");
  return true;
}

bool Machine::count(const Node& node, Datum& out) {
  std::int64_t hits = 0;
  for (; scope_.index < scope_.list->size(); ++scope_.index) {
    bool hit = false;
    if (!truth(node, hit)) return false;
    if (hit) ++hits;
    if (hit && hits == node.threshold) break;
  }
  out = hits;
  return true;
}

bool Machine::filter(const Node& node, Datum& out) {
  std::vector<Datum> items;
  for (; scope_.index < scope_.list->size(); ++scope_.index) {
    bool hit = false;
    if (!truth(node, hit)) return false;
    if (!hit) continue;
    Datum item = scope_.list->at(scope_.index);
    if (node.mapped != nullptr && !eval(*node.mapped, item)) return false;
    items.push_back(std::move(item));
  }
  return space_.grow(items.size()) && space_.make(std::move(items), out);
}

bool Machine::map_items(const Node& node, Datum& out) {
  std::vector<Datum> items;
  for (; scope_.index < scope_.list->size(); ++scope_.index) {
    Datum item;
    if (!eval(*node.children[1], item)) return false;
    items.push_back(std::move(item));
  }
  return space_.grow(items.size()) && space_.make(std::move(items), out);
}

/// find, findIndex and, from the other end, findLast, findLastIndex.
bool Machine::find(const Node& node, Datum& out) {
  const bool last = node.name.starts_with("findLast");
  const bool index = node.name.ends_with("Index");
  const std::size_t size = scope_.list->size();
  for (std::size_t i = 0; i < size; ++i) {
    scope_.index = last ? size - 1 - i : i;
    bool hit = false;
    if (!truth(node, hit)) return false;
    if (!hit) continue;
    if (node.mapped != nullptr) return eval(*node.mapped, out);
    if (index) {
      out = static_cast<std::int64_t>(scope_.index);
    } else {
      out = scope_.list->at(scope_.index);
    }
    return true;
  }
  if (node.throws) return fail("no element is left");
  out = Nil{};
  return true;
}

bool Machine::sum(const Node& node, Datum& out) {
  Datum sum = std::int64_t{0};
  for (; scope_.index < scope_.list->size(); ++scope_.index) {
    Datum item;
    if (node.children.size() > 1) {
      if (!eval(*node.children[1], item)) return false;
    } else {
      if (!space_.spend(1)) return false;
      item = scope_.list->at(scope_.index);
    }
    const Datum before = std::move(sum);
    if (!add(item, before, sum)) return false;
  }
  out = std::move(sum);
  return true;
}

bool Machine::group_by(const Node& node, Datum& out) {
  std::vector<std::pair<Datum, std::vector<Datum>>> groups;
  for (; scope_.index < scope_.list->size(); ++scope_.index) {
    Datum key;
    if (!eval(*node.children[1], key)) return false;
    if (std::holds_alternative<ListRef>(key) || std::holds_alternative<MapRef>(key) ||
        std::holds_alternative<Environment>(key)) {
      return fail_kind(key, "a key to group by");
    }
    if (!space_.spend(groups.size())) return false;
    auto group = std::ranges::find_if(
        groups, [&](const auto& one) { return same(one.first, key, space_.effort()); });
    if (group == groups.end()) group = groups.insert(groups.end(), {std::move(key), {}});
    group->second.push_back(scope_.list->at(scope_.index));
  }
  std::vector<std::pair<Datum, Datum>> entries;
  for (auto& [key, items] : groups) {
    Datum group;
    if (!space_.make(std::move(items), group)) return false;
    entries.emplace_back(std::move(key), std::move(group));
  }
  return space_.make_map(std::move(entries), false, out);
}

bool Machine::sort_by(const Node& node, Datum& out) {
  bool descending = false;
  if (node.children.size() > 2) {
    Datum order;
    if (!eval(*node.children[2], order) || !aggregate::read_order(space_, order, descending)) {
      return false;
    }
  }
  std::vector<Datum> items;
  std::vector<Datum> keys;
  for (; scope_.index < scope_.list->size(); ++scope_.index) {
    Datum key;
    if (!eval(*node.children[1], key)) return false;
    keys.push_back(std::move(key));
    items.push_back(scope_.list->at(scope_.index));
  }
  return aggregate::sort_by(space_, items, keys, descending) && space_.grow(items.size()) &&
         space_.make(std::move(items), out);
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
