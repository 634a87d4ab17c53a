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

/// Recursive descent.
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
  void next() { at_ = std::min(at_ + 1, tokens_.size() - 1); }
  /// Whether it is there; then it is passed.
  bool accept_op(std::string_view op) {
    if (!now().is_op(op)) return false;
    next();
    return true;
  }
  /// Nothing is read after it: all that is looked for from here on is not found, and what is wrong
  /// first stays.
  Node* fail(std::size_t at, std::string what) {
    if (!trouble_) trouble_ = Trouble{at, std::move(what)};
    at_ = tokens_.size() - 1;
    return &wrong_;
  }
  Node* unexpected(std::string_view expected) {
    return fail(now().at, fmt::format("found {}, expected {}", describe(now()), expected));
  }
  Node* too_deep(std::size_t at) {
    return fail(at, fmt::format("nested too deeply: at most {} levels", kMaxDepth));
  }
  Node* not_supported(std::size_t at, std::string_view what) {
    return fail(at, fmt::format("{} not supported here", what));
  }
  void expect_op(std::string_view op) {
    if (!accept_op(op)) unexpected(fmt::format("\"{}\"", op));
  }
  void expect_bracket(char c) {
    if (!now().is_bracket(c)) unexpected(fmt::format("\"{}\"", c));
    next();
  }

  /// Given even where something is wrong: the tree is thrown away then.
  Node* make(NodeKind kind, std::size_t at, std::vector<Node*> children = {}) {
    if (++count_ > kMaxNodes) {
      fail(at, fmt::format("too long: at most {} operators and values", kMaxNodes));
    }
    Node& node = tree_.nodes.emplace_back();
    node.kind = kind;
    node.at = at;
    node.children = std::move(children);
    for (const Node* child : node.children) {
      if (child != nullptr) node.depth = std::max(node.depth, child->depth + 1);
    }
    if (node.depth > kMaxDepth) too_deep(at);
    return &node;
  }
  Node* make_op(NodeKind kind, Op op, std::size_t at, std::vector<Node*> children) {
    Node* node = make(kind, at, std::move(children));
    node->op = op;
    return node;
  }
  Node* make_named(NodeKind kind, std::string name, std::size_t at,
                   std::vector<Node*> children = {}) {
    Node* node = make(kind, at, std::move(children));
    node->name = std::move(name);
    return node;
  }
  Node* make_value(NodeKind kind, Datum value, std::size_t at) {
    Node* node = make(kind, at);
    node->value = std::move(value);
    return node;
  }

  Node* sequence() {
    std::vector<Node*> parts{expression(0)};
    while (accept_op(";")) {
      if (now().kind == TokenKind::end) break;
      parts.push_back(expression(0));
    }
    if (parts.size() == 1) return parts[0];
    const std::size_t at = parts[0]->at;
    return make(NodeKind::sequence, at, std::move(parts));
  }

  Node* expression(int precedence) {
    const Level level(*this);
    if (precedence == 0 && now().is_op("let")) return declaration();
    if (precedence == 0 && now().is_op("if")) return conditional_if();
    Node* left = primary();
    std::string_view before;
    for (;;) {
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
      return call(name, {left});
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
    expect_op("=");
    Node* value = expression(0);
    expect_op(";");
    Node* body = sequence();
    return make_named(NodeKind::declaration, name.text, name.at, {value, body});
  }

  Node* conditional_if() {
    const Level level(*this);
    const std::size_t at = now().at;
    next();
    Node* condition = expression(0);
    Node* then = block();
    expect_op("else");
    Node* otherwise = now().is_op("if") ? conditional_if() : block();
    return make(NodeKind::conditional, at, {condition, then, otherwise});
  }

  Node* block() {
    expect_bracket('{');
    Node* body = sequence();
    expect_bracket('}');
    return body;
  }

  Node* conditional(Node* node) {
    while (now().is_op("?")) {
      const std::size_t at = now().at;
      next();
      Node* then = now().is_op(":") ? node : expression(0);  // a ?: b
      expect_op(":");
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
      expect_bracket(')');
      return postfix(inside);
    }
    if (predicates_ > 0 && token.is_op("#")) return postfix(pointer());
    if (token.is_op("::")) return not_supported(at, "\"::\" is");
    if (token.is_bracket('{')) return not_supported(at, "a map is");
    return secondary();
  }

  /// `#`, `#acc`, `#index`.
  Node* pointer() {
    const std::size_t at = now().at;
    next();
    std::string name;
    if (now().kind == TokenKind::name) {
      name = now().text;
      next();
    }
    return make_named(NodeKind::pointer, std::move(name), at);
  }

  Node* secondary() {
    const Token token = now();
    if (token.is_bracket('[')) return postfix(list());
    if (token.kind == TokenKind::name) {
      next();
      return named(token);
    }
    if (token.kind == TokenKind::number) {
      next();
      return number(token);
    }
    if (token.kind != TokenKind::string) return unexpected("a value");
    next();
    return postfix(make_value(NodeKind::text, make_text(token.text), token.at));
  }

  /// After a literal no member is looked for: true.x is an error, as upstream has it.
  Node* named(const Token& token) {
    if (token.text == "true" || token.text == "false") {
      return make_value(NodeKind::boolean, token.text == "true", token.at);
    }
    if (token.text == "nil") return make(NodeKind::nil, token.at);
    if (now().is_bracket('(')) return postfix(call(token, {}));
    return postfix(make_named(NodeKind::name, token.text, token.at));
  }

  Node* number(const Token& token) {
    std::string digits = token.text;
    std::erase(digits, '_');
    const std::string_view prefix = std::string_view(digits).substr(0, 2);
    const bool hex = prefix == "0x" || prefix == "0X";
    if (!hex && digits.find_first_of(".eE") != std::string::npos) {
      const auto value = read_go_float(digits);
      if (!value) return fail(token.at, fmt::format("{} is no number", printable(digits, 40)));
      return make_value(NodeKind::number, *value, token.at);
    }
    int base = 10;
    if (hex) base = 16;
    if (prefix == "0b" || prefix == "0B") base = 2;
    if (prefix == "0o" || prefix == "0O") base = 8;
    const char* first = digits.data() + (base == 10 ? 0 : 2);
    const char* last = digits.data() + digits.size();
    std::int64_t value = 0;
    const auto read = std::from_chars(first, last, value, base);
    if (read.ec != std::errc() || read.ptr != last) {
      return fail(token.at, fmt::format("{} is no integer of 64 bits", printable(digits, 40)));
    }
    return make_value(NodeKind::integer, value, token.at);
  }

  /// A trigger's name hides the function of that name. `arguments`: what was piped into it.
  Node* call(const Token& name, std::vector<Node*> arguments) {
    const Builtin* builtin = find_builtin(name.text);
    if (std::ranges::find(names_, name.text) != names_.end()) {
      return fail(name.at, fmt::format("\"{}\" is a number, not a function", name.text));
    }
    if (is_upstreams(name.text)) {
      return not_supported(name.at, fmt::format("the function {} is", name.text));
    }
    if (builtin == nullptr) {
      return fail(name.at, fmt::format("there is no function \"{}\"", printable(name.text, 60)));
    }
    if (builtin->over == Over::nothing) {
      expect_bracket('(');
      items(')', arguments);
    } else {
      predicate_arguments(builtin->over, arguments);
    }
    Node* node = make_named(NodeKind::builtin, name.text, name.at, std::move(arguments));
    node->builtin = builtin;
    return node;
  }

  /// What stands between commas up to the closing bracket, before which there may be one more.
  void items(char close, std::vector<Node*>& items) {
    for (bool more = true; more && !now().is_bracket(close);) {
      items.push_back(expression(0));
      more = accept_op(",");
      if (!more && !now().is_bracket(close)) {
        unexpected(fmt::format("\",\" or \"{}\"", close));
      }
    }
    expect_bracket(close);
  }

  /// A list, what to do with each, and for some functions one argument more.
  void predicate_arguments(Over over, std::vector<Node*>& arguments) {
    expect_bracket('(');
    const std::size_t given = arguments.size();
    const std::size_t most = over == Over::reduce ? 3 : 2;
    const std::size_t least = over == Over::count || over == Over::sum ? 1 : 2;
    for (std::size_t i = given; i < most; ++i) {
      if (i >= least && now().is_bracket(')')) break;
      if (i > given) expect_op(",");
      arguments.push_back(i == 1 ? predicate() : expression(0));
    }
    accept_op(",");
    expect_bracket(')');
  }

  Node* predicate() {
    const std::size_t at = now().at;
    const bool braces = now().is_bracket('{');
    if (braces) next();
    ++predicates_;
    Node* body = braces ? sequence() : expression(0);
    --predicates_;
    if (braces) {
      expect_bracket('}');
    } else if (now().is_op(";")) {
      return fail(now().at, "put braces around: { …; … }");
    }
    return make(NodeKind::predicate, at, {body});
  }

  Node* list() {
    const std::size_t at = now().at;
    next();
    std::vector<Node*> all;
    items(']', all);
    return make(NodeKind::list, at, std::move(all));
  }

  /// .name, .name(), [index], [from:to], as many as follow.
  Node* postfix(Node* node) {
    for (;;) {
      const std::size_t at = now().at;
      if (now().is_bracket('[')) {
        next();
        node = index(node);
      } else if (accept_op(".")) {
        node = member(node);
      } else {
        return now().is_op("?.") ? not_supported(at, "\"?.\" is") : node;
      }
    }
  }

  /// After the dot.
  Node* member(Node* object) {
    const Token name = now();
    const bool word = name.kind == TokenKind::op && name.text[0] >= 'a' && name.text[0] <= 'z';
    if (name.kind != TokenKind::name && !word) return unexpected("a name after the dot");
    next();
    if (now().is_bracket('(')) {
      next();
      expect_bracket(')');
      return make_named(NodeKind::method, name.text, name.at, {object});
    }
    Node* key = make_value(NodeKind::text, make_text(name.text), name.at);
    return make(NodeKind::member, name.at, {object, key});
  }

  /// After the opening bracket.
  Node* index(Node* object) {
    const std::size_t at = now().at;
    Node* from = now().is_op(":") ? nullptr : expression(0);
    if (!accept_op(":")) {
      expect_bracket(']');
      return make(NodeKind::member, at, {object, from});
    }
    Node* to = now().is_bracket(']') ? nullptr : expression(0);
    expect_bracket(']');
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
  Node wrong_;  // what is handed back in place of a node
};

}  // namespace

std::optional<Trouble> parse(std::string_view text, std::span<const std::string> names,
                             Tree& tree) {
  return Parser(names, tree).run(text);
}

}  // namespace headroom::formula
