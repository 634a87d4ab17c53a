#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "base/address.h"
#include "policy/autoscaler.h"
#include "target/spawn.h"

namespace headroom::target {

/// What a probe is aimed at.
struct ProbeTarget {
  Address replica;                                                  // where it takes requests
  std::function<Command(const std::vector<std::string>&)> command;  // how its exec probes run
};

struct Outcome {
  bool ok = false;
  bool refused = false;  // nobody listens there (yet)
  std::string why;       // "GET /readyz: status 503"
};

/// One try of a probe. `done` is called once, on the io_context's thread and not from here;
/// never after the Attempt is destroyed.
class Attempt {
 public:
  virtual ~Attempt() = default;
};

std::unique_ptr<Attempt> attempt(boost::asio::io_context& io, const policy::Probe& probe,
                                 const ProbeTarget& target, std::function<void(Outcome)> done);

}  // namespace headroom::target
