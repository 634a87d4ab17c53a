#include "journal/journal.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include <fmt/format.h>

#include "decide/record.h"
#include "journal/lock.h"
#include "journal/schema.h"
#include "journal/sqlite.h"

namespace headroom::journal {
namespace {

constexpr Millis kFoldEvery = 2s;
constexpr Millis kFoldLatest = 5s;
constexpr std::int64_t kStartupsKept = 100;
constexpr int kAgeEvery = 64;            // writes
constexpr std::int64_t kTrimStep = 256;  // entries
constexpr std::int64_t kTrimPart = 16;   // of all entries, at a time

/// What has to be equal for a decision to repeat the one before it.
std::string codes_of(const decide::Decision& decision) {
  std::string codes;
  for (const auto& step : decision.steps) codes.append(step.code).append(",");
  return codes;
}

Result<void> make_parent(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (!parent.empty()) std::filesystem::create_directories(parent, error);
  if (!error) return {};
  return fail({Code::unavailable, fmt::format("journal: cannot make the folder {}: {}",
                                              parent.string(), error.message())});
}

}  // namespace

struct Journal::Impl {
  /// The last entry of an autoscaler, which the next decision may repeat.
  struct Last {
    std::int64_t id = 0;
    std::string codes;
    Replicas replicas;
    bool rescales = false;
    Instant written;
    bool pending = false;  // the rest is not on disk yet
    decide::Observation observation;
    decide::Decision decision;
    decide::Memory memory;
  };

  std::string path;
  Mode mode = Mode::read;
  Bounds bounds;
  Fd lock;  // declared before the database: let go after it is closed
  Database db;
  mutable std::map<std::string, Statement, std::less<>> statements;
  std::map<std::string, Last> last;
  int writes = 0;

  ~Impl() {
    for (auto& [name, each] : last) {
      if (each.pending) static_cast<void>(write_fold(name, each));
    }
  }

  /// A statement in use; ready for the next time, and holding no snapshot, when it is let go.
  struct Reset {
    void operator()(Statement* used) const { used->reset(); }
  };
  using Use = std::unique_ptr<Statement, Reset>;

  Result<Use> statement(std::string_view sql) const {
    auto found = statements.find(sql);
    if (found == statements.end()) {
      auto made = Statement::prepare(db.get(), path, sql);
      if (!made) return fail(made.error());
      found = statements.emplace(std::string(sql), std::move(*made)).first;
    }
    return Use(&found->second);
  }

  Result<void> run(std::string_view sql) const {
    auto made = statement(sql);
    if (!made) return fail(made.error());
    return (*made)->run();
  }

  /// All of `work` or nothing of it.
  template <class Work>
  Result<void> transact(const Work& work) {
    if (mode == Mode::read) return fail({Code::invalid, "journal: opened for reading"});
    if (auto begun = run("BEGIN IMMEDIATE"); !begun) return begun;
    Result<void> done = work();
    if (done) done = run("COMMIT");
    // A full disk may have rolled it back already.
    if (!done && sqlite3_get_autocommit(db.get()) == 0) static_cast<void>(run("ROLLBACK"));
    return done;
  }

  Result<void> write_state(const std::string& autoscaler, Instant now, Replicas replicas,
                           const decide::Memory& memory) const;
  Result<void> fold_row(const std::string& autoscaler, const Last& entry) const;
  Result<void> write_fold(const std::string& autoscaler, Last& entry);
  Result<std::int64_t> insert(const std::string& autoscaler, const Last& before,
                              const decide::Observation& observation,
                              const decide::Decision& decision, const decide::Memory& memory);
  struct Pages {
    std::int64_t all = 0, free = 0, size = 1;
  };
  Result<Pages> pages() const;
  Result<std::int64_t> ask(std::string_view sql) const;
  Result<std::int64_t> delete_oldest(std::string_view sql, std::int64_t before, std::int64_t most);
  Result<void> trim_by_age(Instant now);
  Result<void> trim_by_size();
};

Result<void> Journal::Impl::write_state(const std::string& autoscaler, Instant now,
                                        Replicas replicas, const decide::Memory& memory) const {
  auto state = statement(
      "INSERT INTO state(autoscaler, loop_ms, replicas, memory) VALUES(?, ?, ?, ?) "
      "ON CONFLICT(autoscaler) DO UPDATE SET loop_ms = excluded.loop_ms, "
      "replicas = excluded.replicas, memory = excluded.memory");
  if (!state) return fail(state.error());
  return (*state)
      ->bind(autoscaler)
      .bind(now.time_since_epoch().count())
      .bind(replicas.count)
      .bind(decide::to_json(memory))
      .run();
}

/// Moves the entry on. It is written anew where the bounds have taken it meanwhile.
Result<void> Journal::Impl::fold_row(const std::string& autoscaler, const Last& entry) const {
  auto row = statement(
      "INSERT INTO decisions(id, autoscaler, unix_ms, loop_ms, rescales, observation, decision) "
      "VALUES(?, ?, ?, ?, 0, ?, ?) ON CONFLICT(id) DO UPDATE SET unix_ms = excluded.unix_ms, "
      "loop_ms = excluded.loop_ms, observation = excluded.observation, "
      "decision = excluded.decision");
  if (!row) return fail(row.error());
  return (*row)
      ->bind(entry.id)
      .bind(autoscaler)
      .bind(entry.observation.unix_millis)
      .bind(entry.observation.now.time_since_epoch().count())
      .bind(decide::to_json(entry.observation))
      .bind(decide::to_json(entry.decision))
      .run();
}

Result<void> Journal::Impl::write_fold(const std::string& autoscaler, Last& entry) {
  auto written = transact([&]() -> Result<void> {
    if (auto folded = fold_row(autoscaler, entry); !folded) return folded;
    return write_state(autoscaler, entry.observation.now, entry.decision.replicas, entry.memory);
  });
  if (!written) return written;
  entry.written = entry.observation.now;
  entry.pending = false;
  return {};
}

Result<std::int64_t> Journal::Impl::insert(const std::string& autoscaler, const Last& before,
                                           const decide::Observation& observation,
                                           const decide::Decision& decision,
                                           const decide::Memory& memory) {
  std::int64_t id = 0;
  auto written = transact([&]() -> Result<void> {
    if (before.pending) {
      if (auto folded = fold_row(autoscaler, before); !folded) return folded;
    }
    auto entry = statement(
        "INSERT INTO decisions(autoscaler, unix_ms, loop_ms, rescales, observation, decision) "
        "VALUES(?, ?, ?, ?, ?, ?)");
    if (!entry) return fail(entry.error());
    auto done = (*entry)
                    ->bind(autoscaler)
                    .bind(observation.unix_millis)
                    .bind(observation.now.time_since_epoch().count())
                    .bind(decision.rescales() ? 1 : 0)
                    .bind(decide::to_json(observation))
                    .bind(decide::to_json(decision))
                    .run();
    if (!done) return done;
    id = sqlite3_last_insert_rowid(db.get());
    return write_state(autoscaler, observation.now, decision.replicas, memory);
  });
  if (!written) return fail(written.error());
  return id;
}

Result<std::int64_t> Journal::Impl::ask(std::string_view sql) const {
  auto asked = statement(sql);
  if (!asked) return fail(asked.error());
  auto row = (*asked)->step();
  if (!row) return fail(row.error());
  return (*asked)->integer(0);
}

Result<Journal::Impl::Pages> Journal::Impl::pages() const {
  const auto all = ask("PRAGMA page_count");
  if (!all) return fail(all.error());
  const auto free = ask("PRAGMA freelist_count");
  if (!free) return fail(free.error());
  const auto size = ask("PRAGMA page_size");
  if (!size) return fail(size.error());
  return Pages{*all, *free, std::max<std::int64_t>(1, *size)};
}

Result<std::int64_t> Journal::Impl::delete_oldest(std::string_view sql, std::int64_t before,
                                                  std::int64_t most) {
  std::int64_t deleted = 0;
  auto done = transact([&]() -> Result<void> {
    auto removal = statement(sql);
    if (!removal) return fail(removal.error());
    auto ran = (*removal)->bind(before).bind(most).run();
    deleted = sqlite3_changes64(db.get());
    return ran;
  });
  if (!done) return fail(done.error());
  return deleted;
}

/// In steps, so that no one transaction is long.
Result<void> Journal::Impl::trim_by_age(Instant now) {
  const std::int64_t oldest = (now - bounds.age).time_since_epoch().count();
  for (std::int64_t deleted = kTrimStep; deleted == kTrimStep;) {
    auto done = delete_oldest(
        "DELETE FROM decisions WHERE id IN (SELECT id FROM decisions WHERE loop_ms < ? "
        "ORDER BY loop_ms LIMIT ?)",
        oldest, kTrimStep);
    if (!done) return fail(done.error());
    deleted = *done;
  }
  return {};
}

/// The oldest part goes until what is left fits; its pages are used again, and those beyond the
/// bound go back to the disk. The newest entry stays, whatever its size.
Result<void> Journal::Impl::trim_by_size() {
  auto used = pages();
  if (!used) return fail(used.error());
  const std::int64_t most = std::max<std::int64_t>(1, bounds.bytes / used->size);
  while (used->all - used->free > most) {
    const auto span = ask(
        "SELECT coalesce((SELECT max(id) FROM decisions) - (SELECT min(id) FROM decisions), 0)");
    if (!span) return fail(span.error());
    const auto newest = ask("SELECT coalesce(max(id), 0) FROM decisions");
    if (!newest) return fail(newest.error());
    auto done = delete_oldest(
        "DELETE FROM decisions WHERE id IN (SELECT id FROM decisions WHERE id < ? "
        "ORDER BY loop_ms LIMIT ?)",
        *newest, std::clamp<std::int64_t>(*span / kTrimPart, 1, kTrimStep));
    if (!done) return fail(done.error());
    used = pages();
    if (!used) return fail(used.error());
    if (*done == 0) break;
  }
  if (used->all <= most) return {};
  return execute(db.get(), path,
                 fmt::format("PRAGMA incremental_vacuum({})", used->all - most).c_str());
}

Journal::Journal(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Journal::Journal(Journal&&) noexcept = default;
Journal& Journal::operator=(Journal&&) noexcept = default;
Journal::~Journal() = default;

Result<Journal> Journal::open(const std::string& path, Mode mode, Bounds bounds) {
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  impl->mode = mode;
  impl->bounds = bounds;
  if (mode == Mode::write) {
    if (auto made = make_parent(path); !made) return fail(made.error());
    auto lock = take_lock(path + ".lock");
    if (!lock) return fail(lock.error());
    impl->lock = std::move(*lock);
  }
  auto db = mode == Mode::write ? open_to_write(path) : open_to_read(path);
  if (!db) return fail(db.error());
  impl->db = std::move(*db);
  Journal journal(std::move(impl));
  // A file that is damaged where it matters at once is refused here rather than later.
  const auto newest = journal.newest();
  if (!newest) return fail(newest.error());
  if (mode == Mode::write) {
    // A disk that is full must not stop a start; the next trim comes soon.
    static_cast<void>(journal.impl_->trim_by_age(*newest));
    static_cast<void>(journal.impl_->trim_by_size());
  }
  return journal;
}

Result<std::int64_t> Journal::record(const std::string& autoscaler,
                                     const decide::Observation& observation,
                                     const decide::Decision& decision,
                                     const decide::Memory& memory) {
  auto& last = impl_->last[autoscaler];
  const std::string codes = codes_of(decision);
  const bool repeats = last.id != 0 && !decision.rescales() && !last.rescales &&
                       decision.replicas == last.replicas && codes == last.codes;
  if (repeats) {
    last.observation = observation;
    last.decision = decision;
    last.memory = memory;
    last.pending = true;
    const Millis since = observation.now - last.written;
    // The next call comes after look_again: it must not be too late for this one.
    if (since >= kFoldEvery || since + decision.look_again > kFoldLatest) {
      if (auto done = impl_->write_fold(autoscaler, last); !done) return fail(done.error());
    }
    return last.id;
  }
  auto id = impl_->insert(autoscaler, last, observation, decision, memory);
  if (!id) return id;
  last = {.id = *id,
          .codes = codes,
          .replicas = decision.replicas,
          .rescales = decision.rescales(),
          .written = observation.now,
          .pending = false,
          .observation = {},
          .decision = {},
          .memory = {}};
  // The decision is written: where no room can be made now, it is made at a later one.
  if (++impl_->writes % kAgeEvery == 0) static_cast<void>(impl_->trim_by_age(observation.now));
  static_cast<void>(impl_->trim_by_size());
  return id;
}

Result<void> Journal::outcome(std::int64_t id, const std::string& what) {
  return impl_->transact([&]() -> Result<void> {
    auto update = impl_->statement("UPDATE decisions SET outcome = ? WHERE id = ?");
    if (!update) return fail(update.error());
    return (*update)->bind(what).bind(id).run();
  });
}

Result<std::optional<Restored>> Journal::restore(const std::string& autoscaler) const {
  auto state = impl_->statement("SELECT replicas, memory FROM state WHERE autoscaler = ?");
  if (!state) return fail(state.error());
  auto row = (*state)->bind(autoscaler).step();
  if (!row) return fail(row.error());
  if (!*row) return std::optional<Restored>();
  const auto count = static_cast<std::int32_t>((*state)->integer(0));
  auto memory = decide::memory_from_json((*state)->text(1));
  if (!memory) {
    return fail({Code::unavailable, fmt::format("journal {}: the state of {} cannot be read ({}); "
                                                "move the file aside (mv {} {}.damaged)",
                                                impl_->path, autoscaler, memory.error().what,
                                                impl_->path, impl_->path)});
  }
  return std::optional<Restored>(Restored{{count}, std::move(*memory)});
}

Result<Instant> Journal::newest() const {
  auto asked = impl_->statement(
      "SELECT max((SELECT coalesce(max(loop_ms), 0) FROM decisions), "
      "(SELECT coalesce(max(loop_ms), 0) FROM state))");
  if (!asked) return fail(asked.error());
  auto row = (*asked)->step();
  if (!row) return fail(row.error());
  const Instant newest{Millis((*asked)->integer(0))};
  return newest;
}

Result<void> Journal::startup(const std::string& autoscaler, Millis took) {
  return impl_->transact([&]() -> Result<void> {
    auto add = impl_->statement("INSERT INTO startups(autoscaler, millis) VALUES(?, ?)");
    if (!add) return fail(add.error());
    if (auto done = (*add)->bind(autoscaler).bind(took.count()).run(); !done) return done;
    auto drop = impl_->statement(
        "DELETE FROM startups WHERE autoscaler = ?1 AND id NOT IN (SELECT id FROM startups "
        "WHERE autoscaler = ?1 ORDER BY id DESC LIMIT ?2)");
    if (!drop) return fail(drop.error());
    return (*drop)->bind(autoscaler).bind(kStartupsKept).run();
  });
}

Result<std::optional<Millis>> Journal::usual_startup(const std::string& autoscaler) const {
  auto asked = impl_->statement("SELECT millis FROM startups WHERE autoscaler = ?");
  if (!asked) return fail(asked.error());
  (*asked)->bind(autoscaler);
  std::vector<std::int64_t> times;
  for (;;) {
    auto row = (*asked)->step();
    if (!row) return fail(row.error());
    if (!*row) break;
    times.push_back((*asked)->integer(0));
  }
  if (times.empty()) return std::optional<Millis>();
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::ranges::nth_element(times, middle);
  return std::optional<Millis>(Millis(*middle));
}

Result<std::vector<Entry>> Journal::find(const Query& query) const {
  std::string sql = "SELECT id, autoscaler, observation, decision, outcome FROM decisions WHERE 1";
  if (!query.autoscaler.empty()) sql += " AND autoscaler = ?";
  if (query.only_rescales) sql += " AND rescales = 1";
  if (query.until_unix_ms) sql += " AND unix_ms <= ?";
  sql += " ORDER BY loop_ms DESC, id DESC LIMIT ?";
  auto asked = impl_->statement(sql);
  if (!asked) return fail(asked.error());
  auto& rows = **asked;
  if (!query.autoscaler.empty()) rows.bind(query.autoscaler);
  if (query.until_unix_ms) rows.bind(*query.until_unix_ms);
  rows.bind(static_cast<std::int64_t>(std::min<std::size_t>(query.limit, INT32_MAX)));
  std::vector<Entry> entries;
  for (;;) {
    auto row = rows.step();
    if (!row) return fail(row.error());
    if (!*row) break;
    Entry entry{.id = rows.integer(0), .autoscaler = rows.text(1), .outcome = rows.text(4)};
    auto observation = decide::observation_from_json(rows.text(2));
    auto decision = decide::decision_from_json(rows.text(3));
    if (!observation || !decision) {
      const auto& error = observation ? decision.error() : observation.error();
      return fail({Code::unavailable, fmt::format("journal {}: entry {} cannot be read: {}",
                                                  impl_->path, entry.id, error.what)});
    }
    entry.observation = std::move(*observation);
    entry.decision = std::move(*decision);
    entries.push_back(std::move(entry));
  }
  return entries;
}

Result<std::vector<std::string>> Journal::autoscalers() const {
  auto asked = impl_->statement("SELECT autoscaler FROM state ORDER BY autoscaler");
  if (!asked) return fail(asked.error());
  std::vector<std::string> names;
  for (;;) {
    auto row = (*asked)->step();
    if (!row) return fail(row.error());
    if (!*row) break;
    names.push_back((*asked)->text(0));
  }
  return names;
}

}  // namespace headroom::journal
