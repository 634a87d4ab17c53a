#include "control/recorder.h"

#include <filesystem>
#include <memory>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "support/temporary.h"

namespace headroom::control {
namespace {

using journal::Journal;

Journal open(const std::string& path, Journal::Mode mode) {
  auto journal = Journal::open(path, mode);
  EXPECT_TRUE(journal) << to_string(journal.error());
  return std::move(*journal);
}

struct Record {
  Millis at;
  int before, after;
  std::string_view code;
};

std::optional<std::int64_t> put(Recorder& recorder, const Record& record) {
  decide::Observation observation;
  observation.now = Instant{record.at};
  observation.unix_millis = record.at.count();
  observation.current = {record.before};
  decide::Decision decision;
  decision.current = {record.before};
  decision.replicas = {record.after};
  decision.steps.push_back({.code = record.code,
                            .before = {record.before},
                            .after = {record.after},
                            .text = std::string(record.code) + " told"});
  decide::Memory memory;
  memory.last_active = Instant{record.at};
  return recorder.record("shop", observation, decision, memory);
}

std::vector<journal::Entry> all(const std::string& path) {
  const auto entries = open(path, Journal::Mode::read).find({.autoscaler = "shop", .limit = 1000});
  EXPECT_TRUE(entries);
  return *entries;
}

TEST(Recorder, WritesBeforeItReturns) {
  TemporaryFolder folder;
  const auto path = folder / "journal.db";
  Recorder recorder(open(path, Journal::Mode::write));
  const auto entry = put(recorder, {1s, 0, 1, "Waiting"});
  ASSERT_TRUE(entry);
  const auto entries = all(path);
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].id, *entry);
  EXPECT_EQ(entries[0].decision.replicas, Replicas{1});
  recorder.outcome(*entry, "reached after 12ms");
  EXPECT_EQ(all(path)[0].outcome, "reached after 12ms");
}

/// Holds the database's write lock from another connection, as a fault that comes and goes.
class Blocked {
 public:
  explicit Blocked(const std::string& path) {
    EXPECT_EQ(sqlite3_open(path.c_str(), &database_), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database_, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  }
  ~Blocked() {
    sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr);
    sqlite3_close(database_);
  }
  Blocked(const Blocked&) = delete;
  Blocked& operator=(const Blocked&) = delete;

 private:
  sqlite3* database_ = nullptr;
};

TEST(Recorder, KeepsWhatTheJournalDoesNotTakeAndWritesItLater) {
  TemporaryFolder folder;
  const auto path = folder / "journal.db";
  Recorder recorder(open(path, Journal::Mode::write));
  {
    const Blocked blocked(path);
    EXPECT_FALSE(put(recorder, {1s, 0, 1, "Waiting"}));
    EXPECT_FALSE(put(recorder, {2s, 1, 2, "Panic"}));
    EXPECT_EQ(recorder.waiting(), 2u);
  }
  EXPECT_FALSE(put(recorder, {3s, 2, 3, "Panic"})) << "not tried again yet";
  EXPECT_TRUE(put(recorder, {1s + Recorder::kRetry, 3, 4, "Panic"}));
  EXPECT_EQ(recorder.waiting(), 0u);
  const auto entries = all(path);
  ASSERT_EQ(entries.size(), 4u) << "none lost, in order";
  EXPECT_EQ(entries[3].decision.replicas, Replicas{1});
  EXPECT_EQ(entries[0].decision.replicas, Replicas{4});
}

TEST(Recorder, LeavesTheJournalToAnother) {
  TemporaryFolder folder;
  const auto path = folder / "journal.db";
  Recorder recorder(open(path, Journal::Mode::write));
  {
    const Blocked blocked(path);
    EXPECT_FALSE(put(recorder, {1s, 0, 1, "Waiting"}));
    EXPECT_FALSE(recorder.close()) << "a decision would be lost";
  }
  ASSERT_TRUE(recorder.close());
  EXPECT_EQ(all(path).size(), 1u) << "it was written before";
  EXPECT_FALSE(put(recorder, {2s, 1, 2, "Panic"}));
  recorder.event("shop", journal::Event::Kind::trouble, "not ours to write");
  recorder.outcome(1, "nor this");
  EXPECT_EQ(recorder.usual_startup("shop"), 1s);
  EXPECT_FALSE(recorder.restore("shop"));
  EXPECT_EQ(recorder.waiting(), 1u);
  EXPECT_FALSE(recorder.close()) << "what waits would be lost";
  recorder.reopened(open(path, Journal::Mode::write));
  EXPECT_TRUE(put(recorder, {3s, 2, 3, "Panic"}));
  EXPECT_EQ(all(path).size(), 3u) << "what was decided meanwhile, too";
  EXPECT_EQ((*recorder.restore("shop"))->replicas, Replicas{3});
}

TEST(Recorder, WritesOnceItHasBegun) {
  TemporaryFolder folder;
  const auto path = folder / "journal.db";
  ASSERT_TRUE(
      put(*std::make_unique<Recorder>(open(path, Journal::Mode::write)), {1s, 0, 1, "Waiting"}));
  Recorder recorder(open(path, Journal::Mode::stand_by));
  EXPECT_EQ((*recorder.restore("shop"))->replicas, Replicas{1});
  {
    const Blocked blocked(path);  // by now it may not: decisions wait
    ASSERT_TRUE(recorder.begin());
    EXPECT_FALSE(put(recorder, {2s, 1, 2, "Panic"}));
  }
  EXPECT_TRUE(put(recorder, {2s + Recorder::kRetry, 2, 3, "Panic"}));
  EXPECT_EQ(all(path).size(), 3u);
}

TEST(Recorder, KnowsTheUsualStartup) {
  TemporaryFolder folder;
  Recorder recorder(open(folder / "journal.db", Journal::Mode::write));
  EXPECT_EQ(recorder.usual_startup("shop"), 1s) << "nothing known";
  for (const Millis took : {10ms, 700ms, 30ms}) recorder.startup("shop", took);
  EXPECT_EQ(recorder.usual_startup("shop"), 30ms);
}

}  // namespace
}  // namespace headroom::control
