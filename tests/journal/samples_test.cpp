#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <thread>

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include "journal/fixture.h"

namespace headroom::journal {

inline void PrintTo(const Sample& sample, std::ostream* out) {
  const auto real = [&](const char* what, std::optional<double> value) {
    *out << ' ' << what << ' ';
    value ? *out << *value : *out << '?';
  };
  *out << "at " << sample.unix_ms << ": " << sample.ready << " of " << sample.wanted << ", waiting "
       << sample.waiting << ", failed " << sample.failed;
  real("concurrency", sample.concurrency), real("rate", sample.rate), real("cpu", sample.cpu);
  real("memory", sample.memory), real("p50", sample.p50_ms), real("p95", sample.p95_ms);
  real("p99", sample.p99_ms), real("target", sample.target);
  real("objective", sample.objective_ms), real("of", sample.objective_percentile);
  *out << (sample.by_rate ? " by rate" : "") << ", within " << sample.within << " of "
       << sample.judged;
}

namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::int64_t kStep = 5'000, kMinute = 60'000, kFive = 300'000;
constexpr std::int64_t kFar = 100'000'000'000'000;

/// In memory, where that can be: a thousand steps are a thousand times an fsync.
fs::path quick() {
  const char* const memory = "/dev/shm";
  return ::access(memory, W_OK) == 0 ? fs::path(memory) : fs::temp_directory_path();
}

class SamplesTest : public JournalTest {
 protected:
  SamplesTest() : JournalTest(quick()) {}

  static void must_take(Journal& journal, const Sample& sample, const std::string& name = "shop") {
    const auto taken = journal.sample(name, sample);
    EXPECT_TRUE(taken) << taken.error().what;
  }
  static History history(const Journal& journal, std::int64_t since = 0, std::int64_t until = kFar,
                         std::size_t most = 2000, const std::string& name = "shop") {
    auto found = journal.history(name, since, until, most);
    EXPECT_TRUE(found) << found.error().what;
    return found ? *found : History{};
  }
  static std::vector<std::int64_t> times(const History& history) {
    std::vector<std::int64_t> times;
    for (const auto& sample : history.samples) times.push_back(sample.unix_ms);
    return times;
  }
  /// Nothing is pending in the file that was closed.
  Journal again(Journal journal, Bounds bounds = {}) {
    { const Journal closed = std::move(journal); }
    return open(Journal::Mode::write, bounds);
  }
  std::int64_t rows(int level = -1) {
    return ask("SELECT count(*) FROM samples" +
               (level < 0 ? "" : " WHERE level = " + std::to_string(level)));
  }
};

Sample full(std::int64_t at) {
  return {.unix_ms = at,
          .wanted = 4,
          .ready = 3,
          .waiting = 1'000'000'000'000,
          .failed = 7,
          .concurrency = 14.2,
          .rate = 310,
          .cpu = 0.41,
          .memory = 37748736,
          .p50_ms = 2.1,
          .p95_ms = 8,
          .p99_ms = 31,
          .target = 7.5,
          .by_rate = true,
          .objective_ms = 100,
          .objective_percentile = 99.9,
          .judged = 1'550,
          .within = 1'549};
}

TEST_F(SamplesTest, AreReadAsTheyWereTaken) {
  auto journal = open();
  const Sample unknown{.unix_ms = kBegin + kStep, .wanted = 1};
  must_take(journal, full(kBegin));
  must_take(journal, unknown);
  must_take(journal, full(kBegin), "blog");
  journal = again(std::move(journal));
  EXPECT_THAT(history(journal).samples, ElementsAre(full(kBegin), unknown));
  EXPECT_EQ(history(journal).step, 5s);
  EXPECT_THAT(history(journal, 0, kFar, 9, "blog").samples, ElementsAre(full(kBegin)));
  EXPECT_THAT(history(journal, 0, kFar, 9, "nobody").samples, IsEmpty());
  EXPECT_EQ(history(open(Journal::Mode::read)).samples, history(journal).samples);
}

TEST_F(SamplesTest, WhatCannotBeIsUnknownOrRefused) {
  auto journal = open();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinite = std::numeric_limits<double>::infinity();
  must_take(journal, {.unix_ms = kBegin + 4999,
                      .wanted = -1,
                      .ready = -2,
                      .waiting = -3,
                      .failed = -4,
                      .concurrency = nan,
                      .rate = infinite,
                      .p99_ms = -infinite,
                      .target = nan,
                      .objective_ms = infinite,
                      .judged = -5,
                      .within = -6});
  for (const std::int64_t at : {std::int64_t{-1}, INT64_MIN, INT64_MAX, kFar * 3}) {
    const auto taken = journal.sample("shop", {.unix_ms = at});
    ASSERT_FALSE(taken) << at;
    EXPECT_EQ(taken.error().code, Code::invalid);
  }
  journal = again(std::move(journal));
  EXPECT_THAT(history(journal).samples, ElementsAre(Sample{.unix_ms = kBegin}));
  auto reader = open(Journal::Mode::read);
  EXPECT_EQ(reader.sample("shop", {.unix_ms = kBegin}).error().code, Code::invalid);
}

TEST_F(SamplesTest, ThoseOfAStepAreWrittenTogetherWithTheNext) {
  auto journal = open();
  must_take(journal, {.unix_ms = kBegin - kStep}, "first");
  const auto log = path_.string() + "-wal";
  const auto before = fs::file_size(log);
  for (int i = 0; i < 200; ++i) must_take(journal, full(kBegin), "s" + std::to_string(i));
  const auto one_write = fs::file_size(log);
  EXPECT_EQ(rows(0), 1) << "the step's before";
  for (int i = 0; i < 200; ++i) must_take(journal, full(kBegin), "s" + std::to_string(i));
  EXPECT_EQ(fs::file_size(log), one_write) << "no write while the step lasts";
  EXPECT_GT(one_write, before);
  must_take(journal, full(kBegin + kStep));
  EXPECT_EQ(rows(0), 201);
  EXPECT_THAT(history(journal, 0, kFar, 9, "s199").samples, SizeIs(1));
}

TEST_F(SamplesTest, TheFinestLevelThatReachesBackAnswers) {
  auto journal = open();
  const std::int64_t now = kBegin;
  const auto ago = [&](Millis span) { return now - span.count(); };
  // Each is at the head of a step of five minutes.
  const Millis taken[] = {100 * 24h, 80 * 24h, 8 * 24h, 6 * 24h, 5h, 3h, 1h, 10min, 0min};
  for (const auto before : taken) must_take(journal, {.unix_ms = ago(before), .failed = 1});
  must_take(journal, {.unix_ms = now + kStep});
  journal = again(std::move(journal));
  struct Case {
    const char* why;
    std::int64_t since, until;
    Millis step;
    std::vector<std::int64_t> expected;
  };
  const std::int64_t end = now;
  const Case cases[] = {
      {"now", now, end, 5s, {now}},
      {"an hour", ago(1h), end, 5s, {ago(1h), ago(10min), now}},
      {"two hours, of which an hour is there", ago(2h), end, 5s, {ago(1h), ago(10min), now}},
      {"nothing was between 3 h and now but what is there",
       ago(174min),
       end,
       5s,
       {ago(1h), ago(10min), now}},
      {"three hours", ago(3h), end, 1min, {ago(3h), ago(1h), ago(10min), now}},
      {"the minute that is cut", ago(3h) + 59'999, end, 1min, {ago(3h), ago(1h), ago(10min), now}},
      {"six days",
       ago(6 * 24h),
       end,
       1min,
       {ago(6 * 24h), ago(5h), ago(3h), ago(1h), ago(10min), now}},
      {"six days, not to the end", ago(6 * 24h), ago(4h), 1min, {ago(6 * 24h), ago(5h)}},
      {"eight days",
       ago(8 * 24h),
       end,
       5min,
       {ago(8 * 24h), ago(6 * 24h), ago(5h), ago(3h), ago(1h), ago(10min), now}},
      {"as far as there is",
       0,
       ago(5h),
       5min,
       {ago(80 * 24h), ago(8 * 24h), ago(6 * 24h), ago(5h)}},
      {"nobody asks for a time before 1970", INT64_MIN, ago(9 * 24h), 5min, {ago(80 * 24h)}},
      {"before all", 0, ago(95 * 24h), 5min, {}},
      {"turned round", now, ago(1h), 5s, {}},
  };
  for (const auto& [why, since, until, step, expected] : cases) {
    SCOPED_TRACE(why);
    const auto found = history(journal, since, until);
    EXPECT_EQ(times(found), expected);
    if (!expected.empty()) {
      EXPECT_EQ(found.step, step);
    }
  }
}

TEST_F(SamplesTest, ThereAreNoMoreThanAskedFor) {
  auto journal = open();
  constexpr int kTaken = 180;  // a quarter of an hour
  for (int i = 0; i < kTaken; ++i) {
    must_take(journal, {.unix_ms = kBegin + i * kStep, .wanted = i, .failed = 1, .rate = i});
  }
  journal = again(std::move(journal));
  struct Case {
    const char* why;
    std::size_t most;
    Millis step;
    std::size_t samples;
  };
  const Case cases[] = {
      {"all of them", 180, 5s, 180},
      {"one too many", 179, 1min, 15},
      {"as many minutes", 15, 1min, 15},
      {"a minute too many", 14, 5min, 3},
      {"as many as the coarsest has", 3, 5min, 3},
      {"folded further", 2, 10min, 2},
      {"into one", 1, {}, 1},
      {"none is one", 0, {}, 1},
  };
  for (const auto& [why, most, step, samples] : cases) {
    SCOPED_TRACE(why);
    const auto found = history(journal, kBegin, kFar, most);
    EXPECT_EQ(found.samples.size(), samples);
    if (step != Millis{}) {
      EXPECT_EQ(found.step, step);
    }
    std::int64_t failed = 0;
    for (const auto& sample : found.samples) {
      failed += sample.failed;
      EXPECT_EQ(sample.unix_ms % found.step.count(), 0);
    }
    EXPECT_EQ(failed, kTaken);
    EXPECT_EQ(found.samples.back().wanted, kTaken - 1);
  }
  EXPECT_DOUBLE_EQ(*history(journal, kBegin, kFar, 1).samples[0].rate, (kTaken - 1) / 2.0);
}

TEST_F(SamplesTest, TheLaterOfAStepReplacesTheEarlier) {
  auto journal = open();
  must_take(journal, {.unix_ms = kBegin, .wanted = 9, .failed = 5, .rate = 90.0, .p99_ms = 7.0});
  must_take(journal, {.unix_ms = kBegin + kStep, .wanted = 1, .failed = 1, .rate = 10.0});
  must_take(journal, {.unix_ms = kBegin + 2 * kStep, .failed = 3});
  // The clock was set back by ten seconds, and in one step by a little.
  must_take(journal, {.unix_ms = kBegin + 17, .wanted = 2, .failed = 1, .rate = 30.0});
  must_take(journal, {.unix_ms = kBegin + 11, .wanted = 3, .failed = 2, .rate = 40.0});
  journal = again(std::move(journal));
  const auto fine = history(journal);
  EXPECT_EQ(times(fine), (std::vector{kBegin, kBegin + kStep, kBegin + 2 * kStep}));
  EXPECT_EQ(fine.samples[0], (Sample{.unix_ms = kBegin, .wanted = 3, .failed = 2, .rate = 40.0}));
  EXPECT_THAT(history(journal, 0, kFar, 1).samples,
              ElementsAre(Sample{.unix_ms = kBegin, .wanted = 3, .failed = 6, .rate = 25.0}))
      << "nothing is left of the earlier one, nor is the later counted twice";
}

TEST_F(SamplesTest, AStepHasTheNewestTargetAndTheSumOfWhatWasHeldAgainstTheObjective) {
  auto journal = open();
  const auto aiming = [](std::int64_t at, std::optional<double> target, std::int64_t judged) {
    return Sample{.unix_ms = at,
                  .target = target,
                  .by_rate = target > 100.0,
                  .objective_ms = target,
                  .objective_percentile = 99,
                  .judged = judged,
                  .within = judged - 1};
  };
  must_take(journal, aiming(kBegin, 7, 10));
  must_take(journal, aiming(kBegin + kStep, 150, 20));
  must_take(journal, aiming(kBegin + kMinute, 8, 30));
  must_take(journal, aiming(kBegin + kMinute + kStep, std::nullopt, 5));
  journal = again(std::move(journal));
  const auto fine = history(journal);
  ASSERT_THAT(fine.samples, SizeIs(4));
  EXPECT_EQ(fine.samples[0].target, 7);
  EXPECT_EQ(fine.samples[1].target, 150);
  const auto minutes = history(journal, 0, kFar, 2);
  ASSERT_EQ(minutes.step, 1min);
  auto first = aiming(kBegin, 150, 30);
  first.within = 28;
  auto second = aiming(kBegin + kMinute, std::nullopt, 35);
  second.within = 33;
  EXPECT_THAT(minutes.samples, ElementsAre(first, second)) << "no target is the newest, too";
}

TEST_F(SamplesTest, FarApartTimesAreFoldedToo) {
  auto journal = open();
  must_take(journal, {.unix_ms = 0, .failed = 1});  // a clock that had not been set yet
  must_take(journal, {.unix_ms = kStep, .failed = 1});
  for (int i = 0; i < 4; ++i) must_take(journal, {.unix_ms = kBegin + i * kFive, .failed = 1});
  must_take(journal, {.unix_ms = 253'402'300'799'999, .failed = 1});
  for (const std::size_t most : {1, 2, 3, 5}) {
    const auto found = history(journal, INT64_MIN, INT64_MAX, most);
    EXPECT_LE(found.samples.size(), most);
    EXPECT_FALSE(found.samples.empty());
  }
}

/// What a level should have, made from what was taken alone.
std::vector<Sample> directly(const std::map<std::int64_t, Sample>& taken, std::int64_t step) {
  std::map<std::int64_t, std::vector<Sample>> steps;
  for (const auto& [at, sample] : taken) steps[at / step * step].push_back(sample);
  std::vector<Sample> all;
  for (const auto& [begin, finer] : steps) {
    Sample made{.unix_ms = begin};
    const auto average = [&](auto which) {
      double total = 0;
      int known = 0;
      for (const auto& sample : finer) {
        if (!(sample.*which)) continue;
        total += *(sample.*which);
        ++known;
      }
      if (known > 0) made.*which = total / known;
    };
    average(&Sample::concurrency), average(&Sample::rate), average(&Sample::cpu);
    average(&Sample::memory);
    for (const auto& sample : finer) {
      made.wanted = std::max(made.wanted, sample.wanted);
      made.ready = std::max(made.ready, sample.ready);
      made.waiting = std::max(made.waiting, sample.waiting);
      made.failed += sample.failed;
      made.judged += sample.judged;
      made.within += sample.within;
      // The newest of the step.
      made.target = sample.target;
      made.by_rate = sample.by_rate;
      made.objective_ms = sample.objective_ms;
      made.objective_percentile = sample.objective_percentile;
      made.p50_ms = std::max(made.p50_ms, sample.p50_ms);
      made.p95_ms = std::max(made.p95_ms, sample.p95_ms);
      made.p99_ms = std::max(made.p99_ms, sample.p99_ms);
    }
    all.push_back(made);
  }
  return all;
}

void expect_same(const std::vector<Sample>& found, const std::vector<Sample>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    Sample near = found[i];
    for (const auto real : {&Sample::concurrency, &Sample::rate, &Sample::cpu, &Sample::memory}) {
      const auto& should = expected[i].*real;
      ASSERT_EQ((near.*real).has_value(), should.has_value());
      if (!should) continue;
      ASSERT_NEAR(*(near.*real), *should, 1e-9 * (1 + std::abs(*should)));
      near.*real = should;
    }
    ASSERT_EQ(near, expected[i]);
  }
}

TEST_F(SamplesTest, FoldingARandomSeriesIsWhatEachLevelIsDirectly) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    fs::remove_all(path_.parent_path());
    std::mt19937_64 random(seed);
    const auto below = [&](std::uint64_t bound) { return static_cast<int>(random() % bound); };
    const auto maybe = [&](double most) -> std::optional<double> {
      if (below(4) == 0) return std::nullopt;
      return most * below(1000) / 1000.0;
    };
    std::array<std::map<std::int64_t, Sample>, 2> taken;
    auto journal = open();
    std::int64_t at = kBegin + below(kFive);
    for (int i = 0; i < 240; ++i) {
      at += kStep;
      if (below(30) == 0) at += below(10 * kMinute);            // Headroom was down
      if (below(30) == 0) at -= below(5 * kMinute);             // the clock was set back
      if (below(40) == 0) journal = again(std::move(journal));  // a restart
      for (const int which : {0, 1}) {
        if (below(10) == 0) continue;
        Sample sample{.unix_ms = at,
                      .wanted = below(9),
                      .ready = below(9),
                      .waiting = below(100),
                      .failed = below(5),
                      .concurrency = maybe(50),
                      .rate = maybe(1e4),
                      .cpu = maybe(8),
                      .memory = maybe(1e10),
                      .p50_ms = maybe(10),
                      .p95_ms = maybe(100),
                      .p99_ms = maybe(1000),
                      .judged = below(1000),
                      .within = below(1000)};
        must_take(journal, sample, which == 0 ? "shop" : "blog");
        sample.unix_ms = at / kStep * kStep;
        taken[static_cast<std::size_t>(which)][sample.unix_ms] = sample;
      }
    }
    journal = again(std::move(journal));
    for (const int which : {0, 1}) {
      for (const auto step : {kStep, kMinute, kFive, kFive * 2}) {
        SCOPED_TRACE(::testing::Message() << "step " << step);
        auto expected = directly(taken[static_cast<std::size_t>(which)], step);
        const auto found = history(journal, 0, kFar, expected.size(), which == 0 ? "shop" : "blog");
        // Folded beyond the coarsest, the step is as long as it has to be.
        if (step <= kFive) {
          ASSERT_EQ(found.step.count(), step);
        }
        expected = directly(taken[static_cast<std::size_t>(which)], found.step.count());
        expect_same(found.samples, expected);
      }
    }
    for (int level = 0; level < 3; ++level) {
      EXPECT_EQ(ask("SELECT entries FROM kept WHERE part = " + std::to_string(level)), rows(level));
    }
  }
}

TEST_F(SamplesTest, ThereAreNoMoreThanTheBoundAndNoLevelStarves) {
  const Bounds bounds{.samples = 300};
  auto journal = open(Journal::Mode::write, bounds);
  std::int64_t at = kBegin;
  for (int i = 0; i < 1500; ++i) {
    at += i % 10 == 0 ? 4 * kMinute : kStep;
    must_take(journal, {.unix_ms = at, .failed = 1});
    if (i % 100 == 99) {
      EXPECT_LE(rows(), 300);
    }
  }
  journal = again(std::move(journal), bounds);
  for (int level = 0; level < 3; ++level) {
    SCOPED_TRACE(level);
    EXPECT_GE(rows(level), 75);
    EXPECT_EQ(ask("SELECT entries FROM kept WHERE part = " + std::to_string(level)), rows(level));
  }
  const auto newest = history(journal, at - kMinute / 2);
  EXPECT_EQ(newest.step, 5s);
  EXPECT_EQ(newest.samples.back().unix_ms, at / kStep * kStep) << "the oldest left";
  journal = again(std::move(journal), {.samples = 30});
  EXPECT_LE(rows(), 30) << "a smaller bound holds at once";
}

TEST_F(SamplesTest, AFloodOfThemLeavesTheDecisions) {
  constexpr std::int64_t kBytes = 2'000'000;
  auto journal = open(Journal::Mode::write, {.bytes = kBytes});
  for (int i = 0; i < 200; ++i) must_record(journal, {i * 1s, i, i + 1});
  const auto decisions = ids(journal, {.limit = kAll}).size();
  for (int i = 0; i < 100; ++i) {
    for (int name = 0; name < 100; ++name) {
      must_take(journal, full(kBegin + i * kFive), "shop-" + std::to_string(name));
    }
  }
  must_record(journal, {300s, 1, 2});
  EXPECT_EQ(ids(journal, {.limit = kAll}).size(), decisions + 1);
  EXPECT_GT(rows(), 1000);
  EXPECT_LT(rows() * 100, kBytes / 2);
  { const Journal closed = std::move(journal); }
  EXPECT_LT(fs::file_size(path_), kBytes);
}

TEST_F(SamplesTest, AFullDiskHoldsThemUntilThereIsRoom) {
  auto journal = open();
  must_take(journal, {.unix_ms = kBegin, .failed = 1});
  must_take(journal, {.unix_ms = kBegin + kStep, .failed = 1});
  {
    const FullDisk full(fs::file_size(path_.string() + "-wal"));
    for (int i = 2; i < 20; ++i) {
      const auto taken = journal.sample("shop", {.unix_ms = kBegin + i * kStep, .failed = 1});
      ASSERT_FALSE(taken);
      EXPECT_EQ(taken.error().code, Code::unavailable);
      must_take(journal, {.unix_ms = kBegin + i * kStep, .failed = 1}, "blog");  // not tried again
    }
    EXPECT_THAT(history(journal).samples, SizeIs(1)) << "reading goes on";
  }
  must_record(journal, {1s, 1, 2});
  must_take(journal, {.unix_ms = kBegin + 20 * kStep});
  EXPECT_THAT(history(journal).samples, SizeIs(20));
  EXPECT_THAT(history(journal, 0, kFar, 99, "blog").samples, SizeIs(18));
}

TEST_F(SamplesTest, WhileNothingCanBeWrittenTheyAreBounded) {
  auto journal = open();
  must_take(journal, {.unix_ms = kBegin});
  {
    const FullDisk full(fs::file_size(path_.string() + "-wal"));
    for (int i = 1; i <= 10; ++i) {
      for (int name = 0; name < 1000; ++name) {
        static_cast<void>(
            journal.sample("s" + std::to_string(name), {.unix_ms = kBegin + i * kStep}));
      }
    }
  }
  journal = again(std::move(journal));
  EXPECT_EQ(rows(0), 8192);
  EXPECT_EQ(ask("SELECT max(unix_ms) FROM samples"), kBegin + 10 * kStep) << "the newest wait";
}

/// A child takes samples, and says each step only when the next one's have been taken; it is killed
/// at some moment. What it said is there, and the levels are of one moment.
TEST_F(SamplesTest, KilledAtAnyMomentNoWrittenStepIsLost) {
  std::int64_t steps = 0;
  for (int round = 0; round < 15; ++round) {
    SCOPED_TRACE(::testing::Message() << "round " << round);
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      auto journal = Journal::open(path_.string(), Journal::Mode::write);
      if (!journal) ::_exit(1);
      // After a step that nobody was told of, one is left out.
      for (std::int64_t i = steps + 2;; ++i) {
        for (const auto* name : {"shop", "blog"}) {
          if (!journal->sample(name, {.unix_ms = kBegin + i * kStep, .failed = 1})) ::_exit(2);
        }
        const auto event = journal->event(
            {.autoscaler = "shop", .unix_ms = kBegin + i * kStep, .kind = Event::Kind::gone});
        if (!event) ::_exit(3);
        if (::write(pipe[1], &i, sizeof i) != sizeof i) ::_exit(4);
      }
    }
    ::close(pipe[1]);
    std::int64_t said = 0;
    ASSERT_EQ(::read(pipe[0], &said, sizeof said), static_cast<ssize_t>(sizeof said));
    std::this_thread::sleep_for(std::chrono::microseconds(1700 * round));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    std::int64_t more = 0;
    while (::read(pipe[0], &more, sizeof more) == static_cast<ssize_t>(sizeof more)) said = more;
    ::close(pipe[0]);
    const auto journal = open();
    // The last one's samples may have waited for the next step's.
    const auto there = history(journal, 0, kFar, 1'000'000);
    for (std::int64_t i = steps + 2; i < said; ++i) {
      ASSERT_TRUE(
          std::ranges::binary_search(there.samples, kBegin + i * kStep, {}, &Sample::unix_ms));
    }
    ASSERT_EQ(there.samples, history(journal, 0, kFar, 1'000'000, "blog").samples);
    const auto events = journal.events({.limit = 1});
    ASSERT_TRUE(events && !events->empty());
    EXPECT_GE(events->front().unix_ms, kBegin + said * kStep);
    for (const int level : {1, 2}) {
      EXPECT_EQ(ask("SELECT sum(failed) FROM samples WHERE level = " + std::to_string(level)),
                rows(0));
    }
    steps = said + 1;
  }
  EXPECT_GE(steps, 30);
}

}  // namespace
}  // namespace headroom::journal
