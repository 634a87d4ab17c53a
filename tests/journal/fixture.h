#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <unistd.h>

#include "decide/make.h"
#include "journal/journal.h"

/// What the journal's tests share.
namespace headroom::journal {

using namespace decide::make;  // NOLINT
namespace fs = std::filesystem;

constexpr std::int64_t kBegin = 1'700'000'100'000;  // begins a step of each level of samples

/// What a failure shows.
inline void PrintTo(const Event& event, std::ostream* out) {
  *out << event.id << ' ' << name(event.kind) << ' ' << event.autoscaler << " at " << event.unix_ms
       << " \"" << event.text << "\" of " << event.decision.value_or(0);
}

/// A folder of its own, removed at the end.
class JournalTest : public ::testing::Test {
 protected:
  explicit JournalTest(const fs::path& where = fs::temp_directory_path()) {
    std::string pattern = (where / "headroom-journal-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    path_ = folder_ / "state" / "journal.db";
  }
  ~JournalTest() override { fs::remove_all(folder_); }

  Journal open(Journal::Mode mode = Journal::Mode::write, Bounds bounds = {}) {
    auto journal = Journal::open(path_.string(), mode, bounds);
    EXPECT_TRUE(journal) << journal.error().what;
    if (!journal) std::abort();
    return std::move(*journal);
  }
  std::string refused(Journal::Mode mode, Code code) {
    const auto journal = Journal::open(path_.string(), mode);
    EXPECT_FALSE(journal);
    if (journal) return "";
    EXPECT_EQ(journal.error().code, code);
    return journal.error().what;
  }

  /// Straight into the file, past the journal.
  void sql(const std::string& script) {
    fs::create_directories(path_.parent_path());
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, script.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(db);
    sqlite3_close(db);
  }
  std::int64_t ask(const std::string& query) {
    sqlite3* db = nullptr;
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(sqlite3_open(path_.c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_prepare_v2(db, query.c_str(), -1, &statement, nullptr), SQLITE_OK)
        << sqlite3_errmsg(db);
    EXPECT_EQ(sqlite3_step(statement), SQLITE_ROW);
    const std::int64_t answer = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return answer;
  }

  fs::path folder_;
  fs::path path_;
};

/// What is recorded: from so many to so many, for this reason, at this time after the start.
struct Made {
  Millis after = 0ms;
  int from = 1, to = 1;
  const char* code = "Concurrency";
  Millis look_again = 250ms;
};

inline decide::Observation seen(const Made& made) {
  return observation(kStart + made.after, made.from, std::min(made.from, 3));
}
inline decide::Decision decided(const Made& made) {
  decide::Decision decision;
  decision.current = {made.from};
  decision.replicas = {made.to};
  decision.steps.push_back({.code = made.code,
                            .before = {made.from},
                            .after = {made.to},
                            .text = std::to_string(made.after.count())});
  decision.look_again = made.look_again;
  return decision;
}
inline decide::Memory remembered(const Made& made) {
  decide::Memory memory;
  memory.last_active = kStart + made.after;
  return memory;
}
inline Result<std::int64_t> record(Journal& journal, const Made& made, const char* name = "shop") {
  return journal.record(name, seen(made), decided(made), remembered(made));
}
inline std::int64_t must_record(Journal& journal, const Made& made, const char* name = "shop") {
  const auto id = record(journal, made, name);
  EXPECT_TRUE(id) << id.error().what;
  return id ? *id : 0;
}
inline std::vector<Entry> found(const Journal& journal, const Query& query) {
  const auto entries = journal.find(query);
  EXPECT_TRUE(entries) << entries.error().what;
  return entries ? *entries : std::vector<Entry>{};
}
inline std::vector<std::int64_t> ids(const Journal& journal, const Query& query) {
  std::vector<std::int64_t> result;
  for (const auto& entry : found(journal, query)) result.push_back(entry.id);
  return result;
}
constexpr std::size_t kAll = 100'000;

/// A limit on the size of files stands for a disk that is full: the same writes fail.
class FullDisk {
 public:
  explicit FullDisk(std::uintmax_t most) {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = most;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

}  // namespace headroom::journal
