#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "policy/autoscaler.h"
#include "target/spawn.h"

namespace headroom::target {

using Environment = std::map<std::string, std::string, std::less<>>;

/// $(PORT) and $(SOCKET) become the variable's value where there is one; $$(PORT) is a literal
/// $(PORT). Nothing else is touched: the document's reader has replaced every other $(NAME).
std::string expand(std::string_view text, const Environment& variables);

/// Whether the replica wants a Unix socket: its command or environment names $(SOCKET).
bool wants_socket(const policy::Process& spec);

/// What this process was started with.
Environment own_environment();

/// The environment of a replica: `base`, `given` (PORT or SOCKET and the like), then the
/// policy's, which may name them.
Environment replica_environment(Environment base, const Environment& given,
                                const policy::Process& spec);

Command make_command(const std::vector<std::string>& argv, const Environment& environment,
                     const std::string& working_directory);

}  // namespace headroom::target
