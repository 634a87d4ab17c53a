#pragma once

#include <optional>

namespace headroom::server {

/// What Linux says of this process; none: it could not be read.
struct ProcessFacts {
  std::optional<double> cpu_seconds, resident_bytes, virtual_bytes, open_fds, max_fds,
      start_unix_seconds;
};
ProcessFacts process_facts();

}  // namespace headroom::server
