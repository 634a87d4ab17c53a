#include "formula/checker.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "formula/builtins.h"

namespace headroom::formula {
namespace {

/// As reflect.Kind tells types apart: nothing is known of nil, a duration is an int64.
int reflected(Kind kind) {
  switch (kind) {
    case Kind::nil:
      return static_cast<int>(Kind::unknown);
    case Kind::month:
    case Kind::weekday:
      return static_cast<int>(Kind::integer);
    case Kind::duration:
      return static_cast<int>(Kind::integer64);
    case Kind::any_map:
      return static_cast<int>(Kind::map);
    default:
      return static_cast<int>(kind);
  }
}

bool assignable(const Type& from, const Type& to) {
  if (from.kind == Kind::nil) {
    return to.kind == Kind::any || to.kind == Kind::list || to.kind == Kind::map ||
           to.kind == Kind::any_map || to.kind == Kind::function;
  }
  if (from.kind == Kind::unknown || to.kind == Kind::unknown) return false;
  return to.kind == Kind::any || from.kind == to.kind;
}

Type element_of(const Type& type) {
  if (type.kind == Kind::any_map) return {Kind::list};  // what groupBy makes
  return type.element != nullptr ? *type.element : Type{Kind::any};
}

bool comparable(const Type& a, const Type& b) {
  return a.open() || b.open() || a.kind == Kind::nil || b.kind == Kind::nil ||
         (a.numeric() && b.numeric()) || assignable(a, b);
}

/// Both sides open, or one open and the other of a fitting kind.
template <class Fits>
bool maybe(const Type& a, const Type& b, Fits fits) {
  return (a.open() && (b.open() || fits(b))) || (b.open() && fits(a));
}

bool is_text(const Type& type) { return type.kind == Kind::text; }
bool is_whole(const Type& type) { return type.whole(); }
bool is_numeric(const Type& type) { return type.numeric(); }
bool is_ordered(const Type& type) {
  return type.numeric() || type.kind == Kind::text || type.kind == Kind::time ||
         type.kind == Kind::duration;
}
bool is_moment(const Type& type) {
  return type.numeric() || type.kind == Kind::time || type.kind == Kind::duration;
}
bool is_measure(const Type& type) { return type.numeric() || type.kind == Kind::duration; }

bool both(const Type& a, const Type& b, Kind kind) { return a.kind == kind && b.kind == kind; }

Type promoted(const Type& a, const Type& b) {
  return {a.kind == Kind::number || b.kind == Kind::number ? Kind::number : Kind::integer};
}

std::optional<Type> sum_type(const Type& a, const Type& b) {
  if (a.numeric() && b.numeric()) return promoted(a, b);
  if (both(a, b, Kind::text) || both(a, b, Kind::duration)) return a;
  if ((a.kind == Kind::time && b.kind == Kind::duration) ||
      (a.kind == Kind::duration && b.kind == Kind::time)) {
    return Type{Kind::time};
  }
  if (maybe(a, b, is_ordered)) return Type{};
  return std::nullopt;
}

std::optional<Type> difference_type(const Type& a, const Type& b) {
  if (a.numeric() && b.numeric()) return promoted(a, b);
  if (both(a, b, Kind::time) || both(a, b, Kind::duration)) return Type{Kind::duration};
  if (a.kind == Kind::time && b.kind == Kind::duration) return a;
  if (maybe(a, b, is_moment)) return Type{};
  return std::nullopt;
}

std::optional<Type> product_type(const Type& a, const Type& b) {
  if (a.numeric() && b.numeric()) return promoted(a, b);
  if (is_measure(a) && is_measure(b)) return Type{Kind::duration};
  if (maybe(a, b, is_measure)) return Type{};
  return std::nullopt;
}

Type coalesced(const Type& a, const Type& b) {
  if (a.kind == Kind::nil) return b;
  if (b.kind == Kind::nil) return a;
  return assignable(b, a) ? a : Type{};
}

std::optional<Type> ordered(const Type& a, const Type& b) {
  const bool fits = (a.numeric() && b.numeric()) || (is_ordered(a) && a.kind == b.kind) ||
                    maybe(a, b, is_ordered);
  return fits ? std::optional(Type{Kind::boolean}) : std::nullopt;
}

std::optional<Type> given(bool fits, Kind kind) {
  return fits ? std::optional(Type{kind}) : std::nullopt;
}

/// What an operator gives; nullopt: it cannot be applied.
std::optional<Type> binary_type(Op op, const Type& a, const Type& b) {
  const auto is_bool = [](const Type& type) { return type.kind == Kind::boolean; };
  switch (op) {
    case Op::equal:
    case Op::unequal:
      return given(comparable(a, b), Kind::boolean);
    case Op::logical_or:
    case Op::logical_and:
      return given((is_bool(a) && is_bool(b)) || maybe(a, b, is_bool), Kind::boolean);
    case Op::less:
    case Op::more:
    case Op::at_most:
    case Op::at_least:
      return ordered(a, b);
    case Op::add:
      return sum_type(a, b);
    case Op::subtract:
      return difference_type(a, b);
    case Op::multiply:
      return product_type(a, b);
    case Op::divide:
    case Op::power:
      return given((a.numeric() && b.numeric()) || maybe(a, b, is_numeric), Kind::number);
    case Op::modulo:
      return given((a.whole() && b.whole()) || maybe(a, b, is_whole), Kind::integer);
    case Op::matches:
    case Op::contains:
    case Op::starts_with:
    case Op::ends_with:
      return given(both(a, b, Kind::text) || maybe(a, b, is_text), Kind::boolean);
    case Op::range:
      return given((a.whole() && b.whole()) || maybe(a, b, is_whole), Kind::list);
    case Op::coalesce:
      return coalesced(a, b);
    default:
      return std::nullopt;
  }
}

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
  const Type* keep(Type type) { return &tree_.types.emplace_back(type); }
  Type list_of(Type element) { return {Kind::list, keep(element)}; }

  Type visit(Node& node) {
    if (trouble_) return {};
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
      case NodeKind::constant:
      case NodeKind::sum_of_list:
        return {};  // the optimiser's
      case NodeKind::name:
        return name(node);
      case NodeKind::unary:
        return unary(node);
      case NodeKind::binary:
        return binary(node);
      case NodeKind::chain:
      case NodeKind::predicate:
        return visit(*node.children[0]);
      case NodeKind::member:
        return member(node);
      case NodeKind::slice:
        return slice(node);
      case NodeKind::call:
        return call(node);
      case NodeKind::builtin:
        return node.builtin->form == Form::plain ? function(node) : over_list(node);
      case NodeKind::pointer:
        return pointer(node);
      case NodeKind::declaration:
        return declaration(node);
      case NodeKind::sequence:
        for (Node* part : node.children) visit(*part);
        return node.children.back()->type;
      case NodeKind::conditional:
        return conditional(node);
      case NodeKind::list:
        return list(node);
      case NodeKind::map:
        for (Node* part : node.children) visit(*part);
        return {Kind::map};
    }
    return {};
  }

  Type name(Node& node) {
    for (std::size_t i = variables_.size(); i-- > 0;) {
      if (variables_[i].name == node.name) {
        node.slot = variables_[i].slot;
        node.declared = true;
        return variables_[i].type;
      }
    }
    if (node.name == "$env") return {};
    const auto found = std::ranges::find(names_.rbegin(), names_.rend(), node.name);
    if (found != names_.rend()) {
      node.slot = static_cast<int>(names_.rend() - found) - 1;
      return {Kind::number};
    }
    if (find_builtin(node.name) != nullptr) return {Kind::function};
    return unknown_name(node, node.name);
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
    if (trouble_) return {};
    if (node.op == Op::in) return membership(node, left, right);
    if (node.op == Op::matches) {
      if (const auto* pattern = literal_text(*node.children[1])) {
        auto regex = Regex::compile(*pattern);
        if (!regex) return fail(node, regex.error().what);
        node.regex = &tree_.regexes.emplace_back(std::move(*regex));
      }
    }
    const auto type = binary_type(node.op, left, right);
    if (!type) return mismatch(node, left, right);
    return node.op == Op::range ? list_of({Kind::integer}) : *type;
  }

  Type mismatch(const Node& node, const Type& left, const Type& right) {
    std::string what = fmt::format("this operator cannot be applied to {} and {}", type_name(left),
                                   type_name(right));
    if (node.op == Op::modulo) what += "; % takes integers: int(…)";
    return fail(node, std::move(what));
  }

  Type membership(const Node& node, const Type& left, const Type& right) {
    bool fits = right.open();
    if (right.kind == Kind::map) {
      fits = left.open() || left.kind == Kind::text;
    } else if (right.kind == Kind::any_map) {
      fits = true;
    } else if (right.kind == Kind::list) {
      fits = comparable(left, element_of(right));
    } else if (right.kind == Kind::text) {
      fits = left.open();
    }
    if (!fits) {
      return fail(
          node, fmt::format("\"in\" cannot look for {} in {}", type_name(left), type_name(right)));
    }
    return {Kind::boolean};
  }

  Type member(Node& node) {
    Node& object = *node.children[0];
    Node& key = *node.children[1];
    if (object.kind == NodeKind::name && object.name == "$env") {
      const auto* name = literal_text(key);
      visit(key);
      if (name == nullptr) return {};
      if (!name->empty() && std::ranges::find(names_, *name) != names_.end()) {
        return {Kind::number};
      }
      return node.optional ? Type{} : unknown_name(key, *name);
    }
    const Type base = visit(object);
    const Type by = visit(key);
    if (trouble_ || base.open()) return {};
    return member_of(node, base, by);
  }

  Type member_of(const Node& node, const Type& base, const Type& by) {
    const Node& key = *node.children[1];
    const auto* name = literal_text(key);
    if (name != nullptr && (base.kind == Kind::duration || base.kind == Kind::time)) {
      const Method* method = find_method(base.kind, *name);
      if (method == nullptr || !node.method) {
        return fail(key, fmt::format("{} has no \"{}\" here, or it is a method to be called",
                                     type_name(base), printable(*name, 40)));
      }
      return {method->result};
    }
    switch (base.kind) {
      case Kind::map:
        if (!by.open() && by.kind != Kind::text) break;
        return {Kind::any};
      case Kind::any_map:
        return element_of(base);
      case Kind::list:
        if (!by.open() && !by.whole()) break;
        return element_of(base);
      default:
        return fail(node, fmt::format("nothing can be taken out of {}", type_name(base)));
    }
    return fail(key,
                fmt::format("{} is taken by {}, not by {}",
                            base.kind == Kind::list ? "an element" : "a field",
                            base.kind == Kind::list ? "an integer" : "a string", type_name(by)));
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
    if (object.kind != Kind::list && object.kind != Kind::text) {
      return fail(node, fmt::format("{} cannot be cut", type_name(object)));
    }
    return object;
  }

  Type call(Node& node) {
    Node& callee = *node.children[0];
    const Type type = visit(callee);
    std::vector<Type> arguments;
    for (std::size_t i = 1; i < node.children.size(); ++i) {
      arguments.push_back(visit(*node.children[i]));
    }
    if (trouble_) return {};
    if (callee.kind == NodeKind::name) {
      if (type.kind == Kind::function || type.open()) {
        return fail(node, "calling a function through a variable is not supported");
      }
      return fail(node, fmt::format("\"{}\" is {}, not a function", printable(callee.name, 40),
                                    type_name(type)));
    }
    const Type base = callee.children[0]->type;
    const auto* name = literal_text(*callee.children[1]);
    const Method* method = name != nullptr ? find_method(base.kind, *name) : nullptr;
    if (method == nullptr) {
      if (type.open()) return {};
      return fail(node, fmt::format("{} is not a function", type_name(type)));
    }
    const std::size_t expected = method->argument ? 1 : 0;
    if (arguments.size() != expected) {
      return fail(node, fmt::format("found {} arguments, expected {}", arguments.size(), expected));
    }
    if (expected == 1 && !arguments[0].open() && arguments[0].kind != *method->argument) {
      return fail(node, fmt::format("found {}, expected {}", type_name(arguments[0]),
                                    type_name({*method->argument})));
    }
    return {method->result};
  }

  Type function(Node& node) {
    std::vector<Type> arguments;
    for (Node* argument : node.children) arguments.push_back(visit(*argument));
    if (trouble_) return {};
    if (node.builtin->run == nullptr) {
      return fail(node, fmt::format("the function {} is not supported", node.name));
    }
    if (node.builtin->check == nullptr) return get(node, arguments);
    Type result;
    std::string why;
    if (!node.builtin->check(arguments, result, why)) {
      return fail(node, fmt::format("{}: {}", node.name, why));
    }
    return result;
  }

  Type get(const Node& node, std::span<const Type> arguments) {
    if (arguments.size() != 2) {
      return fail(node, fmt::format("get: found {} arguments, expected 2", arguments.size()));
    }
    const Node& object = *node.children[0];
    if (object.kind == NodeKind::name && object.name == "$env") {
      const auto* name = literal_text(*node.children[1]);
      const bool known =
          name != nullptr && !name->empty() && std::ranges::find(names_, *name) != names_.end();
      return known ? Type{Kind::number} : Type{};
    }
    const Type& base = arguments[0];
    const Type& by = arguments[1];
    if (base.open()) return {};
    if (base.kind == Kind::any_map) return element_of(base);
    if (base.kind == Kind::map && (by.open() || by.kind == Kind::text)) return {Kind::any};
    if (base.kind == Kind::list && (by.open() || by.whole())) return element_of(base);
    return fail(node,
                fmt::format("get: {} cannot be taken out of {}", type_name(by), type_name(base)));
  }

  /// The functions that look at each element of a list.
  Type over_list(Node& node) {
    const std::string& name = node.name;
    const Type list = visit(*node.children[0]);
    if (trouble_) return {};
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
    if (node.children.size() == 3) {
      const Type more = visit(*node.children[2]);
      if (!reduces && !more.open() && more.kind != Kind::text) {
        return fail(*node.children[2], "sortBy: expected \"asc\" or \"desc\"");
      }
    }
    if (trouble_) return {};
    if (body.kind == Kind::nil) {
      return fail(*node.children[1], fmt::format("{}: the predicate gives nil only", name));
    }
    return result_over(node, list, body);
  }

  Type result_over(const Node& node, const Type& list, const Type& body) {
    const std::string& name = node.name;
    if (name == "map") return list_of(body);
    if (name == "reduce") return body;
    if (name == "groupBy") return {Kind::any_map};
    if (name == "sortBy") return list.open() ? Type{} : list;
    if (name == "sum") return body.open() ? Type{Kind::any} : Type{body.kind};
    if (!body.open() && body.kind != Kind::boolean) {
      return fail(*node.children[1], fmt::format("{}: the predicate gives {}, expected a bool",
                                                 name, type_name(body)));
    }
    if (name == "filter") return list.open() ? Type{Kind::list} : list_of(element_of(list));
    if (name == "find" || name == "findLast") return list.open() ? Type{} : element_of(list);
    if (name == "count" || name == "findIndex" || name == "findLastIndex") return {Kind::integer};
    return {Kind::boolean};
  }

  Type pointer(const Node& node) {
    if (scopes_.empty()) return fail(node, "# stands outside of a predicate");
    const Scope& scope = scopes_.back();
    if (node.name.empty()) return scope.list.open() ? Type{} : element_of(scope.list);
    if (node.name == "index" && scope.has_index) return {Kind::integer};
    if (node.name == "acc" && scope.has_acc) return {};
    return fail(node, fmt::format("there is no #{} here", printable(node.name, 40)));
  }

  Type declaration(Node& node) {
    const auto taken = [&](const Variable& variable) { return variable.name == node.name; };
    if (std::ranges::find(names_, node.name) != names_.end() ||
        find_builtin(node.name) != nullptr || std::ranges::any_of(variables_, taken)) {
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
    if (!trouble_ && !condition.open() && condition.kind != Kind::boolean) {
      return fail(*node.children[0],
                  fmt::format("the condition is {}, expected a bool", type_name(condition)));
    }
    const Type then = visit(*node.children[1]);
    const Type otherwise = visit(*node.children[2]);
    if (then.kind == Kind::nil) return otherwise;
    if (otherwise.kind == Kind::nil) return then;
    if (!assignable(then, otherwise)) return {};
    if (then.kind == Kind::list && otherwise.kind == Kind::list) {
      const Type a = element_of(then);
      const Type b = element_of(otherwise);
      if (!assignable(a, b) || !assignable(b, a)) return {Kind::list};
    }
    return then;
  }

  Type list(Node& node) {
    bool alike = true;
    Type before;
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      const Type item = visit(*node.children[i]);
      if (i > 0 && reflected(item.kind) != reflected(before.kind)) alike = false;
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
