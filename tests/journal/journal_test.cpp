#include "journal/journal.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "journal/fixture.h"

namespace headroom::journal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(JournalTest, AnEmptyOneKnowsNothing) {
  const auto journal = open();
  EXPECT_EQ(*journal.newest(), Instant{});
  EXPECT_FALSE(journal.restore("shop")->has_value());
  EXPECT_EQ(*journal.usual_startup("shop"), std::nullopt);
  EXPECT_TRUE(journal.find({})->empty());
  EXPECT_TRUE(journal.autoscalers()->empty());
}

TEST_F(JournalTest, ItIsItsOwnersAlone) {
  auto journal = open();
  must_record(journal, {1s, 1, 3});
  for (const char* suffix : {"", "-wal", "-shm"}) {
    struct stat seen {};
    ASSERT_EQ(::stat((path_.string() + suffix).c_str(), &seen), 0) << suffix;
    EXPECT_EQ(seen.st_mode & 0777, 0600U) << suffix;
  }
}

TEST_F(JournalTest, GoesOnAfterARestart) {
  const Made first{1s, 1, 3}, second{2s, 3, 4}, other{3s, 0, 1};
  {
    auto journal = open();
    must_record(journal, first);
    must_record(journal, second);
    must_record(journal, other, "blog");
  }
  const auto journal = open();
  const auto shop = *journal.restore("shop");
  ASSERT_TRUE(shop);
  EXPECT_EQ(shop->replicas, Replicas{4});
  EXPECT_EQ(shop->memory, remembered(second));
  EXPECT_EQ((*journal.restore("blog"))->replicas, Replicas{1});
  EXPECT_EQ(*journal.newest(), kStart + 3s);
  EXPECT_THAT(*journal.autoscalers(), ElementsAre("blog", "shop"));
  const auto entries = found(journal, {.autoscaler = "shop", .limit = 9});
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].observation, seen(second));
  EXPECT_EQ(entries[0].decision, decided(second));
  EXPECT_EQ(entries[1].decision, decided(first));
}

TEST_F(JournalTest, FindsByNameTimeAndRescale) {
  auto journal = open();
  const auto a = must_record(journal, {1s, 1, 2});
  const auto b = must_record(journal, {2s, 2, 2, "Panic"});
  const auto c = must_record(journal, {3s, 0, 1}, "blog");
  const auto d = must_record(journal, {4s, 2, 5});
  const auto at = [](Millis after) { return (kStart + after).time_since_epoch().count(); };
  struct Case {
    const char* why;
    Query query;
    std::vector<std::int64_t> expected;
  };
  const Case cases[] = {
      {"the newest of all", {}, {d}},
      {"all, newest first", {.limit = kAll}, {d, c, b, a}},
      {"of one name", {.autoscaler = "shop", .limit = kAll}, {d, b, a}},
      {"only rescales", {.autoscaler = "shop", .only_rescales = true, .limit = kAll}, {d, a}},
      {"only rescales of all", {.only_rescales = true, .limit = kAll}, {d, c, a}},
      {"at a time", {.until_unix_ms = at(2s), .limit = 1}, {b}},
      {"before a time", {.until_unix_ms = at(1999ms), .limit = kAll}, {a}},
      {"before all", {.until_unix_ms = at(0s), .limit = kAll}, {}},
      {"of nobody", {.autoscaler = "x", .limit = kAll}, {}},
      {"none asked for", {.limit = 0}, {}},
  };
  for (const auto& [why, query, expected] : cases) {
    SCOPED_TRACE(why);
    EXPECT_EQ(ids(journal, query), expected);
  }
}

TEST_F(JournalTest, KnowsWhereItBegins) {
  auto journal = open();
  EXPECT_EQ(*journal.first_decided("shop"), std::nullopt);
  must_record(journal, {1s, 1, 2});
  must_record(journal, {2s, 0, 1}, "blog");
  must_record(journal, {3s, 2, 3});
  const auto at = [](Millis after) { return (kStart + after).time_since_epoch().count(); };
  EXPECT_EQ(*journal.first_decided("shop"), at(1s));
  EXPECT_EQ(*journal.first_decided("blog"), at(2s));
}

TEST_F(JournalTest, RepetitionIsFolded) {
  auto journal = open();
  const auto rescale = must_record(journal, {0ms, 1, 3});
  const auto steady = must_record(journal, {250ms, 3, 3});
  EXPECT_NE(steady, rescale) << "a rescale is an entry of its own";
  EXPECT_EQ(must_record(journal, {500ms, 3, 3}), steady);
  std::int64_t newest = 0;
  for (int look = 3; look < 400; ++look) newest = must_record(journal, {look * 250ms, 3, 3});
  EXPECT_THAT(ids(journal, {.limit = kAll}), ElementsAre(newest, steady, rescale))
      << "the first, and the newest, which moves on";
  const auto other = must_record(journal, {100s, 3, 3, "Panic"});
  EXPECT_NE(other, steady) << "other reasons";
  EXPECT_EQ(found(journal, {.limit = 2})[1].decision, decided({99750ms, 3, 3}))
      << "what was pending is written with what ends it";
  EXPECT_NE(must_record(journal, {100s, 3, 3, "Panic"}, "blog"), other) << "another name";
  const auto up = must_record(journal, {101s, 3, 4, "Panic"});
  EXPECT_NE(up, other);
  EXPECT_NE(must_record(journal, {102s, 3, 4, "Panic"}), up) << "rescales are never folded";
}

TEST_F(JournalTest, WhatHeldIsFoundAtAnyTimeOfARun) {
  auto journal = open();
  must_record(journal, {0ms, 3, 3, "Panic"});
  for (int look = 1; look < 40; ++look) must_record(journal, {look * 250ms, 3, 3});
  must_record(journal, {10s, 3, 3, "Panic"});
  for (const Millis after : {250ms, 5000ms, 9999ms}) {
    const auto at = (kStart + after).time_since_epoch().count();
    EXPECT_EQ(found(journal, {.until_unix_ms = at})[0].decision.steps[0].code, "Concurrency")
        << after.count();
  }
  must_record(journal, {10'250ms, 3, 3});
  must_record(journal, {10'500ms, 3, 3});
  must_record(journal, {11s, 3, 3, "Panic"});
  EXPECT_EQ(found(journal, {.limit = 2})[1].decision, decided({10'250ms, 3, 3}))
      << "what was short has its first alone";
}

TEST_F(JournalTest, AnotherWordOfAnOperatorIsNoRepetition) {
  auto journal = open();
  const auto say = [&](Millis after, double left, bool pause) {
    auto decision = decided({after, 3, 3, "Pinned"});
    decision.steps[0].inputs = {left, pause ? 1.0 : 0.0};
    return *journal.record("shop", seen({after, 3, 3}), decision, {});
  };
  const auto pinned = say(0ms, 600, false);
  EXPECT_EQ(say(250ms, 599.75, false), pinned);
  const auto longer = say(500ms, 1200, false);
  EXPECT_NE(longer, pinned);
  const auto paused = say(750ms, 1199.75, true);
  EXPECT_NE(paused, longer);
  const auto for_good = say(1000ms, -1, true);
  EXPECT_NE(for_good, paused);
  EXPECT_EQ(say(1250ms, -1, true), for_good);
}

TEST_F(JournalTest, WhatIsFoldedIsOnDiskWithinFiveSeconds) {
  auto journal = open();
  const auto reader = open(Journal::Mode::read);
  Instant read_last{};
  for (int look = 0; look < 200; ++look) {
    const Made made{look * 250ms, 3, 3};
    must_record(journal, made);
    read_last = *reader.newest();
    EXPECT_LE(kStart + made.after - read_last, 5s);
    EXPECT_EQ((*reader.restore("shop"))->memory.last_active, read_last);
  }
  EXPECT_LT(read_last, kStart + 199 * 250ms) << "but not each look is a flush";
  must_record(journal, {50s, 3, 3, "Concurrency", 15s});
  EXPECT_EQ(*reader.newest(), kStart + 50s) << "the next look is too far away to wait for";
}

TEST_F(JournalTest, ClosingWritesWhatIsPending) {
  {
    auto journal = open();
    must_record(journal, {0ms, 3, 3});
    must_record(journal, {250ms, 3, 3});
  }
  EXPECT_EQ(*open().newest(), kStart + 250ms);
}

TEST_F(JournalTest, OutcomesAreKept) {
  auto journal = open();
  const auto id = must_record(journal, {1s, 1, 3});
  EXPECT_EQ(found(journal, {})[0].outcome, "");
  ASSERT_TRUE(journal.outcome(id, "started 2"));
  EXPECT_EQ(found(journal, {})[0].outcome, "started 2");
}

TEST_F(JournalTest, TheUsualStartupIsTheMedianOfTheNewestHundred) {
  auto journal = open();
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(journal.startup("shop", 9s));
  EXPECT_EQ(*journal.usual_startup("shop"), 9s);
  for (int i = 0; i < 99; ++i) ASSERT_TRUE(journal.startup("shop", Millis(i)));
  EXPECT_EQ(*journal.usual_startup("shop"), 50ms) << "one of the old is left";
  EXPECT_EQ(*journal.usual_startup("blog"), std::nullopt);
}

TEST_F(JournalTest, OldEntriesLeave) {
  auto journal = open(Journal::Mode::write, {.age = 1h});
  must_record(journal, {0s, 1, 2});
  must_record(journal, {1s, 2, 3});
  for (int i = 0; i < 200; ++i) must_record(journal, {2h + i * 1s, i, i + 1});
  const auto entries = found(journal, {.limit = kAll});
  EXPECT_EQ(entries.size(), 201U);
  EXPECT_EQ(entries.back().observation.now, kStart + 1s) << "it held until the next, less long ago";
}

TEST_F(JournalTest, TheFileDoesNotGrowWithoutEnd) {
  constexpr std::int64_t kBytes = 200'000;
  {
    auto journal = open(Journal::Mode::write, {.bytes = kBytes});
    for (int i = 0; i < 800; ++i) must_record(journal, {i * 1s, i, i + 1});
    const auto entries = found(journal, {.limit = kAll});
    EXPECT_GT(entries.size(), 20U);
    EXPECT_EQ(entries.front().decision.replicas, Replicas{800}) << "the newest stay";
    EXPECT_TRUE(journal.restore("shop")->has_value());
  }
  EXPECT_LT(fs::file_size(path_), 2 * kBytes);
}

TEST_F(JournalTest, ASmallerBoundShrinksTheFile) {
  {
    auto journal = open();
    for (int i = 0; i < 800; ++i) must_record(journal, {i * 1s, i, i + 1});
  }
  const auto before = fs::file_size(path_);
  { auto journal = open(Journal::Mode::write, {.bytes = 100'000}); }
  EXPECT_LT(fs::file_size(path_), before / 2);
}

TEST_F(JournalTest, AFoldedEntryThatTheBoundsTookIsWrittenAnew) {
  auto journal = open(Journal::Mode::write, {.bytes = 100'000});
  must_record(journal, {0s, 0, 0, "Asleep"}, "blog");
  for (int i = 0; i < 300; ++i) must_record(journal, {i * 1s, i, i + 1});
  ASSERT_TRUE(ids(journal, {.autoscaler = "blog"}).empty());
  must_record(journal, {700s, 0, 0, "Asleep"}, "blog");
  EXPECT_EQ(ids(journal, {.autoscaler = "blog"}).size(), 1U);
}

TEST_F(JournalTest, WhatHoldsIsNotTrimmedByItsSize) {
  auto journal = open(Journal::Mode::write, {.bytes = 200'000});
  for (int i = 0; i < 800; ++i) {
    must_record(journal, {i * 1s, i, i + 1});
    must_record(journal, {i * 1s, 0, 0, "Asleep"}, "blog");
  }
  const auto oldest = found(journal, {.autoscaler = "shop", .limit = kAll}).back().observation.now;
  ASSERT_GT(oldest, kStart + 100s);
  const auto at = oldest.time_since_epoch().count();
  EXPECT_EQ(found(journal, {.autoscaler = "blog", .until_unix_ms = at}).at(0).observation.now,
            kStart)
      << "its first: since then nothing else held";
}

TEST_F(JournalTest, NorByItsAge) {
  auto journal = open(Journal::Mode::write, {.age = 1h});
  must_record(journal, {1s, 0, 0, "Asleep"}, "dead");
  for (int i = 1; i < 100; ++i) {
    must_record(journal, {i * 10min, 1, 1}, "blog");
    must_record(journal, {i * 10min, i, i + 1}, "other");
  }
  EXPECT_EQ(found(journal, {.autoscaler = "blog", .limit = kAll}).back().observation.now,
            kStart + 10min);
  EXPECT_TRUE(ids(journal, {.autoscaler = "dead"}).empty()) << "it held when it was last seen";
}

TEST_F(JournalTest, OneWriterAtATime) {
  auto journal = open();
  EXPECT_THAT(refused(Journal::Mode::write, Code::conflict),
              HasSubstr("process " + std::to_string(::getpid())));
  const auto moved = std::move(journal);
  refused(Journal::Mode::write, Code::conflict);
  open(Journal::Mode::read);
}

TEST_F(JournalTest, TheLockGoesWithItsProcess) {
  const pid_t child = ::fork();
  if (child == 0) {
    auto journal = open();
    ::raise(SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  open();
}

TEST_F(JournalTest, AReaderWritesNothing) {
  { auto journal = open(); }
  auto reader = open(Journal::Mode::read);
  EXPECT_EQ(record(reader, {1s, 1, 2}).error().code, Code::invalid);
  EXPECT_EQ(reader.startup("shop", 1s).error().code, Code::invalid);
}

TEST_F(JournalTest, AReaderBesideAWriterSeesEachEntryWhole) {
  auto journal = open();
  const pid_t child = ::fork();
  if (child == 0) {
    // Another process: reads until the last entry is there.
    const auto reader = Journal::open(path_.string(), Journal::Mode::read);
    if (!reader) ::_exit(1);
    for (;;) {
      const auto entries = reader->find({.limit = 3});
      if (!entries) ::_exit(2);
      for (const auto& entry : *entries) {
        if (entry.decision.current != entry.observation.current) ::_exit(3);
      }
      if (!entries->empty() && entries->front().decision.replicas.count >= 300) ::_exit(0);
    }
  }
  for (int i = 0; i < 300; ++i) must_record(journal, {i * 1s, i, i + 1});
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(JournalTest, RefusesWhatItCannotOpen) {
  EXPECT_THAT(refused(Journal::Mode::read, Code::unavailable), HasSubstr("there is none"));

  std::ofstream(folder_ / "file") << "not a folder";
  path_ = folder_ / "file" / "journal.db";
  EXPECT_THAT(refused(Journal::Mode::write, Code::unavailable), HasSubstr("Not a directory"));

  path_ = folder_ / "folder";  // where the file should be
  fs::create_directories(path_);
  refused(Journal::Mode::write, Code::unavailable);
}

TEST_F(JournalTest, RefusesAFolderThatIsNotWritable) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  fs::create_directories(path_.parent_path());
  fs::permissions(path_.parent_path(), fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_THAT(refused(Journal::Mode::write, Code::unavailable), HasSubstr("must be writable"));
  fs::permissions(path_.parent_path(), fs::perms::owner_all);
}

TEST_F(JournalTest, RefusesADamagedFileAndSaysWhatToDo) {
  { auto journal = open(); }
  std::ofstream(path_, std::ios::trunc) << std::string(8192, 'x');
  const auto error = refused(Journal::Mode::write, Code::unavailable);
  EXPECT_THAT(error, HasSubstr("damaged"));
  EXPECT_THAT(error, HasSubstr("mv " + path_.string()));
  EXPECT_THAT(refused(Journal::Mode::read, Code::unavailable), HasSubstr("damaged"));
  std::ofstream(path_, std::ios::trunc) << "";
  open();  // an empty file is where one begins
}

TEST_F(JournalTest, DamageInTheMiddleIsAnErrorNotACrash) {
  {
    auto journal = open();
    for (int i = 0; i < 300; ++i) must_record(journal, {i * 1s, i, i + 1});
  }
  const auto size = fs::file_size(path_);
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  for (auto at = static_cast<std::streamoff>(4096 * 2);
       at + 4096 < static_cast<std::streamoff>(size); at += 4096) {
    file.seekp(at);
    file << std::string(200, '\xA5');
  }
  file.close();
  auto journal = Journal::open(path_.string(), Journal::Mode::write);
  std::string error;
  if (!journal) {
    error = journal.error().what;
  } else if (const auto entries = journal->find({.limit = kAll}); !entries) {
    error = entries.error().what;
  }
  EXPECT_THAT(error, HasSubstr("damaged"));
  EXPECT_THAT(error, HasSubstr("Move it aside"));
}

TEST_F(JournalTest, RefusesAFileOfAnotherProgramOrVersion) {
  sql("CREATE TABLE bookmarks(url)");
  EXPECT_THAT(refused(Journal::Mode::write, Code::unavailable), HasSubstr("another program"));
  fs::remove(path_);
  { auto journal = open(); }
  sql("PRAGMA user_version = 7");
  EXPECT_THAT(refused(Journal::Mode::write, Code::unavailable), HasSubstr("version 7"));
  EXPECT_THAT(refused(Journal::Mode::read, Code::unavailable), HasSubstr("version 7"));
}

TEST_F(JournalTest, AFullDiskWritesNothingAndIsUsableOnceThereIsRoom) {
  auto journal = open();
  must_record(journal, {1s, 1, 2});
  must_record(journal, {2s, 2, 2});
  {
    const FullDisk full(fs::file_size(path_.string() + "-wal"));
    for (int i = 0; i < 3; ++i) {
      const auto id = record(journal, {3s, 2, 3});
      ASSERT_FALSE(id);
      EXPECT_EQ(id.error().code, Code::unavailable);
      EXPECT_FALSE(journal.startup("shop", 1s));
      EXPECT_FALSE(record(journal, {8s, 2, 2})) << "nor what would be folded";
    }
    EXPECT_EQ(ids(journal, {.limit = kAll}).size(), 2U) << "reading goes on";
    EXPECT_EQ((*journal.restore("shop"))->replicas, Replicas{2});
  }
  must_record(journal, {9s, 2, 5});
  EXPECT_EQ(found(journal, {}).front().decision.replicas, Replicas{5});
  EXPECT_EQ((*journal.restore("shop"))->replicas, Replicas{5});
}

/// A child records rescales and says each id only after record() has returned; it is killed at
/// some moment, and whatever it said must be there.
TEST_F(JournalTest, KilledAtAnyMomentNothingThatWasSaidIsLost) {
  std::int64_t said_last = 0;
  std::vector<std::int64_t> said;
  for (int round = 0; round < 20; ++round) {
    SCOPED_TRACE(::testing::Message() << "round " << round);
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      auto journal = Journal::open(path_.string(), Journal::Mode::write);
      if (!journal) ::_exit(1);
      for (int i = 0;; ++i) {
        const auto id = record(*journal, {round * 1000s + i * 1s, i, i + 1});
        if (!id || ::write(pipe[1], &*id, sizeof *id) != sizeof *id) ::_exit(2);
      }
    }
    ::close(pipe[1]);
    std::int64_t id = 0;
    // The first is waited for, so that each round kills in the midst of writing.
    ASSERT_EQ(::read(pipe[0], &id, sizeof id), static_cast<ssize_t>(sizeof id));
    said.push_back(id);
    std::this_thread::sleep_for(std::chrono::microseconds(1700 * round));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (::read(pipe[0], &id, sizeof id) == static_cast<ssize_t>(sizeof id)) said.push_back(id);
    ::close(pipe[0]);

    const auto journal = open();
    auto there = ids(journal, {.limit = kAll});
    std::ranges::sort(there);
    ASSERT_TRUE(std::ranges::includes(there, said));
    ASSERT_GT(said.back(), said_last);
    said_last = said.back();
    const auto newest = found(journal, {}).front();
    const auto state = *journal.restore("shop");
    ASSERT_TRUE(state);
    EXPECT_EQ(state->replicas, newest.decision.replicas) << "the state is the newest entry's";
    EXPECT_EQ(state->memory.last_active, newest.observation.now);
  }
  EXPECT_GE(said.size(), 20U);
}

}  // namespace
}  // namespace headroom::journal
