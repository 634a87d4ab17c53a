#pragma once

#include <deque>
#include <unordered_map>

#include "policy/tree.h"

namespace headroom::policy {

/// YAML's merge key: a map's "<<" takes over the fields of another map, or of those of a list, that
/// the map does not have itself; of several the first wins. Kubernetes' tools know it.
class MergeKeys {
 public:
  /// The document with all its merge keys followed; what has none is the same node. Both live as
  /// long as this and the document's tree. Linear in the distinct nodes, but for the fields that
  /// are taken over.
  const Node& follow(const Node& node);

 private:
  std::deque<Node> made_;
  std::unordered_map<const Node*, const Node*> known_;
};

}  // namespace headroom::policy
