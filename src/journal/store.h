#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "journal/sqlite.h"

namespace headroom::journal {

/// When a transaction is safe from a loss of power: when it is done (an fsync), or with the next
/// that is. A crash of this process alone takes neither.
enum class Sync { now, soon };

/// What the journal counts, in the table `kept`: the samples of each level, and the events.
constexpr std::int64_t kEventsPart = 3;
/// What is deleted at a time where there is too much: that part of all entries, at most so many.
constexpr std::int64_t kTrimPart = 16, kTrimStep = 256;
struct Kept {
  std::int64_t entries = 0;
  std::int64_t bytes = 0;  // by estimate
};

/// The file that the journal's parts share: its statements and its transactions.
class Store {
 public:
  Store(std::string path, bool writable, Database db);

  const std::string& path() const { return path_; }
  bool writable() const { return writable_; }
  /// Of one that was opened to stand by.
  Result<void> become_writable();
  sqlite3* db() const { return db_.get(); }

  /// A statement in use; ready for the next time, and holding no snapshot, when it is let go.
  struct Reset {
    void operator()(Statement* used) const { used->reset(); }
  };
  using Use = std::unique_ptr<Statement, Reset>;
  Result<Use> statement(std::string_view sql) const;
  Result<void> run(std::string_view sql) const;
  /// The number that it answers.
  Result<std::int64_t> ask(std::string_view sql) const;

  using Work = std::function<Result<void>()>;
  /// All of `work` or nothing of it. Errors: invalid (opened for reading), else as `work`.
  Result<void> transact(Sync sync, const Work& work);
  /// What `work` reads is of one moment.
  Result<void> look(const Work& work) const;
  /// A transaction of this one statement; how many rows it deleted.
  Result<std::int64_t> remove(std::string_view sql, std::initializer_list<std::int64_t> bound);

  Result<Kept> kept(std::int64_t part) const;
  /// False: read from a file of a Headroom that had no tables for events and samples.
  Result<bool> has_events() const;
  /// False: of one whose samples did not have what was aimed at.
  Result<bool> has_targets() const;

 private:
  Result<void> within(const char* begin, const Work& work) const;
  /// Whether the file's tables are of this version or a later one. Asked each time: a writer may
  /// bring the file of a reader up to date.
  Result<bool> is_of(std::int64_t version) const;

  std::string path_;
  bool writable_;
  Database db_;
  mutable std::map<std::string, Statement, std::less<>> statements_;
  Sync sync_ = Sync::now;  // as the file was opened
};

}  // namespace headroom::journal
