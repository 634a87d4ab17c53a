#include "journal/sqlite.h"

#include <fmt/format.h>

namespace headroom::journal {

Error failure(sqlite3* db, const std::string& path, std::string_view doing) {
  const int code = db != nullptr ? sqlite3_errcode(db) & 0xFF : SQLITE_NOMEM;
  const std::string why = db != nullptr ? sqlite3_errmsg(db) : "out of memory";
  const auto text = [&](std::string_view advice) {
    return fmt::format("journal {}: {}: {}{}", path, doing, why, advice);
  };
  switch (code) {
    case SQLITE_NOTADB:
      return {Code::unavailable,
              fmt::format("journal {}: this is no journal ({}). Where it was Headroom's own it is "
                          "damaged: move it aside (mv {} {}.damaged) and start again: a new one is "
                          "begun; what was decided before is not in it",
                          path, why, path, path)};
    case SQLITE_CORRUPT:
      return {
          Code::unavailable,
          fmt::format("journal {}: damaged ({}: {}). Move it aside (mv {} {}.damaged) and start "
                      "again: a new one is begun; what was decided before is not in it",
                      path, doing, why, path, path)};
    case SQLITE_FULL:
      return {Code::unavailable, text("; make room on the disk")};
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
      return {Code::unavailable, text("; the file and its folder must be writable")};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {Code::unavailable, text("; another program is writing to it")};
    default:
      return {Code::unavailable, text("")};
  }
}

Result<Statement> Statement::prepare(sqlite3* db, const std::string& path, std::string_view sql) {
  Statement made;
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(db, sql.data(), static_cast<int>(sql.size()), &raw, nullptr) !=
      SQLITE_OK) {
    return fail(failure(db, path, "reading its tables"));
  }
  made.statement_.reset(raw);
  made.path_ = path;
  return made;
}

Statement& Statement::bind(std::int64_t value) {
  sqlite3_bind_int64(statement_.get(), ++bound_, value);
  return *this;
}

Statement& Statement::bind(std::string_view value) {
  // The copy costs little beside the write, and nothing dangles.
  sqlite3_bind_text64(statement_.get(), ++bound_, value.data(), value.size(), SQLITE_TRANSIENT,
                      SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind(std::optional<std::int64_t> value) {
  if (value) return bind(*value);
  ++bound_;  // what is not bound is NULL
  return *this;
}

Statement& Statement::bind(std::optional<double> value) {
  ++bound_;
  if (value) sqlite3_bind_double(statement_.get(), bound_, *value);
  return *this;
}

Result<bool> Statement::step() {
  switch (sqlite3_step(statement_.get())) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE:
      return false;
    default:
      return fail(failure(sqlite3_db_handle(statement_.get()), path_, "cannot be used"));
  }
}

Result<void> Statement::run() {
  auto stepped = step();
  reset();
  if (!stepped) return fail(stepped.error());
  return {};
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
  bound_ = 0;
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

double Statement::real(int column) const { return sqlite3_column_double(statement_.get(), column); }

std::string Statement::text(int column) const {
  const auto* const bytes = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return bytes != nullptr
             ? std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(size))
             : std::string();
}

bool Statement::null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

Result<void> execute(sqlite3* db, const std::string& path, const char* sql) {
  if (sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return fail(failure(db, path, "cannot be used"));
}

}  // namespace headroom::journal
