#include "policy/merge_keys.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>

namespace headroom::policy {
namespace {

bool is_merge_key(const Node& name) { return !name.quoted && name.text == "<<"; }

/// Whether it can be merged: a map, or a list of maps.
bool can_merge(const Node& value) {
  const auto is_map = [](const Node* node) { return node->kind == Node::Kind::map; };
  return is_map(&value) ||
         (value.kind == Node::Kind::sequence && std::ranges::all_of(value.items, is_map));
}

/// Adds the fields that are not there yet; `names` are those that are.
void take_over(const Node& from, Node& to, std::unordered_set<std::string_view>& names) {
  for (std::size_t i = 0; i + 1 < from.items.size(); i += 2) {
    if (!names.insert(from.items[i]->text).second) continue;
    to.items.push_back(from.items[i]);
    to.items.push_back(from.items[i + 1]);
  }
}

}  // namespace

const Node& MergeKeys::follow(const Node& node) {
  if (node.kind != Node::Kind::sequence && node.kind != Node::Kind::map) return node;
  if (const auto known = known_.find(&node); known != known_.end()) return *known->second;
  Node copy = node;
  copy.items.clear();
  bool changed = false;
  std::vector<const Node*> merged;
  const bool is_map = node.kind == Node::Kind::map;
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const Node& item = follow(*node.items[i]);
    const bool is_value = is_map && i % 2 == 1;
    if (is_value && is_merge_key(*node.items[i - 1]) && can_merge(item)) {
      copy.items.pop_back();  // the key
      merged.push_back(&item);
      changed = true;
      continue;
    }
    copy.items.push_back(&item);
    changed = changed || &item != node.items[i];
  }
  std::unordered_set<std::string_view> names;
  for (std::size_t i = 0; !merged.empty() && i < copy.items.size(); i += 2) {
    names.insert(copy.items[i]->text);
  }
  for (const Node* from : merged) {
    if (from->kind == Node::Kind::map) {
      take_over(*from, copy, names);
    } else {
      for (const Node* item : from->items) take_over(*item, copy, names);
    }
  }
  const Node& result = changed ? made_.emplace_back(std::move(copy)) : node;
  known_[&node] = &result;
  return result;
}

}  // namespace headroom::policy
