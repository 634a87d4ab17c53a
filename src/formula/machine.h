#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "formula/builtins.h"
#include "formula/tree.h"

namespace headroom::formula {

/// Walks a tree once.
class Machine {
 public:
  Machine(const Tree& tree, Workspace& space);

  /// False: the workspace says why, at() where.
  bool run(Datum& out) { return eval(*tree_.root, out); }
  std::size_t at() const { return at_; }

 private:
  struct Scope {  // of the innermost predicate
    const List* list = nullptr;
    std::size_t index = 0;
    Datum acc;
  };

  bool eval(const Node& node, Datum& out);
  bool dispatch(const Node& node, Datum& out);
  bool operand(const Node& node, Datum& out);
  bool operands(const Node& node, std::span<Datum> out);
  bool fail(std::string what) { return space_.fail(std::move(what)); }
  bool fail_kind(const Datum& found, std::string_view expected);

  bool name(const Node& node, Datum& out);
  bool unary(const Node& node, Datum& out);
  bool binary(const Node& node, Datum& out);
  bool logical(const Node& node, Datum& out);
  bool apply(const Node& node, const Datum& left, const Datum& right, Datum& out);
  bool equality(const Node& node, const Datum& left, const Datum& right, bool& out);
  bool range(const Datum& from, const Datum& to, Datum& out);
  bool in(const Datum& needle, const Datum& hay, Datum& out);
  bool on_texts(const Node& node, const Datum& left, const Datum& right, Datum& out);
  bool member(const Node& node, Datum& out);
  bool slice(const Node& node, Datum& out);
  bool method(const Node& node, Datum& out);
  bool pointer(const Node& node, Datum& out);
  bool declaration(const Node& node, Datum& out);
  bool conditional(const Node& node, Datum& out);
  bool list(const Node& node, Datum& out);
  bool sum_of_list(const Node& node, Datum& out);

  bool function(const Node& node, Datum& out);
  bool over_list(const Node& node, Datum& out);
  bool over_items(const Node& node, Datum& out);
  bool item(const Node& node, Datum& out);
  bool truth(const Node& node, bool& out);
  bool decide(const Node& node, Datum& out);
  bool count(const Node& node, Datum& out);
  bool filter(const Node& node, Datum& out);
  bool map_items(const Node& node, Datum& out);
  bool find(const Node& node, Datum& out);
  bool sum(const Node& node, Datum& out);
  bool reduce(const Node& node, Datum& out);

  const Tree& tree_;
  Workspace& space_;
  std::vector<Datum> variables_;
  Scope scope_;
  std::size_t at_ = 0;
  bool failed_ = false;
  bool left_over_ = false;  // upstream's stack has something below the value: see operand()
};

}  // namespace headroom::formula
