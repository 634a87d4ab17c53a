#pragma once

#include <string>

#include "base/fd.h"
#include "target/handed.h"

namespace headroom::control {

/// One autoscaler as it is handed to a successor. What it has decided is in the journal.
struct HandedScaler {
  std::string document;  // that its replicas run by
  Fd listener;           // empty: it has no gateway
  target::HandedProcess process;
};

}  // namespace headroom::control
