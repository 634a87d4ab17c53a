#pragma once

#include <string>

#include "base/result.h"
#include "journal/journal.h"

namespace headroom::cli {

/// To read: the journal at `path` where one is said, else that of the running Headroom which has
/// the autoscaler, else the one in which its newest decision is (without a name: what was written
/// last). Errors: unavailable, saying what to do.
Result<journal::Journal> find_journal(const std::string& path, const std::string& name);

}  // namespace headroom::cli
