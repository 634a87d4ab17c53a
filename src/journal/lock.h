#pragma once

#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace headroom::journal {

/// Takes the lock file, writing this process's id into it; it is held as long as the Fd lives.
/// Errors: conflict (another process holds it; its id is named), unavailable (not writable).
Result<Fd> take_lock(const std::string& path);

}  // namespace headroom::journal
