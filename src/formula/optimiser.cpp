#include "formula/optimiser.h"

#include <algorithm>

#include "formula/builtins.h"
#include "formula/go_number.h"
#include "formula/operators.h"

namespace headroom::formula {
namespace {

bool is_literal(const Node& node) {
  return node.kind == NodeKind::integer || node.kind == NodeKind::number ||
         node.kind == NodeKind::text || node.kind == NodeKind::boolean;
}
bool is_number(const Node& node) {
  return node.kind == NodeKind::integer || node.kind == NodeKind::number;
}
const std::int64_t* literal_integer(const Node& node) {
  return node.kind == NodeKind::integer ? std::get_if<std::int64_t>(&node.value) : nullptr;
}
bool is_bool(const Node& node, bool value) {
  return node.kind == NodeKind::boolean && std::get<bool>(node.value) == value;
}

class Optimiser {
 public:
  explicit Optimiser(Tree& tree) : tree_(tree) {}

  std::optional<Trouble> run() {
    pass(&Optimiser::in_list);
    constexpr int kMostFolds = 1000;
    for (int i = 0; i < kMostFolds; ++i) {
      folded_ = false;
      pass(&Optimiser::fold);
      if (trouble_) return trouble_;
      if (!folded_) break;
    }
    pass(&Optimiser::in_range);
    pass(&Optimiser::filter_map);
    pass(&Optimiser::filter_len);
    pass(&Optimiser::filter_last);
    pass(&Optimiser::filter_first);
    pass(&Optimiser::combine_predicates);
    pass(&Optimiser::sum_range);
    pass(&Optimiser::sum_list);
    pass(&Optimiser::sum_map);
    pass(&Optimiser::count_any);
    pass(&Optimiser::count_threshold);
    return std::nullopt;
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

  Node* copy_of(const Node& node) { return &tree_.nodes.emplace_back(node); }
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
    NodeKind kind = NodeKind::text;
    Kind type = Kind::text;
    if (std::holds_alternative<std::int64_t>(value)) {
      kind = NodeKind::integer;
      type = Kind::integer;
    } else if (std::holds_alternative<double>(value)) {
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

  /// x in [1, 2]: looked up by the key's type, which fails for any other.
  void in_list(Node*& slot) {
    if (slot->kind != NodeKind::binary || slot->op != Op::in) return;
    const Node& list = *slot->children[1];
    if (list.kind != NodeKind::list || list.children.empty()) return;
    const auto all = [&](NodeKind kind) {
      return std::ranges::all_of(list.children, [&](const Node* n) { return n->kind == kind; });
    };
    const bool integers = slot->children[0]->type.kind == Kind::integer && all(NodeKind::integer);
    if (!integers && !all(NodeKind::text)) return;
    Node* node = copy_of(*slot);
    node->strict = true;
    node->children[1] = constant(list);
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

  void fold(Node*& slot) {
    Node* const before = slot;
    switch (slot->kind) {
      case NodeKind::unary:
        fold_unary(slot);
        break;
      case NodeKind::binary:
        fold_binary(slot);
        break;
      case NodeKind::list:
        if (!slot->children.empty() &&
            std::ranges::all_of(slot->children, [](const Node* n) { return is_literal(*n); })) {
          slot = constant(*slot);
        }
        break;
      case NodeKind::builtin:
        fold_filters(slot);
        break;
      default:
        break;
    }
    if (slot != before) folded_ = true;
  }

  void fold_unary(Node*& slot) {
    const Node& operand = *slot->children[0];
    if (slot->op == Op::logical_not) {
      if (operand.kind == NodeKind::boolean) put_literal(slot, !std::get<bool>(operand.value));
    } else if (is_number(operand)) {
      Datum result;
      std::string why;
      calculate(slot->op, operand.value, operand.value, result, why);
      put_literal(slot, std::move(result));
    }
  }

  void fold_binary(Node*& slot) {
    Node* const left = slot->children[0];
    Node* const right = slot->children[1];
    const Op op = slot->op;
    if (op == Op::logical_and || op == Op::logical_or) {
      const bool neutral = op == Op::logical_and;  // true and x is x, false or x is x
      if (is_bool(*left, neutral)) {
        put_typed(slot, right);
      } else if (is_bool(*right, neutral)) {
        put_typed(slot, left);
      } else if (is_bool(*left, !neutral) || is_bool(*right, !neutral)) {
        put_literal(slot, !neutral);
      }
      return;
    }
    if (op == Op::equal) {
      const bool same_kind = left->kind == right->kind && is_literal(*left);
      if (same_kind && left->kind != NodeKind::number) {
        Effort effort(kMaxSteps);
        put_literal(slot, equal(left->value, right->value, effort));
      }
      return;
    }
    if (op == Op::add && left->kind == NodeKind::text && right->kind == NodeKind::text) {
      put_literal(slot, make_text(*std::get<Text>(left->value) + *std::get<Text>(right->value)));
      return;
    }
    const bool arithmetic = op >= Op::add && op <= Op::power;
    if (!arithmetic || !is_number(*left) || !is_number(*right)) return;
    if (op == Op::modulo && (left->kind == NodeKind::number || right->kind == NodeKind::number)) {
      return;
    }
    Datum result;
    std::string why;
    if (!calculate(op, left->value, right->value, result, why)) {
      if (!trouble_) trouble_ = Trouble{slot->at, why};
      return;
    }
    put_literal(slot, std::move(result));
  }

  void put_typed(Node*& slot, Node* node) {
    node->type = slot->type;
    slot = node;
  }

  /// filter(filter(x, p), q) is filter(x, p && q).
  void fold_filters(Node*& slot) {
    if (!is_builtin(*slot, "filter") || !is_builtin(*slot->children[0], "filter")) return;
    const Node& inner = *slot->children[0];
    Node* body = make_op(*slot->children[1], Op::logical_and, inner.children[1]->children[0],
                         slot->children[1]->children[0]);
    Node* predicate = make(*slot->children[1], NodeKind::predicate, {body});
    slot = make_call(*slot, "filter", {inner.children[0], predicate});
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

  static bool mentions_index(const Node& node, int& budget) {
    if (node.kind == NodeKind::pointer && node.name == "index") return true;
    if (--budget < 0) return true;  // better no rewriting than a long search
    return std::ranges::any_of(node.children, [&](const Node* child) {
      return child != nullptr && mentions_index(*child, budget);
    });
  }

  void filter_map(Node*& slot) {
    if (!is_builtin(*slot, "map") || !is_builtin(*slot->children[0], "filter")) return;
    const Node& filter = *slot->children[0];
    int budget = 20'000;
    if (filter.mapped != nullptr || mentions_index(*slot->children[1], budget)) return;
    Node* mapped = slot->children[1]->children[0];
    slot = make_call(*slot, "filter", filter.children);
    slot->mapped = mapped;
  }

  void filter_len(Node*& slot) {
    if (!is_builtin(*slot, "len") || slot->children.size() != 1 ||
        !is_builtin(*slot->children[0], "filter")) {
      return;
    }
    slot = make_call(*slot, "count", slot->children[0]->children);
  }

  /// filter(…)[0] and first(filter(…)); from the other end with -1 and last.
  void filter_end(Node*& slot, std::int64_t index, std::string_view end, std::string_view finds) {
    const bool member = slot->kind == NodeKind::member && !slot->optional;
    if (member) {
      const auto* key = literal_integer(*slot->children[1]);
      if (key == nullptr || *key != index) return;
    } else if (!is_builtin(*slot, end) || slot->children.size() != 1) {
      return;
    }
    const Node& filter = *slot->children[0];
    if (!is_builtin(filter, "filter")) return;
    slot = make_call(*slot, finds, filter.children);
    slot->throws = member;
    slot->mapped = filter.mapped;
  }
  void filter_last(Node*& slot) { filter_end(slot, -1, "last", "findLast"); }
  void filter_first(Node*& slot) { filter_end(slot, 0, "first", "find"); }

  bool alike(const Node* a, const Node* b, int& budget) {
    if (a == nullptr || b == nullptr) return a == b;
    if (--budget < 0) return false;
    if (a->kind != b->kind || a->op != b->op || a->name != b->name || a->optional != b->optional ||
        a->children.size() != b->children.size() || a->mapped != b->mapped) {
      return false;
    }
    Effort effort(kMaxText);
    if (!same(a->value, b->value, effort)) return false;
    for (std::size_t i = 0; i < a->children.size(); ++i) {
      if (!alike(a->children[i], b->children[i], budget)) return false;
    }
    return true;
  }

  /// all(x, p) and all(x, q) is all(x, p and q), and so for any … or … and none … and ….
  void combine_predicates(Node*& slot) {
    if (slot->kind != NodeKind::binary) return;
    const Node& left = *slot->children[0];
    const Node& right = *slot->children[1];
    if (left.kind != NodeKind::builtin || right.kind != NodeKind::builtin ||
        left.name != right.name) {
      return;
    }
    const bool joins =
        (slot->op == Op::logical_and && (left.name == "all" || left.name == "none")) ||
        (slot->op == Op::logical_or && left.name == "any");
    int budget = 1000;
    if (!joins || !alike(left.children[0], right.children[0], budget)) return;
    const Op op = left.name == "all" ? Op::logical_and : Op::logical_or;
    Node* body = make_op(*slot, op, left.children[1]->children[0], right.children[1]->children[0]);
    combine_predicates(body);
    Node* predicate = make(*slot, NodeKind::predicate, {body});
    slot = make_call(*slot, left.name, {left.children[0], predicate});
  }

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

  void sum_range(Node*& slot) {
    if (slot->kind != NodeKind::builtin) return;
    const bool sums = slot->name == "sum";
    if (!sums && slot->name != "reduce") return;
    const auto range = literal_range(*slot->children[0]);
    if (!range) return;
    if (sums && slot->children.size() == 1) return put_literal(slot, range->sum);
    const Node& body = *slot->children[1]->children[0];
    if (sums) {
      if (const auto sum = sum_of(*range, body)) put_literal(slot, *sum);
      return;
    }
    const auto is_pointer = [](const Node& node, std::string_view name) {
      return node.kind == NodeKind::pointer && node.name == name;
    };
    if (body.kind != NodeKind::binary || body.op != Op::add) return;
    const Node& left = *body.children[0];
    const Node& right = *body.children[1];
    if (!(is_pointer(left, "") && is_pointer(right, "acc")) &&
        !(is_pointer(left, "acc") && is_pointer(right, ""))) {
      return;
    }
    std::int64_t first = 0;
    if (slot->children.size() == 3) {
      const auto* literal = literal_integer(*slot->children[2]);
      if (literal == nullptr) return;
      first = *literal;
    }
    put_literal(slot, wrapping_add(first, range->sum));
  }

  /// The sum of #, # + k, # - k, k - #, # * k over a range.
  static std::optional<std::int64_t> sum_of(const Range& range, const Node& body) {
    const auto is_item = [](const Node& node) {
      return node.kind == NodeKind::pointer && node.name.empty();
    };
    if (is_item(body)) return range.sum;
    if (body.kind != NodeKind::binary) return std::nullopt;
    const Node& left = *body.children[0];
    const Node& right = *body.children[1];
    const bool item_left = is_item(left);
    const auto* constant = item_left ? literal_integer(right) : literal_integer(left);
    if (constant == nullptr || (!item_left && !is_item(right))) return std::nullopt;
    const std::int64_t constants = wrapping_multiply(range.count, *constant);
    if (body.op == Op::multiply) return wrapping_multiply(*constant, range.sum);
    if (body.op == Op::add) return wrapping_add(range.sum, constants);
    if (body.op != Op::subtract) return std::nullopt;
    return item_left ? wrapping_subtract(range.sum, constants)
                     : wrapping_subtract(constants, range.sum);
  }

  void sum_list(Node*& slot) {
    if (!is_builtin(*slot, "sum") || slot->children.size() != 1) return;
    const Node& list = *slot->children[0];
    if (list.kind != NodeKind::list || list.children.size() < 2) return;
    slot = make(*slot, NodeKind::sum_of_list, list.children);
  }

  void sum_map(Node*& slot) {
    if (!is_builtin(*slot, "sum") || slot->children.size() != 1 ||
        !is_builtin(*slot->children[0], "map")) {
      return;
    }
    slot = make_call(*slot, "sum", slot->children[0]->children);
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
    const Node* count = counted(*slot, limit);
    if (count == nullptr || limit < 0) return;
    const bool beyond = slot->op == Op::more || slot->op == Op::at_most;
    if (!beyond && slot->op != Op::at_least && slot->op != Op::less) return;
    const std::int64_t threshold = beyond ? wrapping_add(limit, 1) : limit;
    if (threshold > 1) slot->children[0]->threshold = threshold;
  }

  Tree& tree_;
  int pass_ = 0;
  bool folded_ = false;
  std::optional<Trouble> trouble_;
};

}  // namespace

std::optional<Trouble> optimise(Tree& tree) { return Optimiser(tree).run(); }

}  // namespace headroom::formula
