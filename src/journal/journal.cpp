#include "journal/journal.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>

#include <fcntl.h>
#include <fmt/format.h>

#include "decide/record.h"
#include "decide/steps.h"
#include "decide/words.h"
#include "journal/events.h"
#include "journal/lock.h"
#include "journal/samples.h"
#include "journal/schema.h"
#include "journal/store.h"

namespace headroom::journal {
namespace {

constexpr Millis kFoldEvery = 2s;
constexpr Millis kFoldLatest = 5s;
constexpr std::int64_t kStartupsKept = 100;
constexpr int kAgeEvery = 64;  // writes

/// What has to be equal for a decision to repeat the one before it: the kinds of its steps, and of
/// an operator's word which one it is.
std::string codes_of(const decide::Decision& decision, Instant now) {
  std::string codes;
  for (const auto& step : decision.steps) {
    codes.append(step.code).append(",");
    if (step.code != decide::step::kPinned) continue;
    const double left = step.inputs[0], pause = step.inputs[1];
    const auto end = left < 0 ? -1 : now.time_since_epoch().count() + std::llround(1000 * left);
    codes.append(fmt::format("{} {},", pause, end));
  }
  return codes;
}

Event rescale(const std::string& autoscaler, std::int64_t id,
              const decide::Observation& observation, const decide::Decision& decision) {
  const auto reason = decision.reason();
  return {.autoscaler = autoscaler,
          .unix_ms = observation.unix_millis,
          .kind = Event::Kind::rescale,
          .text = decide::change_of(decision) + (reason.empty() ? "" : ": " + reason),
          .decision = id};
}

/// Of a row of: id, autoscaler, observation, decision, outcome.
Result<Entry> read_entry(const Statement& row, const std::string& path) {
  Entry entry{.id = row.integer(0), .autoscaler = row.text(1), .outcome = row.text(4)};
  auto observation = decide::observation_from_json(row.text(2));
  auto decision = decide::decision_from_json(row.text(3));
  if (!observation || !decision) {
    const auto& error = observation ? decision.error() : observation.error();
    return fail({Code::unavailable, fmt::format("journal {}: entry {} cannot be read: {}", path,
                                                entry.id, error.what)});
  }
  entry.observation = std::move(*observation);
  entry.decision = std::move(*decision);
  return entry;
}

Result<void> make_parent(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (!parent.empty()) std::filesystem::create_directories(parent, error);
  if (!error) return {};
  return fail({Code::unavailable, fmt::format("journal: cannot make the folder {}: {}",
                                              parent.string(), error.message())});
}

/// A new file is its owner's alone: replicas' last words stand in it. SQLite gives those beside it
/// the same mode, and says what is wrong where this fails.
void make_private(const std::string& path) {
  const Fd made(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

}  // namespace

struct Journal::Impl {
  /// The last decision of an autoscaler, which the next one may repeat. Of those that repeat one
  /// another there are two entries: the first, so that it is found at any time after it, and the
  /// newest, which moves on.
  struct Last {
    std::int64_t id = 0;  // the newest's; until that is written the first's
    bool moves = false;   // the newest's is written
    std::string codes;
    Replicas replicas;
    bool rescales = false;
    Instant written;
    bool pending = false;  // the rest is not on disk yet
    decide::Observation observation;
    decide::Decision decision;
    decide::Memory memory;
  };

  Bounds bounds;
  Fd lock;  // declared before the store: let go after it is closed
  Store store;
  Events events{store, bounds};
  Samples samples{store, bounds};
  std::map<std::string, Last> last;
  int writes = 0;

  Impl(Bounds given, Fd held, Store opened)
      : bounds(given), lock(std::move(held)), store(std::move(opened)) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    static_cast<void>(samples.flush());
    for (auto& [name, each] : last) {
      if (each.pending) static_cast<void>(write_fold(name, each));
    }
  }

  Result<void> write_state(const std::string& autoscaler, Instant now, Replicas replicas,
                           const decide::Memory& memory) const;
  Result<std::int64_t> fold_row(const std::string& autoscaler, const Last& entry) const;
  Result<void> write_fold(const std::string& autoscaler, Last& entry);
  Result<std::int64_t> insert(const std::string& autoscaler, const Last& before,
                              const decide::Observation& observation,
                              const decide::Decision& decision, const decide::Memory& memory);
  struct Pages {
    std::int64_t all = 0, free = 0, size = 1;
  };
  Result<Pages> pages() const;
  /// Where no room can be made now, it is made at a later time.
  void trim_events(std::int64_t now_unix_ms) {
    static_cast<void>(events.trim_by_age(now_unix_ms));
    static_cast<void>(events.trim_by_size());
  }
  Result<std::int64_t> remove_ended(std::int64_t by, std::int64_t before_id, std::int64_t most);
  Result<void> trim_by_age(Instant now);
  Result<void> trim_by_size();
  /// A disk that is full must not stop a start; the next trim comes soon.
  void make_room(Instant now) {
    static_cast<void>(trim_by_age(now));
    static_cast<void>(samples.trim_by_size());
    static_cast<void>(events.trim_by_size());
    static_cast<void>(trim_by_size());
  }
};

Result<void> Journal::Impl::write_state(const std::string& autoscaler, Instant now,
                                        Replicas replicas, const decide::Memory& memory) const {
  auto state = store.statement(
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

/// Moves the newest's entry on, and gives its id. It is written anew where the bounds have taken it
/// meanwhile.
Result<std::int64_t> Journal::Impl::fold_row(const std::string& autoscaler,
                                             const Last& entry) const {
  auto row = store.statement(
      "INSERT INTO decisions(id, autoscaler, unix_ms, loop_ms, rescales, observation, decision) "
      "VALUES(nullif(?, 0), ?, ?, ?, 0, ?, ?) ON CONFLICT(id) DO UPDATE SET "
      "unix_ms = excluded.unix_ms, loop_ms = excluded.loop_ms, "
      "observation = excluded.observation, decision = excluded.decision");
  if (!row) return fail(row.error());
  auto done = (*row)
                  ->bind(entry.moves ? entry.id : 0)
                  .bind(autoscaler)
                  .bind(entry.observation.unix_millis)
                  .bind(entry.observation.now.time_since_epoch().count())
                  .bind(decide::to_json(entry.observation))
                  .bind(decide::to_json(entry.decision))
                  .run();
  if (!done) return fail(done.error());
  return entry.moves ? entry.id : sqlite3_last_insert_rowid(store.db());
}

Result<void> Journal::Impl::write_fold(const std::string& autoscaler, Last& entry) {
  std::int64_t id = 0;
  auto written = store.transact(Sync::now, [&]() -> Result<void> {
    auto folded = fold_row(autoscaler, entry);
    if (!folded) return fail(folded.error());
    id = *folded;
    return write_state(autoscaler, entry.observation.now, entry.decision.replicas, entry.memory);
  });
  if (!written) return written;
  entry.id = id;
  entry.moves = true;
  entry.written = entry.observation.now;
  entry.pending = false;
  return {};
}

Result<std::int64_t> Journal::Impl::insert(const std::string& autoscaler, const Last& before,
                                           const decide::Observation& observation,
                                           const decide::Decision& decision,
                                           const decide::Memory& memory) {
  std::int64_t id = 0;
  auto written = store.transact(Sync::now, [&]() -> Result<void> {
    if (before.pending && before.moves) {  // else its first entry says enough: it was short
      if (auto folded = fold_row(autoscaler, before); !folded) return fail(folded.error());
    }
    auto entry = store.statement(
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
    id = sqlite3_last_insert_rowid(store.db());
    if (decision.rescales()) {
      auto told = events.insert(rescale(autoscaler, id, observation, decision));
      if (!told) return fail(told.error());
    }
    return write_state(autoscaler, observation.now, decision.replicas, memory);
  });
  if (!written) return fail(written.error());
  return id;
}

Result<Journal::Impl::Pages> Journal::Impl::pages() const {
  const auto all = store.ask("PRAGMA page_count");
  if (!all) return fail(all.error());
  const auto free = store.ask("PRAGMA freelist_count");
  if (!free) return fail(free.error());
  const auto size = store.ask("PRAGMA page_size");
  if (!size) return fail(size.error());
  return Pages{*all, *free, std::max<std::int64_t>(1, *size)};
}

/// Removes entries that no longer held at a time, the oldest first, and says how many. One that a
/// later entry of its autoscaler ended only after that time did hold, and is spared.
Result<std::int64_t> Journal::Impl::remove_ended(std::int64_t by, std::int64_t before_id,
                                                 std::int64_t most) {
  return store.remove(
      "DELETE FROM decisions WHERE id IN (SELECT id FROM decisions AS old "
      "WHERE loop_ms <= ?1 AND id < ?2 AND coalesce((SELECT min(loop_ms) FROM decisions AS next "
      "WHERE next.autoscaler = old.autoscaler AND next.loop_ms > old.loop_ms), 0) <= ?1 "
      "ORDER BY loop_ms LIMIT ?3)",
      {by, before_id, most});
}

/// In steps, so that no one transaction is long.
Result<void> Journal::Impl::trim_by_age(Instant now) {
  constexpr auto kAny = std::numeric_limits<std::int64_t>::max();
  const std::int64_t oldest = (now - bounds.age).time_since_epoch().count();
  for (std::int64_t deleted = kTrimStep; deleted == kTrimStep;) {
    auto done = remove_ended(oldest - 1, kAny, kTrimStep);
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
    const auto span = store.ask(
        "SELECT coalesce((SELECT max(id) FROM decisions) - (SELECT min(id) FROM decisions), 0)");
    if (!span) return fail(span.error());
    const auto newest = store.ask("SELECT coalesce(max(id), 0) FROM decisions");
    if (!newest) return fail(newest.error());
    const auto step = std::clamp<std::int64_t>(*span / kTrimPart, 1, kTrimStep);
    // Of each autoscaler one at most is spared: so many more are looked at.
    const auto by = store.ask(fmt::format(
        "SELECT coalesce(max(loop_ms), 0) FROM (SELECT loop_ms FROM decisions WHERE id < {} "
        "ORDER BY loop_ms LIMIT {} + (SELECT count(*) FROM state))",
        *newest, step));
    if (!by) return fail(by.error());
    auto done = remove_ended(*by, *newest, step);
    if (!done) return fail(done.error());
    used = pages();
    if (!used) return fail(used.error());
    if (*done == 0) break;
  }
  if (used->all <= most) return {};
  return execute(store.db(), store.path(),
                 fmt::format("PRAGMA incremental_vacuum({})", used->all - most).c_str());
}

Journal::Journal(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Journal::Journal(Journal&&) noexcept = default;
Journal& Journal::operator=(Journal&&) noexcept = default;
Journal::~Journal() = default;

Result<Journal> Journal::open(const std::string& path, Mode mode, Bounds bounds) {
  Fd held;
  if (mode != Mode::read) {
    if (auto made = make_parent(path); !made) return fail(made.error());
    auto lock = take_lock(path + ".lock");
    if (!lock) return fail(lock.error());
    held = std::move(*lock);
    if (mode == Mode::write) make_private(path);
  }
  auto db = mode == Mode::write      ? open_to_write(path)
            : mode == Mode::stand_by ? open_to_stand_by(path)
                                     : open_to_read(path);
  if (!db) return fail(db.error());
  Journal journal(std::make_unique<Impl>(bounds, std::move(held),
                                         Store(path, mode == Mode::write, std::move(*db))));
  // A file that is damaged where it matters at once is refused here rather than later.
  const auto newest = journal.newest();
  if (!newest) return fail(newest.error());
  if (mode == Mode::write) journal.impl_->make_room(*newest);
  return journal;
}

Result<void> Journal::begin() {
  if (auto writable = impl_->store.become_writable(); !writable) return writable;
  impl_->make_room(newest().value_or(Instant{}));
  return {};
}

Result<std::int64_t> Journal::record(const std::string& autoscaler,
                                     const decide::Observation& observation,
                                     const decide::Decision& decision,
                                     const decide::Memory& memory) {
  auto& last = impl_->last[autoscaler];
  const std::string codes = codes_of(decision, observation.now);
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
          .moves = false,
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
  if (decision.rescales()) impl_->trim_events(observation.unix_millis);
  static_cast<void>(impl_->trim_by_size());
  return id;
}

Result<void> Journal::outcome(std::int64_t id, const std::string& what) {
  return impl_->store.transact(Sync::now, [&]() -> Result<void> {
    auto update = impl_->store.statement("UPDATE decisions SET outcome = ? WHERE id = ?");
    if (!update) return fail(update.error());
    return (*update)->bind(what).bind(id).run();
  });
}

Result<std::optional<Restored>> Journal::restore(const std::string& autoscaler) const {
  auto state = impl_->store.statement("SELECT replicas, memory FROM state WHERE autoscaler = ?");
  if (!state) return fail(state.error());
  auto row = (*state)->bind(autoscaler).step();
  if (!row) return fail(row.error());
  if (!*row) return std::optional<Restored>();
  const auto count = static_cast<std::int32_t>((*state)->integer(0));
  auto memory = decide::memory_from_json((*state)->text(1));
  if (!memory) {
    return fail(
        {Code::unavailable, fmt::format("journal {}: the state of {} cannot be read ({}); "
                                        "move the file aside (mv {} {}.damaged)",
                                        impl_->store.path(), autoscaler, memory.error().what,
                                        impl_->store.path(), impl_->store.path())});
  }
  return std::optional<Restored>(Restored{{count}, std::move(*memory)});
}

Result<Instant> Journal::newest() const {
  auto asked = impl_->store.statement(
      "SELECT max((SELECT coalesce(max(loop_ms), 0) FROM decisions), "
      "(SELECT coalesce(max(loop_ms), 0) FROM state))");
  if (!asked) return fail(asked.error());
  auto row = (*asked)->step();
  if (!row) return fail(row.error());
  const Instant newest{Millis((*asked)->integer(0))};
  return newest;
}

Result<std::int64_t> Journal::event(const Event& event) {
  if (event.kind == Event::Kind::rescale) {
    return fail({Code::invalid, "journal: a rescale is an event by its decision's record"});
  }
  auto id = impl_->events.add(event);
  if (!id) return id;
  impl_->trim_events(event.unix_ms);
  static_cast<void>(impl_->trim_by_size());
  return id;
}

Result<std::vector<Event>> Journal::events(const EventQuery& query) const {
  return impl_->events.find(query);
}

Result<void> Journal::sample(const std::string& autoscaler, const Sample& sample) {
  const auto written = impl_->samples.take(autoscaler, sample);
  if (!written) return fail(written.error());
  if (*written) static_cast<void>(impl_->trim_by_size());
  return {};
}

Result<History> Journal::history(const std::string& autoscaler, std::int64_t since_unix_ms,
                                 std::int64_t until_unix_ms, std::size_t most) const {
  return impl_->samples.history(autoscaler, since_unix_ms, until_unix_ms, most);
}

Result<void> Journal::startup(const std::string& autoscaler, Millis took) {
  return impl_->store.transact(Sync::soon, [&]() -> Result<void> {
    auto add = impl_->store.statement("INSERT INTO startups(autoscaler, millis) VALUES(?, ?)");
    if (!add) return fail(add.error());
    if (auto done = (*add)->bind(autoscaler).bind(took.count()).run(); !done) return done;
    auto drop = impl_->store.statement(
        "DELETE FROM startups WHERE autoscaler = ?1 AND id NOT IN (SELECT id FROM startups "
        "WHERE autoscaler = ?1 ORDER BY id DESC LIMIT ?2)");
    if (!drop) return fail(drop.error());
    return (*drop)->bind(autoscaler).bind(kStartupsKept).run();
  });
}

Result<std::optional<Millis>> Journal::usual_startup(const std::string& autoscaler) const {
  auto asked = impl_->store.statement("SELECT millis FROM startups WHERE autoscaler = ?");
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
  if (query.since_unix_ms) sql += " AND unix_ms >= ?";
  if (query.until_unix_ms) sql += " AND unix_ms <= ?";
  sql += " ORDER BY loop_ms DESC, id DESC LIMIT ?";
  auto asked = impl_->store.statement(sql);
  if (!asked) return fail(asked.error());
  auto& rows = **asked;
  if (!query.autoscaler.empty()) rows.bind(query.autoscaler);
  if (query.since_unix_ms) rows.bind(*query.since_unix_ms);
  if (query.until_unix_ms) rows.bind(*query.until_unix_ms);
  rows.bind(static_cast<std::int64_t>(std::min<std::size_t>(query.limit, INT32_MAX)));
  std::vector<Entry> entries;
  for (;;) {
    auto row = rows.step();
    if (!row) return fail(row.error());
    if (!*row) break;
    auto entry = read_entry(rows, impl_->store.path());
    if (!entry) return fail(entry.error());
    entries.push_back(std::move(*entry));
  }
  return entries;
}

Result<std::optional<std::int64_t>> Journal::first_decided(const std::string& autoscaler) const {
  auto asked = impl_->store.statement("SELECT min(unix_ms) FROM decisions WHERE autoscaler = ?");
  if (!asked) return fail(asked.error());
  auto row = (*asked)->bind(autoscaler).step();
  if (!row) return fail(row.error());
  if (!*row || (*asked)->null(0)) return std::optional<std::int64_t>();
  return (*asked)->integer(0);
}

Result<std::optional<Entry>> Journal::entry(std::int64_t id) const {
  auto asked = impl_->store.statement(
      "SELECT id, autoscaler, observation, decision, outcome FROM decisions WHERE id = ?");
  if (!asked) return fail(asked.error());
  auto row = (*asked)->bind(id).step();
  if (!row) return fail(row.error());
  if (!*row) return std::optional<Entry>();
  auto entry = read_entry(**asked, impl_->store.path());
  if (!entry) return fail(entry.error());
  return std::optional<Entry>(std::move(*entry));
}

Result<std::vector<std::string>> Journal::autoscalers() const {
  auto asked = impl_->store.statement("SELECT autoscaler FROM state ORDER BY autoscaler");
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
