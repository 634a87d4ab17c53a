#pragma once

#include <string>
#include <vector>

#include "policy/autoscaler.h"
#include "policy/read.h"

namespace headroom::cli {

struct ServeOptions {
  std::string file;     // watched and read again; empty: the document came from flags
  std::string journal;  // its path; replicas' sockets and outputs are beside it
  int threads = 0;      // the gateway's; 0: the cores, at most 4
};

/// The environment of this process, for $(NAME) in documents.
policy::Environment environment();

/// Runs the autoscalers until SIGTERM or SIGINT has stopped them. A second signal kills the
/// replicas and ends the process at once with 128 + its number.
/// The exit code: 0 stopped as asked, 1 something could not be started (said on stderr).
int serve(const ServeOptions& options, const std::vector<policy::Autoscaler>& wanted);

}  // namespace headroom::cli
