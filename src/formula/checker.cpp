#include "formula/checker.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "formula/builtins.h"
#include "formula/moment.h"

namespace headroom::formula {
namespace {

bool assignable(const Type& from, const Type& to) {
  if (from.kind == Kind::unknown || to.kind == Kind::unknown) return false;
  return to.kind == Kind::any || from.kind == to.kind;
}

Type element_of(const Type& type) {
  return type.element != nullptr ? *type.element : Type{Kind::any};
}

bool comparable(const Type& a, const Type& b) {
  return a.open() || b.open() || a.kind == Kind::nil || b.kind == Kind::nil || a.kind == b.kind ||
         (a.numeric() && b.numeric());
}

bool is_bool(const Type& type) { return type.kind == Kind::boolean; }
bool is_text(const Type& type) { return type.kind == Kind::text; }
bool is_whole(const Type& type) { return type.whole(); }
bool is_numeric(const Type& type) { return type.numeric(); }

/// As far as is known.
template <class Is>
bool both(const Type& a, const Type& b, Is is) {
  return (a.open() || is(a)) && (b.open() || is(b));
}

/// + - *
Type combined(const Type& a, const Type& b) {
  if (a.open() || b.open()) return {};
  return {a.whole() && b.whole() ? Kind::integer : Kind::number};
}

Type coalesced(const Type& a, const Type& b) {
  if (a.kind == Kind::nil) return b;
  if (b.kind == Kind::nil) return a;
  return assignable(b, a) ? a : Type{};
}

std::optional<Type> given(bool fits, Type type) {
  return fits ? std::optional(type) : std::nullopt;
}

/// What an operator gives; nullopt: it cannot be applied.
std::optional<Type> binary_type(Op op, const Type& a, const Type& b) {
  switch (op) {
    case Op::equal:
    case Op::unequal:
      return given(comparable(a, b), {Kind::boolean});
    case Op::logical_or:
    case Op::logical_and:
      return given(both(a, b, is_bool), {Kind::boolean});
    case Op::less:
    case Op::more:
    case Op::at_most:
    case Op::at_least:
      return given(both(a, b, is_numeric) || both(a, b, is_text), {Kind::boolean});
    case Op::add:
    case Op::subtract:
    case Op::multiply:
      return given(both(a, b, is_numeric), combined(a, b));
    case Op::divide:
    case Op::power:
      return given(both(a, b, is_numeric), {Kind::number});
    case Op::modulo:
      return given(both(a, b, is_whole), {Kind::integer});
    case Op::matches:
    case Op::contains:
    case Op::starts_with:
    case Op::ends_with:
      return given(both(a, b, is_text), {Kind::boolean});
    case Op::range:
      return given(both(a, b, is_whole), {Kind::list});
    default:  // ??
      return coalesced(a, b);
  }
}

constexpr std::string_view kEnvironment =
    "$env is supported here as $env.name, $env[\"name\"] and get($env, \"name\") only";

const std::string* literal_text(const Node& node) {
  return node.kind == NodeKind::text ? std::get<Text>(node.value).get() : nullptr;
}

class Checker {
 public:
  Checker(Tree& tree, std::span<const std::string> names) : tree_(tree), names_(names) {}

  std::optional<Trouble> run() {
    visit(*tree_.root);
    return trouble_;
  }

 private:
  struct Scope {  // a predicate's
    Type list;
    bool has_index, has_acc;
  };
  struct Variable {
    std::string_view name;
    Type type;
    int slot;
  };

  Type fail(const Node& node, std::string what) {
    if (!trouble_) trouble_ = Trouble{node.at, std::move(what)};
    return {};
  }
  Type list_of(Type element) { return {Kind::list, &tree_.types.emplace_back(element)}; }

  /// Where something is wrong the type is unknown, with which nothing else is wrong.
  Type visit(Node& node) {
    if (!node.checked) {
      node.checked = true;
      node.type = type_of(node);
    }
    return node.type;
  }

  Type type_of(Node& node) {
    switch (node.kind) {
      case NodeKind::nil:
        return {Kind::nil};
      case NodeKind::boolean:
        return {Kind::boolean};
      case NodeKind::integer:
        return {Kind::integer};
      case NodeKind::number:
        return {Kind::number};
      case NodeKind::text:
        return {Kind::text};
      case NodeKind::name:
        return name(node);
      case NodeKind::unary:
        return unary(node);
      case NodeKind::binary:
        return binary(node);
      case NodeKind::predicate:
        return visit(*node.children[0]);
      case NodeKind::member:
        return member(node);
      case NodeKind::slice:
        return slice(node);
      case NodeKind::method:
        return method(node);
      case NodeKind::builtin:
        return builtin(node);
      case NodeKind::pointer:
        return pointer(node);
      case NodeKind::declaration:
        return declaration(node);
      case NodeKind::sequence:
        for (Node* part : node.children) visit(*part);
        return node.children.back()->type;
      case NodeKind::conditional:
        return conditional(node);
      default:
        return list(node);
    }
  }

  Type name(Node& node) {
    const auto variable = std::ranges::find(variables_, node.name, &Variable::name);
    if (variable != variables_.end()) {
      node.slot = variable->slot;
      node.declared = true;
      return variable->type;
    }
    if (node.name == "$env") return fail(node, std::string(kEnvironment));
    node.slot = slot_of(node.name);
    if (node.slot >= 0) return {Kind::number};
    if (find_builtin(node.name) != nullptr) return {Kind::function};
    return unknown_name(node, node.name);
  }

  /// -1: there is no trigger of that name. An empty name is none.
  int slot_of(std::string_view name) const {
    const auto found = std::ranges::find(names_.rbegin(), names_.rend(), name);
    return name.empty() ? -1 : static_cast<int>(names_.rend() - found) - 1;
  }

  Type unknown_name(const Node& node, std::string_view name) {
    std::vector<std::string_view> known;
    for (const std::string& one : names_) {
      if (!one.empty()) known.push_back(one);
    }
    std::string what = fmt::format("unknown name \"{}\"", printable(name, 60));
    const std::string_view near = nearest(name, known);
    if (!near.empty()) {
      what += fmt::format("; did you mean \"{}\"?", printable(near, 60));
    } else if (known.empty()) {
      what += "; no trigger has a name that can be used";
    } else {
      what += "; the triggers are ";
      for (std::size_t i = 0; i < known.size(); ++i) {
        what += fmt::format("{}\"{}\"", i == 0 ? "" : ", ", printable(known[i], 60));
      }
    }
    return fail(node, printable(what, 400));
  }

  Type unary(Node& node) {
    const Type operand = visit(*node.children[0]);
    if (node.op == Op::logical_not) {
      if (operand.open() || operand.kind == Kind::boolean) return {Kind::boolean};
    } else if (operand.numeric()) {
      return operand;
    } else if (operand.open()) {
      return {};
    }
    const std::string_view op = node.op == Op::logical_not ? "not" : "a sign";
    return fail(node, fmt::format("{} cannot be applied to {}", op, type_name(operand)));
  }

  Type binary(Node& node) {
    const Type left = visit(*node.children[0]);
    const Type right = visit(*node.children[1]);
    if (node.op == Op::in) return membership(node, left, right);
    if (node.op == Op::matches && !pattern(node)) return {};
    const auto type = binary_type(node.op, left, right);
    if (!type) return mismatch(node, left, right);
    return node.op == Op::range ? list_of({Kind::integer}) : *type;
  }

  bool pattern(Node& node) {
    const auto* text = literal_text(*node.children[1]);
    if (text == nullptr) {
      fail(*node.children[1], "expected a pattern in quotes: another is not supported here");
      return false;
    }
    auto regex = Regex::compile(*text);
    if (!regex) {
      fail(*node.children[1], regex.error().what);
      return false;
    }
    node.regex = &tree_.regexes.emplace_back(std::move(*regex));
    return true;
  }

  Type mismatch(const Node& node, const Type& left, const Type& right) {
    std::string what = fmt::format("this operator cannot be applied to {} and {}", type_name(left),
                                   type_name(right));
    if (node.op == Op::modulo) what += "; % takes integers: int(…)";
    return fail(node, std::move(what));
  }

  Type membership(const Node& node, const Type& left, const Type& right) {
    const bool fits =
        right.open() || (right.kind == Kind::list && comparable(left, element_of(right)));
    if (fits) return {Kind::boolean};
    return fail(node,
                fmt::format("\"in\" cannot look for {} in {}", type_name(left), type_name(right)));
  }

  Type member(Node& node) {
    Node& object = *node.children[0];
    Node& key = *node.children[1];
    if (is_environment(object)) {
      const auto* name = literal_text(key);
      if (name == nullptr) return fail(key, std::string(kEnvironment));
      if (slot_of(*name) < 0) return unknown_name(key, *name);
      return put_variable(node, *name);
    }
    const Type base = visit(object);
    const Type by = visit(key);
    if (base.open()) return {};
    if (base.kind != Kind::list) {
      return fail(node, fmt::format("nothing can be taken out of {}", type_name(base)));
    }
    if (by.open() || by.whole()) return element_of(base);
    return fail(key, fmt::format("an element is taken by an integer, not by {}", type_name(by)));
  }

  static bool is_environment(const Node& node) {
    return node.kind == NodeKind::name && node.name == "$env";
  }

  /// In place of `node`, the trigger of that name; nil where there is none.
  Type put_variable(Node& node, std::string_view name) {
    node.slot = slot_of(name);
    node.kind = node.slot < 0 ? NodeKind::nil : NodeKind::name;
    node.children.clear();
    return node.slot < 0 ? Type{} : Type{Kind::number};
  }

  Type slice(Node& node) {
    const Type object = visit(*node.children[0]);
    for (std::size_t i = 1; i < 3; ++i) {
      if (node.children[i] == nullptr) continue;
      const Type end = visit(*node.children[i]);
      if (!end.open() && !end.whole()) {
        return fail(*node.children[i],
                    fmt::format("found {}, expected an integer", type_name(end)));
      }
    }
    if (object.open()) return {};
    if (object.kind == Kind::list) return object;
    return fail(node, fmt::format("{} cannot be cut here", type_name(object)));
  }

  Type method(Node& node) {
    const Type object = visit(*node.children[0]);
    node.method = find_method(object.kind, node.name);
    if (node.method != nullptr) return {node.method->result};
    return fail(node, fmt::format("{} has no method \"{}\" here", type_name(object),
                                  printable(node.name, 40)));
  }

  Type builtin(Node& node) {
    if (node.builtin->over != Over::nothing) return over_list(node);
    if (node.builtin->check == nullptr) return get(node);
    std::vector<Type> arguments;
    for (Node* argument : node.children) arguments.push_back(visit(*argument));
    Type result;
    std::string why;
    if (node.builtin->check(arguments, result, why)) return result;
    return fail(node, fmt::format("{}: {}", node.name, why));
  }

  Type get(Node& node) {
    const auto* name = node.children.size() == 2 ? literal_text(*node.children[1]) : nullptr;
    if (name == nullptr || !is_environment(*node.children[0])) {
      return fail(node, std::string(kEnvironment));
    }
    return put_variable(node, *name);
  }

  /// The functions that look at each element of a list.
  Type over_list(Node& node) {
    const std::string& name = node.name;
    const Type list = visit(*node.children[0]);
    if (!list.open() && list.kind != Kind::list) {
      return fail(*node.children[0],
                  fmt::format("{}: found {}, expected a list", name, type_name(list)));
    }
    if (node.children.size() == 1) {
      if (name == "count") return {Kind::integer};
      return list.open() ? Type{} : element_of(list);  // sum
    }
    const bool reduces = name == "reduce";
    scopes_.push_back({list, reduces || name == "map", reduces});
    const Type body = visit(*node.children[1]);
    scopes_.pop_back();
    if (node.children.size() == 3) visit(*node.children[2]);
    if (body.kind == Kind::nil) {
      return fail(*node.children[1], fmt::format("{}: the predicate gives nil only", name));
    }
    return result_over(node, list, body);
  }

  Type result_over(const Node& node, const Type& list, const Type& body) {
    const std::string& name = node.name;
    if (name == "map") {
      if (body.kind == Kind::list) return fail(*node.children[1], std::string(kNoListsInLists));
      return list_of(body);
    }
    if (name == "reduce") return body;
    if (name == "sum") return body.open() ? Type{Kind::any} : Type{body.kind};
    if (!body.open() && body.kind != Kind::boolean) {
      return fail(*node.children[1], fmt::format("{}: the predicate gives {}, expected a bool",
                                                 name, type_name(body)));
    }
    if (name == "filter") return list.open() ? Type{Kind::list} : list;
    if (name == "find") return list.open() ? Type{} : element_of(list);
    if (name == "count") return {Kind::integer};
    return {Kind::boolean};
  }

  Type pointer(const Node& node) {
    const Scope& scope = scopes_.back();
    if (node.name.empty()) return scope.list.open() ? Type{} : element_of(scope.list);
    if (node.name == "index" && scope.has_index) return {Kind::integer};
    if (node.name == "acc" && scope.has_acc) return {};
    return fail(node, fmt::format("there is no #{} here", printable(node.name, 40)));
  }

  Type declaration(Node& node) {
    const auto taken = [&](const Variable& variable) { return variable.name == node.name; };
    if (slot_of(node.name) >= 0 || node.name == "$env" || find_builtin(node.name) != nullptr ||
        std::ranges::any_of(variables_, taken)) {
      return fail(node, fmt::format("\"{}\" is taken already", printable(node.name, 40)));
    }
    const Type value = visit(*node.children[0]);
    node.slot = tree_.variables++;
    variables_.push_back({node.name, value, node.slot});
    const Type body = visit(*node.children[1]);
    variables_.pop_back();
    return body;
  }

  Type conditional(Node& node) {
    const Type condition = visit(*node.children[0]);
    if (!condition.open() && condition.kind != Kind::boolean) {
      return fail(*node.children[0],
                  fmt::format("the condition is {}, expected a bool", type_name(condition)));
    }
    const Type then = visit(*node.children[1]);
    const Type otherwise = visit(*node.children[2]);
    if (then.kind == Kind::nil) return otherwise;
    if (otherwise.kind == Kind::nil) return then;
    if (!assignable(then, otherwise)) return {};
    const bool lists = then.kind == Kind::list && otherwise.kind == Kind::list;
    if (lists && element_of(then).kind != element_of(otherwise).kind) return {Kind::list};
    return then;
  }

  Type list(Node& node) {
    bool alike = true;
    Type before;
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      const Type item = visit(*node.children[i]);
      if (item.kind == Kind::list) return fail(*node.children[i], std::string(kNoListsInLists));
      if (i > 0 && item.kind != before.kind) alike = false;
      before = item;
    }
    return alike ? list_of(before) : Type{Kind::list};
  }

  Tree& tree_;
  std::span<const std::string> names_;
  std::vector<Scope> scopes_;
  std::vector<Variable> variables_;
  std::optional<Trouble> trouble_;
};

}  // namespace

std::optional<Trouble> check(Tree& tree, std::span<const std::string> names) {
  return Checker(tree, names).run();
}

}  // namespace headroom::formula
