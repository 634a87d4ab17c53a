#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "formula/datum.h"
#include "formula/regex.h"

/// A formula as a tree: made by the parser, given types by the checker, rewritten by the
/// optimiser, walked by the machine.
namespace headroom::formula {

/// What is known of a value before a run. `unknown` and `any` may both be anything; they differ
/// in what they may be taken for, as in upstream's checker.
enum class Kind {
  unknown,
  any,
  nil,
  boolean,
  integer,
  number,
  text,
  list,
  duration,
  time,
  function,
};

struct Type {
  Kind kind = Kind::unknown;
  const Type* element = nullptr;  // a list's, where it is known better than `any`

  bool open() const { return kind == Kind::unknown || kind == Kind::any; }
  bool whole() const { return kind == Kind::integer; }
  bool numeric() const { return whole() || kind == Kind::number; }
};

enum class Op {
  none,
  negate,
  keep,  // unary +
  logical_not,
  logical_or,
  logical_and,
  equal,
  unequal,
  less,
  more,
  at_most,
  at_least,
  in,
  matches,
  contains,
  starts_with,
  ends_with,
  range,
  add,
  subtract,
  multiply,
  divide,
  modulo,
  power,
  coalesce,
};

enum class NodeKind {
  nil,
  boolean,
  integer,
  number,
  text,
  constant,     // a list of literals, made by the optimiser
  name,         // a variable, a trigger, a function
  unary,        // operand
  binary,       // left, right
  member,       // object, key
  slice,        // object, from, to; the ends may be null
  method,       // object
  builtin,      // arguments…
  predicate,    // body
  pointer,      // #, #acc, #index by name
  declaration,  // value, body
  sequence,     // parts…
  conditional,  // condition, then, else
  list,         // items…
  sum_of_list,  // items…: a + (b + (c + d))
};

struct Builtin;
struct Method;

struct Node {
  NodeKind kind = NodeKind::nil;
  Op op = Op::none;
  std::string name;
  std::vector<Node*> children;
  Datum value;  // a literal's
  Type type;
  std::size_t at = 0;
  int depth = 1;
  int slot = -1;               // a declared variable's, or a trigger's
  bool declared = false;       // `slot` is a declared variable's
  bool from_end = false;       // find: the last one
  bool throws = false;         // find: fails where nothing is found
  std::int64_t threshold = 0;  // count: stops there; 0: does not
  const Builtin* builtin = nullptr;
  const Method* method = nullptr;
  const Regex* regex = nullptr;  // of matches
  bool checked = false;          // a node that hangs twice is visited once
  int pass = 0;                  // the last pass of the optimiser that was here,
  Node* replacement = nullptr;   // and what it put in this node's place
};

/// Owns its nodes and types; a node may hang in several places.
struct Tree {
  std::deque<Node> nodes;
  std::deque<Type> types;
  std::deque<Regex> regexes;
  Node* root = nullptr;
  int variables = 0;  // slots that declarations need
};

/// Trees are walked by recursion.
inline constexpr int kMaxDepth = 500;

inline bool is_builtin(const Node& node, std::string_view name) {
  return node.kind == NodeKind::builtin && node.name == name;
}

}  // namespace headroom::formula
