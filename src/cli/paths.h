#pragma once

#include <string>
#include <vector>

#include "base/result.h"

/// Where Headroom keeps what it must remember.
namespace headroom::cli {

/// $STATE_DIRECTORY (systemd's), else $XDG_STATE_HOME/headroom/<name>, else
/// ~/.local/state/headroom/<name>, each with /journal.db.
/// Errors: invalid where none of the variables is set.
Result<std::string> journal_path(const std::string& name);

/// The journals there are, newest first.
std::vector<std::string> known_journals();

/// Makes the folder that `file` is in, and those above it.
/// Errors: unavailable.
Result<void> make_folder_of(const std::string& file);

}  // namespace headroom::cli
