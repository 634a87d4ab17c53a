#include "journal/events.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"

namespace headroom::journal {
namespace {

constexpr std::int64_t kEventsAgedAtOnce = 16;
constexpr std::int64_t kEventsShare = 8;  // a part of the file's bytes

/// By Event::Kind; they are in the file, too.
constexpr std::array kNames = {"rescale", "ready",    "draining", "gone",
                               "trouble", "operator", "policy"};

/// What can be missed where the power is lost: the next start sees for itself.
bool passes(Event::Kind kind) {
  return kind == Event::Kind::ready || kind == Event::Kind::draining || kind == Event::Kind::gone;
}

Result<Event> read(const Statement& row, const std::string& path) {
  Event event{.id = row.integer(0),
              .autoscaler = row.text(1),
              .unix_ms = row.integer(2),
              .text = row.text(4)};
  const auto kind = std::ranges::find(kNames, row.text(3));
  if (kind == kNames.end()) {
    return fail(
        {Code::unavailable, fmt::format("journal {}: event {} cannot be read: its kind is \"{}\"",
                                        path, event.id, printable(row.text(3)))});
  }
  event.kind = static_cast<Event::Kind>(kind - kNames.begin());
  if (!row.null(5)) event.decision = row.integer(5);
  return event;
}

}  // namespace

const char* name(Event::Kind kind) { return kNames[static_cast<std::size_t>(kind)]; }

Result<std::int64_t> Events::insert(const Event& event) {
  auto row = store_.statement(
      "INSERT INTO events(autoscaler, unix_ms, kind, text, decision) VALUES(?, ?, ?, ?, ?)");
  if (!row) return fail(row.error());
  auto done = (*row)
                  ->bind(event.autoscaler)
                  .bind(event.unix_ms)
                  .bind(name(event.kind))
                  .bind(printable(event.text, kEventBytes))
                  .bind(event.decision)
                  .run();
  if (!done) return fail(done.error());
  return sqlite3_last_insert_rowid(store_.db());
}

Result<std::int64_t> Events::add(const Event& event) {
  std::int64_t id = 0;
  auto done = store_.transact(passes(event.kind) ? Sync::soon : Sync::now, [&]() -> Result<void> {
    auto inserted = insert(event);
    if (!inserted) return fail(inserted.error());
    id = *inserted;
    return {};
  });
  if (!done) return fail(done.error());
  return id;
}

Result<std::vector<Event>> Events::find(const EventQuery& query) const {
  const auto there = store_.has_events();
  if (!there) return fail(there.error());
  std::vector<Event> events;
  if (!*there) return events;
  std::string sql = "SELECT id, autoscaler, unix_ms, kind, text, decision FROM events WHERE 1";
  if (!query.autoscaler.empty()) sql += " AND autoscaler = ?";
  if (query.since_unix_ms) sql += " AND unix_ms >= ?";
  if (query.until_unix_ms) sql += " AND unix_ms <= ?";
  if (query.after) sql += " AND id > ?";
  sql += query.after ? " ORDER BY id LIMIT ?" : " ORDER BY id DESC LIMIT ?";
  auto asked = store_.statement(sql);
  if (!asked) return fail(asked.error());
  auto& rows = **asked;
  if (!query.autoscaler.empty()) rows.bind(query.autoscaler);
  if (query.since_unix_ms) rows.bind(*query.since_unix_ms);
  if (query.until_unix_ms) rows.bind(*query.until_unix_ms);
  if (query.after) rows.bind(*query.after);
  rows.bind(static_cast<std::int64_t>(std::min<std::size_t>(query.limit, INT32_MAX)));
  for (;;) {
    auto row = rows.step();
    if (!row) return fail(row.error());
    if (!*row) break;
    auto event = read(rows, store_.path());
    if (!event) return fail(event.error());
    events.push_back(std::move(*event));
  }
  return events;
}

Result<void> Events::trim_by_age(std::int64_t now_unix_ms) {
  auto done = store_.remove(
      "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE unix_ms < ? "
      "ORDER BY unix_ms LIMIT ?)",
      {std::max<std::int64_t>(now_unix_ms, 0) - bounds_.events_age.count(), kEventsAgedAtOnce});
  if (!done) return fail(done.error());
  return {};
}

Result<void> Events::trim_by_size() {
  for (;;) {
    const auto kept = store_.kept(kEventsPart);
    if (!kept) return fail(kept.error());
    if (kept->entries <= bounds_.events && kept->bytes <= bounds_.bytes / kEventsShare) return {};
    auto done = store_.remove(
        "DELETE FROM events WHERE id IN (SELECT id FROM events "
        "WHERE id < (SELECT max(id) FROM events) ORDER BY id LIMIT ?)",
        {std::clamp<std::int64_t>(kept->entries / kTrimPart, 1, kTrimStep)});
    if (!done) return fail(done.error());
    if (*done == 0) return {};
  }
}

}  // namespace headroom::journal
