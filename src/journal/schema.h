#pragma once

#include <string>

#include "base/result.h"
#include "journal/sqlite.h"

namespace headroom::journal {

/// Opens the file for writing, making it and its tables where there is none, and adding those that
/// an earlier version had not.
/// Errors: unavailable (damaged, not writable, of a later version, of another program).
Result<Database> open_to_write(const std::string& path);

/// Opens it as its next writer does, but leaves it as it is: it has been tried that
/// bring_up_to_date() can do its work. Errors: as above, and where there is no such file.
Result<Database> open_to_stand_by(const std::string& path);
/// Adds what an earlier version had not: all of it or, on an error, nothing.
Result<void> bring_up_to_date(const Database& db, const std::string& path);

/// Opens it for reading beside a writer, also one of an earlier version. Errors: as above, and
/// where there is no such file.
Result<Database> open_to_read(const std::string& path);

}  // namespace headroom::journal
