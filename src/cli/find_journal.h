#pragma once

#include <string>

#include "base/result.h"
#include "journal/journal.h"

namespace headroom::cli {

/// To read: the journal at `path` where one is said, else the autoscaler's own, else the newest
/// that knows it (without a name: the newest). Errors: unavailable, saying what to do.
Result<journal::Journal> find_journal(const std::string& path, const std::string& name);

}  // namespace headroom::cli
