#include "formula/optimiser.h"

#include <algorithm>

#include "formula/builtins.h"
#include "formula/go_number.h"
#include "formula/operators.h"

namespace headroom::formula {
namespace {

bool is_number(const Node& node) {
  return node.kind == NodeKind::integer || node.kind == NodeKind::number;
}
bool is_literal(const Node* node) {
  return is_number(*node) || node->kind == NodeKind::text || node->kind == NodeKind::boolean;
}
const std::int64_t* literal_integer(const Node& node) {
  return node.kind == NodeKind::integer ? std::get_if<std::int64_t>(&node.value) : nullptr;
}
bool is_pointer(const Node& node, std::string_view name) {
  return node.kind == NodeKind::pointer && node.name == name;
}
/// What a call of one argument is about; null: it is another.
const Node* only_argument(const Node& node, std::string_view name) {
  return is_builtin(node, name) && node.children.size() == 1 ? node.children[0] : nullptr;
}

class Optimiser {
 public:
  explicit Optimiser(Tree& tree) : tree_(tree) {}

  std::optional<Trouble> run() {
    pass(&Optimiser::fold);
    pass(&Optimiser::in_range);
    pass(&Optimiser::filter_len);
    pass(&Optimiser::filter_last);
    pass(&Optimiser::filter_first);
    pass(&Optimiser::sum_range);
    pass(&Optimiser::sum_list);
    pass(&Optimiser::sum_map);
    pass(&Optimiser::count_any);
    pass(&Optimiser::count_threshold);
    return trouble_;
  }

 private:
  using Visit = void (Optimiser::*)(Node*& node);

  void pass(Visit visit) {
    ++pass_;
    walk(tree_.root, visit);
  }

  /// Children first. A node that hangs twice is visited once, and replaced twice.
  void walk(Node*& slot, Visit visit) {
    if (slot == nullptr) return;
    if (slot->pass == pass_) {
      if (slot->replacement != nullptr) slot = slot->replacement;
      return;
    }
    Node* const original = slot;
    original->pass = pass_;
    original->replacement = nullptr;
    for (Node*& child : original->children) walk(child, visit);
    (this->*visit)(slot);
    if (slot != original) {
      slot->pass = pass_;
      original->replacement = slot;
    }
  }

  Node* make(const Node& in_place_of, NodeKind kind, std::vector<Node*> children = {}) {
    Node& node = tree_.nodes.emplace_back();
    node.kind = kind;
    node.at = in_place_of.at;
    node.type = in_place_of.type;
    node.depth = in_place_of.depth;
    node.children = std::move(children);
    return &node;
  }
  Node* make_call(const Node& in_place_of, std::string_view name, std::vector<Node*> children) {
    Node* node = make(in_place_of, NodeKind::builtin, std::move(children));
    node->name = name;
    node->builtin = find_builtin(name);
    return node;
  }
  Node* make_op(const Node& in_place_of, Op op, Node* left, Node* right) {
    Node* node = make(in_place_of, NodeKind::binary, {left, right});
    node->op = op;
    node->type = {};
    return node;
  }
  void put_literal(Node*& slot, Datum value) {
    NodeKind kind = NodeKind::integer;
    Kind type = Kind::integer;
    if (std::holds_alternative<double>(value)) {
      kind = NodeKind::number;
      type = Kind::number;
    } else if (std::holds_alternative<bool>(value)) {
      kind = NodeKind::boolean;
      type = Kind::boolean;
    }
    Node* node = make(*slot, kind);
    node->type = {type};
    node->value = std::move(value);
    slot = node;
  }
  void put_typed(Node*& slot, Node* node) {
    node->type = slot->type;
    slot = node;
  }

  Node* constant(const Node& list) {
    std::vector<Datum> items;
    for (const Node* item : list.children) items.push_back(item->value);
    Node* node = make(list, NodeKind::constant);
    node->type = {Kind::list};
    node->value = std::make_shared<const List>(std::move(items));
    return node;
  }

  /// Operators on literals, and lists of them.
  void fold(Node*& slot) {
    if (slot->kind == NodeKind::unary) {
      fold_unary(slot);
    } else if (slot->kind == NodeKind::binary) {
      fold_binary(slot);
    } else if (slot->kind == NodeKind::list && !slot->children.empty() &&
               std::ranges::all_of(slot->children, is_literal)) {
      slot = constant(*slot);
    }
  }

  void fold_unary(Node*& slot) {
    const Node& operand = *slot->children[0];
    if (operand.kind == NodeKind::boolean) {
      put_literal(slot, !std::get<bool>(operand.value));
    } else if (is_number(operand)) {
      Datum result = operand.value;
      std::string why;
      if (slot->op == Op::negate) negate(operand.value, result, why);
      put_literal(slot, std::move(result));
    }
  }

  void fold_binary(Node*& slot) {
    const Node& left = *slot->children[0];
    const Node& right = *slot->children[1];
    if (slot->op == Op::logical_and || slot->op == Op::logical_or) return fold_logical(slot);
    if (slot->op == Op::equal) {
      const bool literals = left.kind == NodeKind::integer || left.kind == NodeKind::text ||
                            left.kind == NodeKind::boolean;
      if (literals && left.kind == right.kind) put_literal(slot, equal(left.value, right.value));
      return;
    }
    const bool arithmetic = slot->op >= Op::add && slot->op <= Op::power;
    if (!arithmetic || !is_number(left) || !is_number(right)) return;
    Datum result;
    std::string why;
    if (calculate(slot->op, left.value, right.value, result, why)) {
      put_literal(slot, std::move(result));
    } else if (!trouble_) {  // by zero
      trouble_ = Trouble{slot->at, why};
    }
  }

  /// true and x is x, false and x is false, on whichever side; and so for or.
  void fold_logical(Node*& slot) {
    const bool neutral = slot->op == Op::logical_and;
    for (const std::size_t side : {0, 1}) {
      const Node& literal = *slot->children[side];
      if (literal.kind != NodeKind::boolean) continue;
      if (std::get<bool>(literal.value) == neutral)
        return put_typed(slot, slot->children[1 - side]);
      return put_literal(slot, !neutral);
    }
  }

  /// x in 1..9 with an integer x is x >= 1 and x <= 9.
  void in_range(Node*& slot) {
    if (slot->kind != NodeKind::binary || slot->op != Op::in) return;
    Node* const left = slot->children[0];
    const Node& range = *slot->children[1];
    if (left->type.kind != Kind::integer || range.kind != NodeKind::binary ||
        range.op != Op::range || literal_integer(*range.children[0]) == nullptr ||
        literal_integer(*range.children[1]) == nullptr) {
      return;
    }
    const Type type = slot->type;
    slot = make_op(*slot, Op::logical_and, make_op(*slot, Op::at_least, left, range.children[0]),
                   make_op(*slot, Op::at_most, left, range.children[1]));
    slot->type = type;
  }

  void filter_len(Node*& slot) {
    const Node* filter = only_argument(*slot, "len");
    if (filter == nullptr || !is_builtin(*filter, "filter")) return;
    slot = make_call(*slot, "count", filter->children);
  }

  /// filter(…)[0] and first(filter(…)); from the other end with -1 and last.
  void filter_end(Node*& slot, std::int64_t index, std::string_view end) {
    const bool member = slot->kind == NodeKind::member;
    if (member) {
      const auto* key = literal_integer(*slot->children[1]);
      if (key == nullptr || *key != index) return;
    } else if (only_argument(*slot, end) == nullptr) {
      return;
    }
    const Node& filter = *slot->children[0];
    if (!is_builtin(filter, "filter")) return;
    slot = make_call(*slot, "find", filter.children);
    slot->throws = member;
    slot->from_end = index < 0;
  }
  void filter_last(Node*& slot) { filter_end(slot, -1, "last"); }
  void filter_first(Node*& slot) { filter_end(slot, 0, "first"); }

  struct Range {
    std::int64_t count, sum;
  };
  static std::optional<Range> literal_range(const Node& node) {
    if (node.kind != NodeKind::binary || node.op != Op::range) return std::nullopt;
    const auto* from = literal_integer(*node.children[0]);
    const auto* to = literal_integer(*node.children[1]);
    if (from == nullptr || to == nullptr || *to < *from) return std::nullopt;
    const std::int64_t count = wrapping_add(wrapping_subtract(*to, *from), 1);
    return Range{count, wrapping_multiply(count, wrapping_add(*from, *to)) / 2};
  }

  /// sum(1..9), and reduce(1..9, #acc + #) with a whole number to begin with or none.
  void sum_range(Node*& slot) {
    if (const Node* list = only_argument(*slot, "sum")) {
      if (const auto range = literal_range(*list)) put_literal(slot, range->sum);
      return;
    }
    if (!is_builtin(*slot, "reduce")) return;
    const auto range = literal_range(*slot->children[0]);
    const Node& body = *slot->children[1]->children[0];
    if (!range || body.kind != NodeKind::binary || body.op != Op::add) return;
    const Node& left = *body.children[0];
    const Node& right = *body.children[1];
    if (!(is_pointer(left, "") && is_pointer(right, "acc")) &&
        !(is_pointer(left, "acc") && is_pointer(right, ""))) {
      return;
    }
    constexpr std::int64_t kNone = 0;
    const auto* first = slot->children.size() == 3 ? literal_integer(*slot->children[2]) : &kNone;
    if (first != nullptr) put_literal(slot, wrapping_add(*first, range->sum));
  }

  void sum_list(Node*& slot) {
    const Node* list = only_argument(*slot, "sum");
    if (list == nullptr || list->kind != NodeKind::list || list->children.size() < 2) return;
    slot = make(*slot, NodeKind::sum_of_list, list->children);
  }

  void sum_map(Node*& slot) {
    const Node* map = only_argument(*slot, "sum");
    if (map == nullptr || !is_builtin(*map, "map")) return;
    slot = make_call(*slot, "sum", map->children);
  }

  const Node* counted(const Node& node, std::int64_t& limit) {
    if (node.kind != NodeKind::binary) return nullptr;
    const Node& count = *node.children[0];
    const auto* literal = literal_integer(*node.children[1]);
    if (!is_builtin(count, "count") || count.children.size() != 2 || literal == nullptr) {
      return nullptr;
    }
    limit = *literal;
    return &count;
  }

  void count_any(Node*& slot) {
    std::int64_t limit = 0;
    const Node* count = counted(*slot, limit);
    if (count == nullptr) return;
    if ((slot->op == Op::more && limit == 0) || (slot->op == Op::at_least && limit == 1)) {
      slot = make_call(*slot, "any", count->children);
    }
  }

  /// Where a count is compared with n it stops at what decides it.
  void count_threshold(Node*& slot) {
    std::int64_t limit = 0;
    if (counted(*slot, limit) == nullptr || limit <= 0) return;
    const bool beyond = slot->op == Op::more || slot->op == Op::at_most;
    const bool at = slot->op == Op::at_least || slot->op == Op::less;
    if (beyond || (at && limit > 1)) {
      slot->children[0]->threshold = wrapping_add(limit, beyond ? 1 : 0);
    }
  }

  Tree& tree_;
  int pass_ = 0;
  std::optional<Trouble> trouble_;
};

}  // namespace

std::optional<Trouble> optimise(Tree& tree) { return Optimiser(tree).run(); }

}  // namespace headroom::formula
