#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace CLI {  // NOLINT(readability-identifier-naming): the name is CLI11's
class App;
}

/// Where Headroom keeps what it must remember.
namespace headroom::cli {

/// --journal PATH.
void add_journal_flag(CLI::App& verb, std::string& to, const char* about);

/// $STATE_DIRECTORY (systemd's), else $XDG_STATE_HOME/headroom/<name>, else
/// ~/.local/state/headroom/<name>, each with /journal.db.
/// Errors: invalid where none of the variables is set.
Result<std::string> journal_path(const std::string& name);

/// The journals there are, newest first: where journal_path() puts them, and, for those who may
/// look there, the units' in /var/lib/headroom.
std::vector<std::string> known_journals();

/// Makes the folder that `file` is in, and those above it.
/// Errors: unavailable.
Result<void> make_folder_of(const std::string& file);

}  // namespace headroom::cli
