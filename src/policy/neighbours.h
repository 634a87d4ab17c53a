#pragma once

#include <string>
#include <vector>

#include "policy/autoscaler.h"
#include "policy/tree.h"

namespace headroom::policy {

/// What the documents of one stream must not share: names and addresses.
class Neighbours {
 public:
  /// Says what `autoscaler`, read from `document`, shares with those before it; remembers it.
  void check(const Node& document, const Autoscaler& autoscaler, Problems& problems);

 private:
  struct Seen {
    std::string namespace_, name;
    std::string listen;
    int line = 0;
  };
  std::vector<Seen> seen_;
};

}  // namespace headroom::policy
