#include <fstream>
#include <random>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "decide/record.h"
#include "journal/fixture.h"

namespace headroom::journal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// As the first Headroom made it.
constexpr const char* kVersion1 = R"sql(
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
BEGIN IMMEDIATE;
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
PRAGMA user_version = 1;
PRAGMA application_id = 0x48656164;
COMMIT;
)sql";

/// What the second added to it.
constexpr const char* kVersion2 = R"sql(
BEGIN IMMEDIATE;
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
PRAGMA user_version = 2;
COMMIT;
)sql";

class SchemaTest : public JournalTest {
 protected:
  static constexpr Made kMade{1s, 1, 3};

  void write_version_1() {
    sql(kVersion1);
    const auto at = seen(kMade).unix_millis;
    sql(fmt::format("INSERT INTO decisions VALUES(1, 'shop', {}, {}, 1, '{}', '{}', 'done');", at,
                    at, decide::to_json(seen(kMade)), decide::to_json(decided(kMade))));
    sql(fmt::format("INSERT INTO state VALUES('shop', {}, 3, '{}')", at,
                    decide::to_json(remembered(kMade))));
  }
  /// A minute of samples, and an event.
  void write_version_2() {
    write_version_1();
    sql(kVersion2);
    for (int i = 0; i < 12; ++i) {
      sql(
          fmt::format("INSERT INTO samples VALUES(0, 'shop', {}, 3, 2, 1, 5, 14.5, 1, NULL, 0, "
                      "1.5, 1, NULL, 0, 2, 8, 31)",
                      kBegin + i * 5000));
    }
    for (const int level : {1, 2}) {
      sql(
          fmt::format("INSERT INTO samples VALUES({}, 'shop', {}, 3, 2, 1, 60, 14.5, 12, NULL, 0, "
                      "1.5, 12, NULL, 0, 2, 8, 31)",
                      level, kBegin));
    }
    sql(fmt::format("INSERT INTO events VALUES(7, 'shop', {}, 'ready', 'replica 1', NULL)",
                    kBegin));
  }
  static void expect_what_was_sampled(const Journal& journal) {
    const auto history = journal.history("shop", 0, kBegin + 59'999);
    ASSERT_TRUE(history) << history.error().what;
    ASSERT_THAT(history->samples, SizeIs(12));
    EXPECT_EQ(history->samples[0], (Sample{.unix_ms = kBegin,
                                           .wanted = 3,
                                           .ready = 2,
                                           .waiting = 1,
                                           .failed = 5,
                                           .concurrency = 14.5,
                                           .cpu = 1.5,
                                           .p50_ms = 2,
                                           .p95_ms = 8,
                                           .p99_ms = 31}))
        << "what was not kept then is none";
    EXPECT_THAT(journal.history("shop", 0, kBegin + 59'999, 1)->samples, SizeIs(1));
    ASSERT_THAT(*journal.events({}), SizeIs(1));
    EXPECT_EQ(journal.events({})->front().id, 7);
  }
  static void expect_what_was_written(const Journal& journal) {
    const auto entries = found(journal, {.autoscaler = "shop", .limit = kAll});
    ASSERT_THAT(entries, SizeIs(1));
    EXPECT_EQ(entries[0].observation, seen(kMade));
    EXPECT_EQ(entries[0].decision, decided(kMade));
    EXPECT_EQ(entries[0].outcome, "done");
    EXPECT_EQ((*journal.restore("shop"))->memory, remembered(kMade));
  }
};

TEST_F(SchemaTest, AFileOfVersion1IsReadAsItIs) {
  write_version_1();
  const auto reader = open(Journal::Mode::read);
  expect_what_was_written(reader);
  EXPECT_THAT(*reader.events({}), IsEmpty());
  EXPECT_THAT(reader.history("shop", 0, kBegin)->samples, IsEmpty());
  EXPECT_EQ(ask("PRAGMA user_version"), 1);
}

TEST_F(SchemaTest, AFileOfVersion1IsBroughtUpToDateByAWriter) {
  write_version_1();
  const auto reader = open(Journal::Mode::read);
  EXPECT_THAT(*reader.events({}), IsEmpty());
  {
    auto journal = open();
    expect_what_was_written(journal);
    EXPECT_THAT(*journal.events({}), IsEmpty());
    must_record(journal, {2s, 3, 4});
    ASSERT_TRUE(journal.sample("shop", {.unix_ms = kBegin, .wanted = 4}));
  }
  EXPECT_EQ(ask("PRAGMA user_version"), 3);
  EXPECT_THAT(*reader.events({}), SizeIs(1)) << "a reader from before sees it, too";
  EXPECT_THAT(reader.history("shop", 0, kBegin)->samples, SizeIs(1));
  EXPECT_THAT(ids(open(), {.limit = kAll}), ElementsAre(2, 1));
}

TEST_F(SchemaTest, AFileOfVersion2IsReadAsItIs) {
  write_version_2();
  const auto reader = open(Journal::Mode::read);
  expect_what_was_written(reader);
  expect_what_was_sampled(reader);
  EXPECT_EQ(ask("PRAGMA user_version"), 2);
}

TEST_F(SchemaTest, AFileOfVersion2IsBroughtUpToDateByAWriter) {
  write_version_2();
  const auto reader = open(Journal::Mode::read);
  expect_what_was_sampled(reader);
  {
    auto journal = open();
    expect_what_was_written(journal);
    expect_what_was_sampled(journal);
    EXPECT_EQ(ask("SELECT sum(bytes) FROM kept WHERE part < 3"), 14 * 148) << "counted anew";
    ASSERT_TRUE(journal.sample("shop", {.unix_ms = kBegin + 60'000, .target = 7.0, .judged = 3}));
  }
  EXPECT_EQ(ask("PRAGMA user_version"), 3);
  const auto after = reader.history("shop", kBegin + 60'000, kBegin + 60'000);
  ASSERT_TRUE(after) << after.error().what;
  ASSERT_THAT(after->samples, SizeIs(1)) << "a reader from before sees it, too";
  EXPECT_EQ(after->samples[0].target, 7.0);
  const auto folded = open().history("shop", 0, kBegin + 60'000, 1);
  EXPECT_EQ(folded->samples[0].failed, 60) << "into a step that was there before";
  EXPECT_EQ(folded->samples[0].judged, 3);
  sql("DELETE FROM samples");
  EXPECT_EQ(ask("SELECT sum(bytes) + sum(entries) FROM kept WHERE part < 3"), 0)
      << "as much goes as came";
}

TEST_F(SchemaTest, WhoStandsByChangesNothingBeforeItBegins) {
  write_version_2();
  {
    auto journal = open(Journal::Mode::stand_by);
    expect_what_was_written(journal);
    expect_what_was_sampled(journal);
    EXPECT_FALSE(journal.event({.text = "too early"}));
    EXPECT_EQ(ask("PRAGMA user_version"), 2);
    EXPECT_THAT(refused(Journal::Mode::write, Code::conflict), HasSubstr("another Headroom"))
        << "it is the next writer";
  }
  EXPECT_EQ(ask("PRAGMA user_version"), 2) << "who wrote it goes on";
  auto journal = open(Journal::Mode::stand_by);
  ASSERT_TRUE(journal.begin());
  EXPECT_EQ(ask("PRAGMA user_version"), 3);
  expect_what_was_written(journal);
  expect_what_was_sampled(journal);
  must_record(journal, {2s, 3, 4});
  EXPECT_TRUE(journal.sample("shop", {.unix_ms = kBegin + 60'000, .target = 7.0}));
}

TEST_F(SchemaTest, WhoStandsBySaysAtOnceWhatItCouldNotDo) {
  EXPECT_THAT(refused(Journal::Mode::stand_by, Code::unavailable), HasSubstr("there is none"));
  EXPECT_FALSE(fs::exists(path_)) << "and makes none";
  write_version_2();
  sql("ALTER TABLE samples ADD COLUMN target REAL");  // as the third would
  EXPECT_THAT(refused(Journal::Mode::stand_by, Code::unavailable), HasSubstr("target"));
  EXPECT_EQ(ask("PRAGMA user_version"), 2);
  sql("PRAGMA user_version = 99");
  EXPECT_THAT(refused(Journal::Mode::stand_by, Code::unavailable), HasSubstr("another Headroom"));
}

TEST_F(SchemaTest, WhereThereIsNoRoomForTheNewTablesTheOldStayAsTheyAre) {
  write_version_1();
  {
    const FullDisk full(33'000);  // room for the log's index, but for few pages in the log
    const auto journal = Journal::open(path_.string(), Journal::Mode::write);
    ASSERT_FALSE(journal);
    EXPECT_EQ(journal.error().code, Code::unavailable);
  }
  EXPECT_EQ(ask("PRAGMA user_version"), 1);
  expect_what_was_written(open(Journal::Mode::read));
  expect_what_was_written(open());
}

TEST_F(SchemaTest, NonsenseInTheTablesIsReadWithoutHarm) {
  {
    auto journal = open();
    must_record(journal, {1s, 1, 2});
    for (int i = 0; i < 200; ++i) {
      ASSERT_TRUE(journal.sample("shop", {.unix_ms = kBegin + i * 5000, .failed = 1, .cpu = 1.0}));
    }
  }
  const char* const values[] = {
      "9223372036854775807", "-9223372036854775808", "9e999", "-1e308", "'text'", "x'00ff'", "0"};
  const char* const columns[] = {"wanted", "waiting", "failed",  "cpu",   "cpu_of",
                                 "p50_ms", "target",  "by_rate", "judged"};
  for (const auto* column : columns) {
    for (const auto* value : values) {
      SCOPED_TRACE(fmt::format("{} = {}", column, value));
      sql(fmt::format("UPDATE samples SET {} = {} WHERE unix_ms % 3 = 0", column, value));
      auto journal = open();
      for (const std::size_t most : {1000, 20, 2}) {
        const auto history = journal.history("shop", INT64_MIN, INT64_MAX, most);
        ASSERT_TRUE(history) << history.error().what;
        EXPECT_LE(history->samples.size(), most);
        EXPECT_FALSE(history->samples.empty());
      }
      // Folded into what is there, and made anew.
      ASSERT_TRUE(journal.sample("shop", {.unix_ms = kBegin, .failed = INT64_MAX, .cpu = 1.0}));
      ASSERT_TRUE(journal.sample("shop", {.unix_ms = kBegin + 1'000'000, .failed = 1, .cpu = 1.0}));
    }
  }
  sql("UPDATE samples SET unix_ms = -unix_ms WHERE level > 0");
  sql("UPDATE kept SET entries = 9223372036854775807, bytes = 9223372036854775807");
  {
    auto journal = open();
    EXPECT_TRUE(journal.event({.text = "counted wrongly"}));
  }
  sql("DELETE FROM kept");
  auto journal = open();
  EXPECT_TRUE(journal.history("shop", INT64_MIN, INT64_MAX));
  EXPECT_TRUE(journal.history("shop", INT64_MAX, INT64_MIN));
}

/// Damage is an error or a wrong number, never a crash or an endless loop.
TEST_F(SchemaTest, DamageAnywhereIsSurvived) {
  {
    auto journal = open();
    for (int i = 0; i < 60; ++i) {
      must_record(journal, {i * 1s, i, i + 1});
      ASSERT_TRUE(journal.sample("shop", {.unix_ms = kBegin + i * 5000, .failed = 1, .cpu = 1.0}));
    }
  }
  const auto whole = path_;
  path_ = folder_ / "damaged.db";
  std::mt19937_64 random(1);
  const auto size = fs::file_size(whole);
  int errors = 0;
  for (int round = 0; round < 80; ++round) {
    SCOPED_TRACE(::testing::Message() << "round " << round);
    for (const auto* tail : {"", "-wal", "-shm"}) fs::remove(path_.string() + tail);
    fs::copy_file(whole, path_);
    {
      std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
      for (int i = 0; i < 40; ++i) {
        // Pages' heads are where their structure is.
        const auto page = random() % (size / 4096) * 4096;
        file.seekp(static_cast<std::streamoff>(page + random() % (i % 2 == 0 ? 4096 : 64)));
        file.put(static_cast<char>(random()));
      }
    }
    for (const auto mode : {Journal::Mode::read, Journal::Mode::write}) {
      auto journal = Journal::open(path_.string(), mode);
      if (!journal) {
        ++errors;
        continue;
      }
      bool fine = journal->find({.limit = kAll}) && journal->events({.limit = kAll});
      for (const std::size_t most : {1000, 2}) {
        fine = journal->history("shop", 0, INT64_MAX, most) && fine;
      }
      if (mode == Journal::Mode::write) {
        fine = record(*journal, {100s, 1, 2}) && fine;
        fine = journal->event({.text = "here"}) && fine;
        fine = journal->sample("shop", {.unix_ms = kBegin}) && fine;
        fine = journal->sample("shop", {.unix_ms = kBegin + 5000}) && fine;
      }
      if (!fine) ++errors;
    }
  }
  EXPECT_GT(errors, 40) << "most damage is seen";
}

}  // namespace
}  // namespace headroom::journal
