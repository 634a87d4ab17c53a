#include "journal/store.h"

#include "journal/schema.h"

namespace headroom::journal {

Store::Store(std::string path, bool writable, Database db)
    : path_(std::move(path)), writable_(writable), db_(std::move(db)) {}

Result<void> Store::become_writable() {
  if (auto made = bring_up_to_date(db_, path_); !made) return made;
  writable_ = true;
  return {};
}

Result<Store::Use> Store::statement(std::string_view sql) const {
  auto found = statements_.find(sql);
  if (found == statements_.end()) {
    auto made = Statement::prepare(db_.get(), path_, sql);
    if (!made) return fail(made.error());
    found = statements_.emplace(std::string(sql), std::move(*made)).first;
  }
  return Use(&found->second);
}

Result<void> Store::run(std::string_view sql) const {
  auto made = statement(sql);
  if (!made) return fail(made.error());
  return (*made)->run();
}

Result<std::int64_t> Store::ask(std::string_view sql) const {
  auto asked = statement(sql);
  if (!asked) return fail(asked.error());
  auto row = (*asked)->step();
  if (!row) return fail(row.error());
  return (*asked)->integer(0);
}

Result<void> Store::within(const char* begin, const Work& work) const {
  if (auto begun = run(begin); !begun) return begun;
  Result<void> done = work();
  if (done) done = run("COMMIT");
  // A full disk may have rolled it back already.
  if (!done && sqlite3_get_autocommit(db_.get()) == 0) static_cast<void>(run("ROLLBACK"));
  return done;
}

Result<void> Store::transact(Sync sync, const Work& work) {
  if (!writable_) return fail({Code::invalid, "journal: opened for reading"});
  if (sync != sync_) {
    // FULL makes each commit an fsync; NORMAL leaves it to the next such, or to a checkpoint.
    auto set =
        execute(db_.get(), path_,
                sync == Sync::now ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    if (!set) return set;
    sync_ = sync;
  }
  return within("BEGIN IMMEDIATE", work);
}

Result<void> Store::look(const Work& work) const { return within("BEGIN", work); }

Result<std::int64_t> Store::remove(std::string_view sql,
                                   std::initializer_list<std::int64_t> bound) {
  std::int64_t removed = 0;
  auto done = transact(Sync::soon, [&]() -> Result<void> {
    auto removal = statement(sql);
    if (!removal) return fail(removal.error());
    for (const auto value : bound) (*removal)->bind(value);
    auto ran = (*removal)->run();
    removed = sqlite3_changes64(db_.get());
    return ran;
  });
  if (!done) return fail(done.error());
  return removed;
}

Result<Kept> Store::kept(std::int64_t part) const {
  auto asked = statement("SELECT entries, bytes FROM kept WHERE part = ?");
  if (!asked) return fail(asked.error());
  auto row = (*asked)->bind(part).step();
  if (!row) return fail(row.error());
  return *row ? Kept{(*asked)->integer(0), (*asked)->integer(1)} : Kept{};
}

Result<bool> Store::is_of(std::int64_t version) const {
  const auto there = ask("PRAGMA user_version");
  if (!there) return fail(there.error());
  return *there >= version;
}
Result<bool> Store::has_events() const { return is_of(2); }
Result<bool> Store::has_targets() const { return is_of(3); }

}  // namespace headroom::journal
