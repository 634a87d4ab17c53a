#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <sqlite3.h>

#include "base/result.h"

/// SQLite's C interface with owners and Results; nothing of the journal's own in it.
namespace headroom::journal {

struct CloseDatabase {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

/// What SQLite says went wrong, with what a person can do about it: `path` names the file.
Error failure(sqlite3* db, const std::string& path, std::string_view doing);

/// A prepared statement. Bind in order, then step; reset() makes it ready for the next time.
class Statement {
 public:
  Statement() = default;
  static Result<Statement> prepare(sqlite3* db, const std::string& path, std::string_view sql);

  Statement& bind(std::int64_t value);
  Statement& bind(std::string_view value);
  Statement& bind(std::optional<std::int64_t> value);
  Statement& bind(std::optional<double> value);
  /// True: a row is there to be read. False: done.
  Result<bool> step();
  /// For what gives no row; leaves the statement ready for the next time, also on an error.
  Result<void> run();
  void reset();

  std::int64_t integer(int column) const;
  double real(int column) const;
  std::string text(int column) const;
  bool null(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  std::string path_;
  int bound_ = 0;
};

Result<void> execute(sqlite3* db, const std::string& path, const char* sql);

}  // namespace headroom::journal
