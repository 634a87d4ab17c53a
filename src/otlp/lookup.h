#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "base/time.h"

namespace headroom::otlp {

/// Looks up names without being held up by it: the resolver takes as long as it likes, in a
/// thread of its own, of which there is at most one.
class Lookup {
 public:
  /// The addresses, at least one. Calls `meanwhile` as Client::post() does.
  /// Errors: unavailable (no such name, no answer until `deadline`, given up).
  Result<std::vector<Address>> find(const std::string& host, const std::string& port,
                                    std::chrono::steady_clock::time_point deadline,
                                    const std::function<bool()>& meanwhile);

 private:
  struct Question;
  std::shared_ptr<Question> open_;  // not answered yet
};

}  // namespace headroom::otlp
