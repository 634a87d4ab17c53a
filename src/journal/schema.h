#pragma once

#include <string>

#include "base/result.h"
#include "journal/sqlite.h"

namespace headroom::journal {

/// Opens the file for writing, making it and its tables where there is none, and adding those that
/// an earlier version had not.
/// Errors: unavailable (damaged, not writable, of a later version, of another program).
Result<Database> open_to_write(const std::string& path);

/// Opens it for reading beside a writer, also one of an earlier version. Errors: as above, and
/// where there is no such file.
Result<Database> open_to_read(const std::string& path);

}  // namespace headroom::journal
