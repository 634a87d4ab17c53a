#include "journal/schema.h"

#include <array>

#include <fmt/format.h>
#include <unistd.h>

namespace headroom::journal {
namespace {

constexpr std::int64_t kVersion = 3;
constexpr std::int64_t kApplication = 0x48656164;  // "Head", for file(1) and against mix-ups
constexpr int kPatienceMs = 2000;

// Each version's tables are added to those before it; what has been released stays as it is.
// loop_ms orders the entries: it never steps back, unix_ms may.
constexpr const char* kTables1 = R"sql(
CREATE TABLE decisions(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  autoscaler TEXT NOT NULL,
  unix_ms INTEGER NOT NULL,
  loop_ms INTEGER NOT NULL,
  rescales INTEGER NOT NULL,
  observation TEXT NOT NULL,
  decision TEXT NOT NULL,
  outcome TEXT NOT NULL DEFAULT '');
CREATE INDEX decisions_by_time ON decisions(loop_ms, unix_ms);
CREATE INDEX decisions_by_name ON decisions(autoscaler, loop_ms, unix_ms);
CREATE INDEX rescales_by_name ON decisions(autoscaler, loop_ms, unix_ms) WHERE rescales = 1;
CREATE INDEX rescales_by_time ON decisions(loop_ms, unix_ms) WHERE rescales = 1;
CREATE TABLE state(
  autoscaler TEXT PRIMARY KEY,
  loop_ms INTEGER NOT NULL,
  replicas INTEGER NOT NULL,
  memory TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE startups(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  autoscaler TEXT NOT NULL,
  millis INTEGER NOT NULL);
CREATE INDEX startups_by_name ON startups(autoscaler, id);
)sql";

// An average is `…_of` so many of the finest steps. `kept` counts what is there, the samples by
// their level and the events as part 3, so that no one has to: triggers cannot forget.
constexpr const char* kTables2 = R"sql(
CREATE TABLE events(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  autoscaler TEXT NOT NULL,
  unix_ms INTEGER NOT NULL,
  kind TEXT NOT NULL,
  text TEXT NOT NULL,
  decision INTEGER);
CREATE INDEX events_by_name ON events(autoscaler, id);
CREATE INDEX events_by_age ON events(unix_ms);
CREATE TABLE samples(
  level INTEGER NOT NULL,
  autoscaler TEXT NOT NULL,
  unix_ms INTEGER NOT NULL,
  wanted INTEGER NOT NULL,
  ready INTEGER NOT NULL,
  waiting INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  concurrency REAL, concurrency_of INTEGER NOT NULL,
  rate REAL, rate_of INTEGER NOT NULL,
  cpu REAL, cpu_of INTEGER NOT NULL,
  memory REAL, memory_of INTEGER NOT NULL,
  p50_ms REAL,
  p95_ms REAL,
  p99_ms REAL,
  PRIMARY KEY(level, autoscaler, unix_ms)) WITHOUT ROWID;
CREATE INDEX samples_by_age ON samples(level, unix_ms);
CREATE TABLE kept(
  part INTEGER PRIMARY KEY,
  entries INTEGER NOT NULL,
  bytes INTEGER NOT NULL);
INSERT INTO kept VALUES(0, 0, 0), (1, 0, 0), (2, 0, 0), (3, 0, 0);
CREATE TRIGGER sample_comes AFTER INSERT ON samples BEGIN
  UPDATE kept SET entries = entries + 1,
    bytes = bytes + 110 + 2 * length(CAST(new.autoscaler AS BLOB)) WHERE part = new.level;
END;
CREATE TRIGGER sample_goes AFTER DELETE ON samples BEGIN
  UPDATE kept SET entries = entries - 1,
    bytes = bytes - 110 - 2 * length(CAST(old.autoscaler AS BLOB)) WHERE part = old.level;
END;
CREATE TRIGGER event_comes AFTER INSERT ON events BEGIN
  UPDATE kept SET entries = entries + 1, bytes = bytes + 60 + length(CAST(new.text AS BLOB))
    + 2 * length(CAST(new.autoscaler AS BLOB)) WHERE part = 3;
END;
CREATE TRIGGER event_goes AFTER DELETE ON events BEGIN
  UPDATE kept SET entries = entries - 1, bytes = bytes - 60 - length(CAST(old.text AS BLOB))
    - 2 * length(CAST(old.autoscaler AS BLOB)) WHERE part = 3;
END;
)sql";
// What was aimed at, with each sample. One is larger by it; those that were there are counted anew,
// so that as much goes as came.
constexpr const char* kTables3 = R"sql(
ALTER TABLE samples ADD COLUMN target REAL;
ALTER TABLE samples ADD COLUMN by_rate INTEGER NOT NULL DEFAULT 0;
ALTER TABLE samples ADD COLUMN objective_ms REAL;
ALTER TABLE samples ADD COLUMN objective_percentile REAL;
ALTER TABLE samples ADD COLUMN judged INTEGER NOT NULL DEFAULT 0;
ALTER TABLE samples ADD COLUMN within INTEGER NOT NULL DEFAULT 0;
DROP TRIGGER sample_comes;
DROP TRIGGER sample_goes;
CREATE TRIGGER sample_comes AFTER INSERT ON samples BEGIN
  UPDATE kept SET entries = entries + 1,
    bytes = bytes + 140 + 2 * length(CAST(new.autoscaler AS BLOB)) WHERE part = new.level;
END;
CREATE TRIGGER sample_goes AFTER DELETE ON samples BEGIN
  UPDATE kept SET entries = entries - 1,
    bytes = bytes - 140 - 2 * length(CAST(old.autoscaler AS BLOB)) WHERE part = old.level;
END;
UPDATE kept SET bytes = bytes + 30 * entries WHERE part < 3;
)sql";
constexpr std::array kTables = {kTables1, kTables2, kTables3};
static_assert(kTables.size() == kVersion);

Result<Database> open_file(const std::string& path, int flags) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags | SQLITE_OPEN_EXRESCODE, nullptr);
  Database db(raw);
  if (code != SQLITE_OK) return fail(failure(raw, path, "cannot be opened"));
  sqlite3_busy_timeout(raw, kPatienceMs);
  return db;
}

Result<std::int64_t> ask(const Database& db, const std::string& path, std::string_view sql) {
  auto statement = Statement::prepare(db.get(), path, sql);
  if (!statement) return fail(statement.error());
  auto row = statement->step();
  if (!row) return fail(row.error());
  return *row ? statement->integer(0) : 0;
}

/// The version of its tables: 0 where it has none. Errors: it is somebody else's, or of a later
/// Headroom.
Result<std::int64_t> version_of(const Database& db, const std::string& path) {
  const auto tables = ask(db, path, "SELECT count(*) FROM sqlite_schema");
  if (!tables) return fail(tables.error());
  if (*tables == 0) return std::int64_t{0};
  const auto application = ask(db, path, "PRAGMA application_id");
  if (!application) return fail(application.error());
  const auto version = ask(db, path, "PRAGMA user_version");
  if (!version) return fail(version.error());
  if (*application != kApplication) {
    return fail(
        {Code::unavailable,
         fmt::format("journal {}: an SQLite file of another program; name another path", path)});
  }
  if (*version < 1 || *version > kVersion) {
    return fail({Code::unavailable,
                 fmt::format("journal {}: written by another Headroom (tables of version {}, this "
                             "one has {}); use that one or move the file aside",
                             path, *version, kVersion)});
  }
  return *version;
}

/// Adds the tables of the versions after `version`, all or none; `end`: COMMIT, or ROLLBACK to see
/// whether it could be done.
Result<void> add_tables(const Database& db, const std::string& path, std::int64_t version,
                        const char* end) {
  std::string script = "BEGIN IMMEDIATE;";
  for (auto i = static_cast<std::size_t>(version); i < kTables.size(); ++i) script += kTables[i];
  script += fmt::format("PRAGMA user_version = {}; PRAGMA application_id = {}; {};", kVersion,
                        kApplication, end);
  return execute(db.get(), path, script.c_str());
}

Result<void> set_up(const Database& db, const std::string& path) {
  // auto_vacuum only takes before the first table; FULL makes each commit an fsync.
  return execute(db.get(), path, R"sql(
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA journal_size_limit = 4194304;
PRAGMA cache_size = -4096;
PRAGMA temp_store = MEMORY;
)sql");
}

/// One that has tables of ours, and is there.
Result<Database> open_written(const std::string& path, int flags) {
  if (::access(path.c_str(), F_OK) != 0) {
    return fail({Code::unavailable, fmt::format("journal {}: there is none (nothing has run with "
                                                "it yet, or it lies elsewhere)",
                                                path)});
  }
  auto db = open_file(path, flags);
  if (!db) return db;
  const auto version = version_of(*db, path);
  if (!version) return fail(version.error());
  if (*version == 0) {
    return fail({Code::unavailable, fmt::format("journal {}: it is empty", path)});
  }
  return db;
}

}  // namespace

Result<void> bring_up_to_date(const Database& db, const std::string& path) {
  const auto version = version_of(db, path);
  if (!version) return fail(version.error());
  return *version < kVersion ? add_tables(db, path, *version, "COMMIT") : Result<void>();
}

Result<Database> open_to_write(const std::string& path) {
  auto db = open_file(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  if (!db) return db;
  // Before anything is set: it may be somebody else's.
  if (const auto version = version_of(*db, path); !version) return fail(version.error());
  if (auto set = set_up(*db, path); !set) return fail(set.error());
  if (auto made = bring_up_to_date(*db, path); !made) return fail(made.error());
  return db;
}

Result<Database> open_to_stand_by(const std::string& path) {
  auto db = open_written(path, SQLITE_OPEN_READWRITE);
  if (!db) return db;
  const auto version = version_of(*db, path);
  if (!version) return fail(version.error());
  if (auto set = set_up(*db, path); !set) return fail(set.error());
  if (auto could = add_tables(*db, path, *version, "ROLLBACK"); !could) return fail(could.error());
  return db;
}

Result<Database> open_to_read(const std::string& path) {
  return open_written(path, SQLITE_OPEN_READONLY);
}

}  // namespace headroom::journal
