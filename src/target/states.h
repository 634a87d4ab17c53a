#pragma once

#include "base/meaning.h"
#include "target/process.h"

namespace headroom::target {

/// What each state of a replica is called, means, and asks for. A new one without a case does not
/// compile.
constexpr Meaning about(Replica::State state) {
  switch (state) {
    case Replica::State::starting:
      return {
          "starting", "its process runs, and it is not ready to get traffic",
          "Nothing, if it passes. Else see whether it listens on $(PORT), and what its readiness "
          "probe asks for.",
          ""};
    case Replica::State::ready:
      return {"ready", "it gets traffic", "Nothing.", ""};
    case Replica::State::draining:
      return {"draining", "it gets no new request, and finishes those that are open",
              "Nothing. gateway.drain says how long it may take.", ""};
    case Replica::State::backing_off:
      return {"backingOff", "it ended unasked, and waits to be started again, longer each time",
              "Read its last lines: `headroom events NAME --kind trouble`.", ""};
  }
  return {};
}

}  // namespace headroom::target
