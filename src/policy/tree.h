#pragma once

#include <deque>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace headroom::policy {

/// A place in the text: line from 1, column in bytes from 1; 0: unknown.
struct Place {
  int line = 0;
  int column = 0;
};

/// Everything that is wrong with a text, at most kMost things.
class Problems {
 public:
  static constexpr std::size_t kMost = 20;

  void add(Place place, std::string what);
  bool any() const { return !list_.empty(); }
  bool full() const { return list_.size() >= kMost; }

  /// All in one, one per line, in the order of their places; there must be one. Columns become
  /// characters, as editors count.
  Error error(const std::string& file, std::string_view text) const;
  /// The same one by one; there may be none.
  std::vector<Error> errors(const std::string& file, std::string_view text) const;

 private:
  struct Problem {
    Place place;
    std::string what;
  };
  std::vector<Problem> list_;
};

/// A node of a document. Aliases are pointers to the node that they name, so a node may stand
/// in several places.
struct Node {
  enum class Kind { null, scalar, sequence, map };
  Kind kind = Kind::null;
  bool quoted = false;  // a scalar in quotes is a text
  bool open = true;     // not all read yet
  Place place;
  std::string text;                // scalar
  std::vector<const Node*> items;  // sequence; map: name, value, name, value, …
  std::size_t nodes = 1;           // of it and all below, aliases expanded
  std::size_t bytes = 0;           // of the texts of those
  std::size_t height = 1;

  /// A map's value of that name, nullptr where there is none, or where it is no map.
  const Node* find(std::string_view name) const;
  /// The value at the end of a path of names, nullptr where there is none or nothing (null).
  const Node* find(std::initializer_list<std::string_view> path) const;
};

/// "nothing", "a text", "a list" or "a map".
std::string_view words_of(Node::Kind kind);

struct Tree {
  std::deque<Node> nodes;
  std::vector<const Node*> documents;  // the roots; empty documents are left out
};

/// Reads a YAML stream. Names of a map are scalars, each there once. On a problem the tree holds
/// what could be read.
/// Bounds: 1 MiB of text; with aliases expanded 100,000 nodes of 4 MiB of text, 64 levels;
/// 1,000 documents.
Tree parse(std::string_view text, Problems& problems);

inline constexpr std::size_t kMostText = 1 << 20;

}  // namespace headroom::policy
