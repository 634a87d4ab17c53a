#include "formula/parser.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"
#include "formula/builtins.h"
#include "formula/go_number.h"

namespace headroom::formula {
namespace {

constexpr int kMaxNodes = 10'000;

struct Binary {
  std::string_view text;
  Op op;
  int precedence;
  bool right = false;  // associates to the right
};
constexpr int kPipe = 0;
constexpr auto kBinary = std::to_array<Binary>({
    {"|", Op::none, kPipe},
    {"or", Op::logical_or, 10},
    {"||", Op::logical_or, 10},
    {"and", Op::logical_and, 15},
    {"&&", Op::logical_and, 15},
    {"==", Op::equal, 20},
    {"!=", Op::unequal, 20},
    {"<", Op::less, 20},
    {">", Op::more, 20},
    {">=", Op::at_least, 20},
    {"<=", Op::at_most, 20},
    {"in", Op::in, 20},
    {"matches", Op::matches, 20},
    {"contains", Op::contains, 20},
    {"startsWith", Op::starts_with, 20},
    {"endsWith", Op::ends_with, 20},
    {"..", Op::range, 25},
    {"+", Op::add, 30},
    {"-", Op::subtract, 30},
    {"*", Op::multiply, 60},
    {"/", Op::divide, 60},
    {"%", Op::modulo, 60},
    {"**", Op::power, 100, true},
    {"^", Op::power, 100, true},
    {"??", Op::coalesce, 500},
});

struct Unary {
  std::string_view text;
  Op op;
  int precedence;
};
constexpr auto kUnary = std::to_array<Unary>({
    {"not", Op::logical_not, 50},
    {"!", Op::logical_not, 50},
    {"-", Op::negate, 90},
    {"+", Op::keep, 90},
});

const Binary* binary_of(const Token& token) {
  if (token.kind != TokenKind::op) return nullptr;
  const auto* found = std::ranges::find(kBinary, token.text, &Binary::text);
  return found == kBinary.end() ? nullptr : found;
}

bool is_comparison(Op op) { return op >= Op::less && op <= Op::at_least; }
bool takes_not(Op op) { return op >= Op::in && op <= Op::ends_with; }

/// Recursive descent; every function gives null once something is wrong.
class Parser {
 public:
  Parser(std::span<const std::string> names, Tree& tree) : names_(names), tree_(tree) {}

  std::optional<Trouble> run(std::string_view text) {
    trouble_ = lex(text, tokens_);
    if (trouble_) return trouble_;
    tree_.root = sequence();
    if (!trouble_ && now().kind != TokenKind::end) unexpected("an operator or the end");
    return trouble_;
  }

 private:
  /// One level of recursion.
  class Level {
   public:
    explicit Level(Parser& parser) : parser_(parser) {
      if (++parser_.level_ > kMaxDepth) parser_.too_deep(parser_.now().at);
    }
    ~Level() { --parser_.level_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    Parser& parser_;
  };

  const Token& now() const { return tokens_[at_]; }
  const Token& after() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  void next() {
    if (at_ + 1 < tokens_.size()) ++at_;
  }
  std::nullptr_t fail(std::size_t at, std::string what) {
    if (!trouble_) trouble_ = Trouble{at, std::move(what)};
    at_ = tokens_.size() - 1;  // nothing more is read
    return nullptr;
  }
  std::nullptr_t unexpected(std::string_view expected) {
    return fail(now().at, fmt::format("found {}, expected {}", describe(now()), expected));
  }
  void too_deep(std::size_t at) {
    fail(at, fmt::format("nested too deeply: at most {} levels", kMaxDepth));
  }
  bool expect_op(std::string_view op) {
    if (!now().is_op(op)) return unexpected(fmt::format("\"{}\"", op)) != nullptr;
    next();
    return true;
  }
  bool expect_bracket(char c) {
    if (!now().is_bracket(c)) return unexpected(fmt::format("\"{}\"", c)) != nullptr;
    next();
    return true;
  }

  bool comma_or(char close) {
    if (!now().is_op(",")) return unexpected(fmt::format("\",\" or \"{}\"", close)) != nullptr;
    next();
    return true;
  }

  Node* make(NodeKind kind, std::size_t at, std::vector<Node*> children = {}) {
    if (trouble_) return nullptr;
    if (++count_ > kMaxNodes) {
      return fail(at, fmt::format("too long: at most {} operators and values", kMaxNodes));
    }
    Node& node = tree_.nodes.emplace_back();
    node.kind = kind;
    node.at = at;
    node.children = std::move(children);
    for (const Node* child : node.children) {
      if (child != nullptr) node.depth = std::max(node.depth, child->depth + 1);
    }
    if (node.depth > kMaxDepth) {
      too_deep(at);
      return nullptr;
    }
    return &node;
  }
  Node* make_op(NodeKind kind, Op op, std::size_t at, std::vector<Node*> children) {
    Node* node = make(kind, at, std::move(children));
    if (node != nullptr) node->op = op;
    return node;
  }
  Node* make_named(NodeKind kind, std::string name, std::size_t at,
                   std::vector<Node*> children = {}) {
    Node* node = make(kind, at, std::move(children));
    if (node != nullptr) node->name = std::move(name);
    return node;
  }
  Node* make_value(NodeKind kind, Datum value, std::size_t at) {
    Node* node = make(kind, at);
    if (node != nullptr) node->value = std::move(value);
    return node;
  }

  Node* sequence() {
    std::vector<Node*> parts{expression(0)};
    while (!trouble_ && now().is_op(";")) {
      next();
      if (now().kind == TokenKind::end) break;
      parts.push_back(expression(0));
    }
    if (trouble_) return nullptr;
    if (parts.size() == 1) return parts[0];
    const std::size_t at = parts[0]->at;
    return make(NodeKind::sequence, at, std::move(parts));
  }

  Node* expression(int precedence) {
    const Level level(*this);
    if (trouble_) return nullptr;
    if (precedence == 0 && now().is_op("let")) return declaration();
    if (precedence == 0 && now().is_op("if")) return conditional_if();
    Node* left = primary();
    std::string_view before;
    while (!trouble_) {
      const bool negated = now().is_op("not");
      const Binary* binary = binary_of(negated ? after() : now());
      if (negated && (binary == nullptr || !takes_not(binary->op))) {
        next();
        return unexpected("in, matches, contains, startsWith or endsWith after \"not\"");
      }
      if (binary == nullptr || binary->precedence < precedence) break;
      if (negated) next();
      if (before == "??" && binary->text != "??" && binary->text != "|") {
        return fail(now().at, fmt::format("?? and {} side by side: put one of them in parentheses",
                                          binary->text));
      }
      left = operation(left, *binary, negated);
      before = binary->text;
    }
    if (trouble_) return nullptr;
    return precedence == 0 ? conditional(left) : left;
  }

  /// What follows the left side, from the operator on.
  Node* operation(Node* left, const Binary& binary, bool negated) {
    const std::size_t at = now().at;
    next();
    if (binary.text == "|") {
      if (now().kind != TokenKind::name) return unexpected("a function's name after \"|\"");
      const Token name = now();
      next();
      return call(name, {left}, true);
    }
    if (is_comparison(binary.op)) return comparison(left, binary, at);
    Node* right = expression(binary.right ? binary.precedence : binary.precedence + 1);
    Node* node = make_op(NodeKind::binary, binary.op, at, {left, right});
    return negated ? make_op(NodeKind::unary, Op::logical_not, at, {node}) : node;
  }

  /// a < b < c is a < b && b < c.
  Node* comparison(Node* left, const Binary& first, std::size_t at) {
    Node* all = nullptr;
    Op op = first.op;
    for (;;) {
      Node* right = expression(first.precedence + 1);
      Node* pair = make_op(NodeKind::binary, op, at, {left, right});
      all = all == nullptr ? pair : make_op(NodeKind::binary, Op::logical_and, at, {all, pair});
      if (trouble_) return nullptr;
      const Binary* more = binary_of(now());
      if (more == nullptr || !is_comparison(more->op)) return all;
      left = right;
      op = more->op;
      at = now().at;
      next();
    }
  }

  Node* declaration() {
    next();
    if (now().kind != TokenKind::name) return unexpected("a name after \"let\"");
    const Token name = now();
    next();
    if (!expect_op("=")) return nullptr;
    Node* value = expression(0);
    if (trouble_ || !expect_op(";")) return nullptr;
    Node* body = sequence();
    return make_named(NodeKind::declaration, name.text, name.at, {value, body});
  }

  Node* conditional_if() {
    const Level level(*this);
    const std::size_t at = now().at;
    next();
    Node* condition = expression(0);
    Node* then = block();
    if (trouble_ || !expect_op("else")) return nullptr;
    Node* otherwise = now().is_op("if") ? conditional_if() : block();
    return make(NodeKind::conditional, at, {condition, then, otherwise});
  }

  Node* block() {
    if (trouble_ || !expect_bracket('{')) return nullptr;
    Node* body = sequence();
    if (trouble_ || !expect_bracket('}')) return nullptr;
    return body;
  }

  Node* conditional(Node* node) {
    while (!trouble_ && now().is_op("?")) {
      const std::size_t at = now().at;
      next();
      Node* then = node;  // a ?: b
      if (!now().is_op(":")) then = expression(0);
      if (trouble_ || !expect_op(":")) return nullptr;
      Node* otherwise = expression(0);
      node = make(NodeKind::conditional, at, {node, then, otherwise});
    }
    return node;
  }

  Node* primary() {
    const Token& token = now();
    const std::size_t at = token.at;
    if (token.kind == TokenKind::op) {
      const auto* unary = std::ranges::find(kUnary, token.text, &Unary::text);
      if (unary != kUnary.end()) {
        next();
        Node* operand = expression(unary->precedence);
        return postfix(make_op(NodeKind::unary, unary->op, at, {operand}));
      }
    }
    if (token.is_bracket('(')) {
      next();
      Node* inside = sequence();
      if (trouble_ || !expect_bracket(')')) return nullptr;
      return postfix(inside);
    }
    if (predicates_ > 0 && (token.is_op("#") || token.is_op("."))) return postfix(pointer());
    if (token.is_op("::")) {
      next();
      if (now().kind != TokenKind::name) return unexpected("a function's name after \"::\"");
      const Token name = now();
      next();
      return postfix(call(name, {}, false));
    }
    return secondary();
  }

  /// `#`, `#acc`; a leading dot stands for `#.`.
  Node* pointer() {
    const std::size_t at = now().at;
    std::string name;
    if (now().is_op("#")) {
      next();
      if (now().kind == TokenKind::name) {
        name = now().text;
        next();
      }
    }
    return make_named(NodeKind::pointer, name, at);
  }

  Node* secondary() {
    const Token token = now();
    switch (token.kind) {
      case TokenKind::name:
        next();
        return named(token);
      case TokenKind::number:
        next();
        return number(token);
      case TokenKind::string:
        next();
        return postfix(make_value(NodeKind::text, make_text(token.text), token.at));
      case TokenKind::bracket:
        if (token.is_bracket('[')) return postfix(list());
        if (token.is_bracket('{')) return postfix(map());
        break;
      case TokenKind::op:
      case TokenKind::end:
        break;
    }
    return unexpected("a value");
  }

  /// After a literal no member is looked for: true.x is an error, as upstream has it.
  Node* named(const Token& token) {
    if (token.text == "true" || token.text == "false") {
      return make_value(NodeKind::boolean, token.text == "true", token.at);
    }
    if (token.text == "nil") return make(NodeKind::nil, token.at);
    if (now().is_bracket('(')) return postfix(call(token, {}, true));
    return postfix(make_named(NodeKind::name, token.text, token.at));
  }

  Node* number(const Token& token) {
    std::string digits = token.text;
    std::erase(digits, '_');
    const char second = digits.size() > 1 && digits[0] == '0' ? digits[1] : '\0';
    const bool hex = second == 'x' || second == 'X';
    if (!hex && digits.find_first_of(".eE") != std::string::npos) {
      const auto value = read_float(digits);
      if (!value) return fail(token.at, fmt::format("{} is no number", printable(digits, 40)));
      return make_value(NodeKind::number, *value, token.at);
    }
    int base = 10;
    if (hex) base = 16;
    if (second == 'b' || second == 'B') base = 2;
    if (second == 'o' || second == 'O') base = 8;
    const char* first = digits.data() + (base == 10 ? 0 : 2);
    const char* last = digits.data() + digits.size();
    std::int64_t value = 0;
    const auto read = std::from_chars(first, last, value, base);
    if (read.ec != std::errc() || read.ptr != last) {
      return fail(token.at, fmt::format("{} is no integer of 64 bits", printable(digits, 40)));
    }
    return make_value(NodeKind::integer, value, token.at);
  }

  Node* call(const Token& name, std::vector<Node*> arguments, bool may_be_hidden) {
    const bool hidden = may_be_hidden && std::ranges::find(names_, name.text) != names_.end();
    const Builtin* builtin = hidden ? nullptr : find_builtin(name.text);
    if (builtin == nullptr) {
      Node* callee = make_named(NodeKind::name, name.text, name.at);
      arguments.insert(arguments.begin(), callee);
      if (!parse_arguments(arguments, arguments.size())) return nullptr;
      return make(NodeKind::call, name.at, std::move(arguments));
    }
    if (builtin->form != Form::plain) {
      if (!predicate_arguments(*builtin, arguments)) return nullptr;
    } else if (!parse_arguments(arguments, arguments.size())) {
      return nullptr;
    }
    Node* node = make_named(NodeKind::builtin, name.text, name.at, std::move(arguments));
    if (node != nullptr) node->builtin = builtin;
    return node;
  }

  /// Those after the first `given` come from the text.
  bool parse_arguments(std::vector<Node*>& arguments, std::size_t given) {
    if (trouble_ || !expect_bracket('(')) return false;
    while (!trouble_ && !now().is_bracket(')')) {
      if (arguments.size() > given) {
        if (!comma_or(')')) return false;
        if (now().is_bracket(')')) break;
      }
      arguments.push_back(expression(0));
    }
    return !trouble_ && expect_bracket(')');
  }

  /// A list, what to do with each, and for some functions one argument more.
  bool predicate_arguments(const Builtin& builtin, std::vector<Node*>& arguments) {
    if (trouble_ || !expect_bracket('(')) return false;
    const std::size_t given = arguments.size();
    const std::size_t most = builtin.form == Form::predicate_and_more ? 3 : 2;
    const std::size_t least = builtin.form == Form::optional_predicate ? 1 : 2;
    for (std::size_t i = given; i < most; ++i) {
      if (now().is_bracket(')')) {
        if (i < least) return unexpected(fmt::format("{} arguments", least)) != nullptr;
        break;
      }
      if (i > given && !expect_op(",")) return false;
      if (i > given && i >= least && now().is_bracket(')')) {
        return unexpected("an argument") != nullptr;
      }
      arguments.push_back(i == 1 ? predicate() : expression(0));
      if (trouble_) return false;
    }
    if (now().is_op(",")) next();
    return expect_bracket(')');
  }

  Node* predicate() {
    const std::size_t at = now().at;
    const bool braces = now().is_bracket('{');
    if (braces) next();
    ++predicates_;
    Node* body = braces ? sequence() : expression(0);
    --predicates_;
    if (trouble_) return nullptr;
    if (!braces && now().is_op(";")) return fail(now().at, "put braces around: { …; … }");
    if (braces && !expect_bracket('}')) return nullptr;
    return make(NodeKind::predicate, at, {body});
  }

  Node* list() {
    const std::size_t at = now().at;
    next();
    std::vector<Node*> items;
    while (!trouble_ && !now().is_bracket(']')) {
      if (!items.empty()) {
        if (!comma_or(']')) return nullptr;
        if (now().is_bracket(']')) break;
      }
      items.push_back(expression(0));
    }
    if (trouble_ || !expect_bracket(']')) return nullptr;
    return make(NodeKind::list, at, std::move(items));
  }

  Node* map() {
    const std::size_t at = now().at;
    next();
    std::vector<Node*> parts;
    while (!trouble_ && !now().is_bracket('}')) {
      if (!parts.empty()) {
        if (!comma_or('}')) return nullptr;
        if (now().is_bracket('}')) break;
      }
      parts.push_back(key());
      if (trouble_ || !expect_op(":")) return nullptr;
      parts.push_back(expression(0));
      ++count_;  // upstream counts the pair, too
    }
    if (trouble_ || !expect_bracket('}')) return nullptr;
    return make(NodeKind::map, at, std::move(parts));
  }

  Node* key() {
    const Token token = now();
    switch (token.kind) {
      case TokenKind::name:
      case TokenKind::number:
      case TokenKind::string:
        next();
        return make_value(NodeKind::text, make_text(token.text), token.at);
      default:
        if (token.is_bracket('(')) return expression(0);
        return unexpected("a key: a name, a number, a string or (…)");
    }
  }

  /// .name, ?.name, .name(…), [index], ?.[index], [from:to], as many as follow.
  Node* postfix(Node* node) {
    while (!trouble_) {
      const bool optional = now().is_op("?.");
      if (now().is_bracket('[')) {
        next();
        node = index(node, false);
      } else if (optional && after().is_bracket('[')) {
        next();
        next();
        node = index(node, true);
      } else if (optional || now().is_op(".")) {
        next();
        node = member(node, optional);
      } else {
        return node;
      }
    }
    return nullptr;
  }

  Node* member(Node* object, bool optional) {
    const Token name = now();
    const bool word = name.kind == TokenKind::op && !name.text.empty() && name.text[0] >= 'a' &&
                      name.text[0] <= 'z';
    if (name.kind != TokenKind::name && !word) return unexpected("a name after the dot");
    next();
    const bool chained = object->kind == NodeKind::chain;
    if (chained) object = object->children[0];
    Node* key = make_value(NodeKind::text, make_text(name.text), name.at);
    Node* node = make(NodeKind::member, name.at, {object, key});
    if (node == nullptr) return nullptr;
    node->optional = optional;
    if (now().is_bracket('(')) {
      node->method = true;
      std::vector<Node*> arguments{node};
      if (!parse_arguments(arguments, 1)) return nullptr;
      node = make(NodeKind::call, name.at, std::move(arguments));
    }
    if (chained || optional) node = make(NodeKind::chain, name.at, {node});
    return node;
  }

  /// After the opening bracket.
  Node* index(Node* object, bool optional) {
    const std::size_t at = now().at;
    Node* from = nullptr;
    if (!now().is_op(":")) {
      from = expression(0);
      if (trouble_) return nullptr;
      if (!now().is_op(":")) {
        Node* node = make(NodeKind::member, at, {object, from});
        if (node != nullptr) node->optional = optional;
        if (optional) node = make(NodeKind::chain, at, {node});
        return trouble_ || !expect_bracket(']') ? nullptr : node;
      }
    }
    next();
    Node* to = now().is_bracket(']') ? nullptr : expression(0);
    if (trouble_ || !expect_bracket(']')) return nullptr;
    return make(NodeKind::slice, at, {object, from, to});
  }

  std::span<const std::string> names_;
  Tree& tree_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int level_ = 0;
  int predicates_ = 0;
  int count_ = 0;
  std::optional<Trouble> trouble_;
};

}  // namespace

std::optional<Trouble> parse(std::string_view text, std::span<const std::string> names,
                             Tree& tree) {
  return Parser(names, tree).run(text);
}

}  // namespace headroom::formula
