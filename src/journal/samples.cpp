#include "journal/samples.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace headroom::journal {
namespace {

constexpr std::array kPeaks = {&Sample::p50_ms, &Sample::p95_ms, &Sample::p99_ms};
constexpr std::array kSums = {&Sample::failed, &Sample::judged, &Sample::within};

constexpr std::int64_t kLatest = 253'402'300'799'999;  // the end of the year 9999
constexpr std::size_t kTaken = 8192;
constexpr std::size_t kWrittenAtOnce = 1024;  // so that a full disk costs little at each attempt
constexpr std::int64_t kSamplesAgedAtOnce = 4096;  // more than are written
constexpr std::int64_t kSamplesShare = 4;          // a part of the file's bytes

struct Level {
  std::int64_t step = 0, kept = 0;  // milliseconds
};
/// Each is kept for a coarsest step longer than is promised: who asks for the last two hours
/// asks a little later than the newest sample was taken.
constexpr Millis kMargin = 5min;
constexpr std::array kLevels = {
    Level{kSampleStep.count(), Millis(2h + kMargin).count()},
    Level{Millis(1min).count(), Millis(7 * 24h + kMargin).count()},
    Level{Millis(5min).count(), Millis(90 * 24h + kMargin).count()},
};
constexpr std::int64_t kCoarsest = kLevels.size() - 1;
static_assert(kEventsPart == kLevels.size());

const Level& level_of(std::int64_t level) { return kLevels[static_cast<std::size_t>(level)]; }

std::int64_t begin_of(std::int64_t unix_ms, std::int64_t step) { return unix_ms - unix_ms % step; }

std::optional<double> finite(std::optional<double> value) {
  return value && std::isfinite(*value) ? value : std::nullopt;
}

/// A damaged file may hold any number.
std::int64_t sum(std::int64_t a, std::int64_t b) {
  std::int64_t total = 0;
  if (!__builtin_add_overflow(a, b, &total)) return total;
  return a > 0 ? std::numeric_limits<std::int64_t>::max()
               : std::numeric_limits<std::int64_t>::min();
}

}  // namespace

void add(Sample& to, const Sample& from) {
  to.wanted = std::max(to.wanted, from.wanted);
  to.ready = std::max(to.ready, from.ready);
  to.waiting = std::max(to.waiting, from.waiting);
  for (const auto each : kSums) to.*each = sum(to.*each, from.*each);
  for (const auto peak : kPeaks) to.*peak = std::max(to.*peak, from.*peak);  // none is the least
}

void Samples::fold(const Row& finer, Row& into) {
  auto& to = into.sample;
  const auto& from = finer.sample;
  add(to, from);
  for (std::size_t i = 0; i < kAverages.size(); ++i) {
    const auto& more = from.*kAverages[i];
    if (!more || finer.known[i] <= 0) continue;
    auto& average = to.*kAverages[i];
    into.known[i] = sum(std::max<std::int64_t>(into.known[i], 0), finer.known[i]);
    const double part = static_cast<double>(finer.known[i]) / static_cast<double>(into.known[i]);
    average = average ? *average + (*more - *average) * part : *more;
  }
  for (const auto aim : kAims) to.*aim = from.*aim;
  to.by_rate = from.by_rate;
}

template <class Each>
Result<void> Samples::each(const Range& range, const Each& take) const {
  const auto whole = store_.has_targets();
  if (!whole) return fail(whole.error());
  auto asked = store_.statement(fmt::format(
      "SELECT unix_ms, wanted, ready, waiting, failed, concurrency, rate, cpu, memory, "
      "concurrency_of, rate_of, cpu_of, memory_of, p50_ms, p95_ms, p99_ms, {} FROM samples "
      "WHERE level = ? AND autoscaler = ? AND unix_ms >= ? AND unix_ms < ? ORDER BY unix_ms",
      *whole ? "target, objective_ms, objective_percentile, by_rate, judged, within"
             : "NULL, NULL, NULL, 0, 0, 0"));
  if (!asked) return fail(asked.error());
  auto& rows = **asked;
  rows.bind(range.level).bind(range.autoscaler).bind(range.from).bind(range.below);
  const auto real = [&](int column) {
    return rows.null(column) ? std::nullopt : finite(rows.real(column));
  };
  for (;;) {
    auto there = rows.step();
    if (!there) return fail(there.error());
    if (!*there) return {};
    Row row{.sample = {.unix_ms = rows.integer(0),
                       .wanted = static_cast<std::int32_t>(rows.integer(1)),
                       .ready = static_cast<std::int32_t>(rows.integer(2)),
                       .waiting = rows.integer(3),
                       .failed = rows.integer(4),
                       .by_rate = rows.integer(19) != 0,
                       .judged = rows.integer(20),
                       .within = rows.integer(21)}};
    for (int i = 0; i < static_cast<int>(kAverages.size()); ++i) {
      const auto at = static_cast<std::size_t>(i);
      row.sample.*kAverages[at] = real(5 + i);
      row.known[at] = rows.integer(9 + i);
    }
    for (int i = 0; i < static_cast<int>(kPeaks.size()); ++i) {
      row.sample.*kPeaks[static_cast<std::size_t>(i)] = real(13 + i);
    }
    for (int i = 0; i < static_cast<int>(kAims.size()); ++i) {
      row.sample.*kAims[static_cast<std::size_t>(i)] = real(16 + i);
    }
    take(row);
  }
}

Result<void> Samples::write(std::int64_t level, const std::string& autoscaler, const Row& row) {
  auto put = store_.statement(
      "INSERT INTO samples(level, autoscaler, unix_ms, wanted, ready, waiting, failed, "
      "concurrency, rate, cpu, memory, concurrency_of, rate_of, cpu_of, memory_of, p50_ms, p95_ms, "
      "p99_ms, target, objective_ms, objective_percentile, by_rate, judged, within) "
      "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
      "ON CONFLICT(level, autoscaler, unix_ms) DO UPDATE SET wanted = excluded.wanted, "
      "ready = excluded.ready, waiting = excluded.waiting, failed = excluded.failed, "
      "concurrency = excluded.concurrency, rate = excluded.rate, cpu = excluded.cpu, "
      "memory = excluded.memory, concurrency_of = excluded.concurrency_of, "
      "rate_of = excluded.rate_of, cpu_of = excluded.cpu_of, memory_of = excluded.memory_of, "
      "p50_ms = excluded.p50_ms, p95_ms = excluded.p95_ms, p99_ms = excluded.p99_ms, "
      "target = excluded.target, objective_ms = excluded.objective_ms, "
      "objective_percentile = excluded.objective_percentile, by_rate = excluded.by_rate, "
      "judged = excluded.judged, within = excluded.within");
  if (!put) return fail(put.error());
  const auto& sample = row.sample;
  (*put)
      ->bind(level)
      .bind(autoscaler)
      .bind(sample.unix_ms)
      .bind(sample.wanted)
      .bind(sample.ready)
      .bind(sample.waiting)
      .bind(sample.failed);
  for (const auto average : kAverages) (*put)->bind(sample.*average);
  for (const auto known : row.known) (*put)->bind(known);
  for (const auto peak : kPeaks) (*put)->bind(sample.*peak);
  for (const auto aim : kAims) (*put)->bind(sample.*aim);
  (*put)->bind(std::int64_t{sample.by_rate}).bind(sample.judged).bind(sample.within);
  return (*put)->run();
}

/// Writes it, and folds it into the coarser steps that it is in. Where it replaces one, these are
/// made anew from their finer ones: nothing can be taken out of a maximum.
Result<void> Samples::put(const std::string& autoscaler, const Sample& sample) {
  Row finest{.sample = sample};
  for (std::size_t i = 0; i < kAverages.size(); ++i) {
    finest.known[i] = sample.*kAverages[i] ? 1 : 0;
  }
  bool replaces = false;
  auto seen = each({0, autoscaler, sample.unix_ms, sample.unix_ms + 1},
                   [&](const Row&) { replaces = true; });
  if (!seen) return seen;
  if (auto written = write(0, autoscaler, finest); !written) return written;
  for (std::int64_t level = 1; level <= kCoarsest; ++level) {
    const auto step = level_of(level).step;
    const auto begin = begin_of(sample.unix_ms, step);
    Row row;
    const auto into = [&](const Row& finer) { fold(finer, row); };
    auto folded = replaces ? each({level - 1, autoscaler, begin, begin + step}, into)
                           : each({level, autoscaler, begin, begin + 1}, into);
    if (!folded) return folded;
    if (!replaces) fold(finest, row);
    row.sample.unix_ms = begin;
    if (auto written = write(level, autoscaler, row); !written) return written;
  }
  return {};
}

Result<bool> Samples::take(const std::string& autoscaler, Sample sample) {
  if (!store_.writable()) return fail({Code::invalid, "journal: opened for reading"});
  if (sample.unix_ms < 0 || sample.unix_ms > kLatest) {
    return fail({Code::invalid, fmt::format("journal: a sample of the time {} ms; the years 1970 "
                                            "to 9999 are known",
                                            sample.unix_ms)});
  }
  sample.unix_ms = begin_of(sample.unix_ms, kSampleStep.count());
  sample.wanted = std::max(sample.wanted, 0);
  sample.ready = std::max(sample.ready, 0);
  sample.waiting = std::max<std::int64_t>(sample.waiting, 0);
  for (const auto each : kSums) sample.*each = std::max<std::int64_t>(sample.*each, 0);
  for (const auto real : kAverages) sample.*real = finite(sample.*real);
  for (const auto real : kPeaks) sample.*real = finite(sample.*real);
  for (const auto real : kAims) sample.*real = finite(sample.*real);
  // Once in a step: where it fails, the rest of the step's need not try.
  const bool due = sample.unix_ms != tried_ && !taken_.empty();
  tried_ = sample.unix_ms;
  Result<void> written;
  if (due) written = flush();
  if (taken_.size() >= kTaken) taken_.pop_front();
  taken_.emplace_back(autoscaler, sample);
  if (!written) return fail(written.error());
  return due;
}

Result<void> Samples::flush() {
  while (!taken_.empty()) {
    const auto some = std::min(taken_.size(), kWrittenAtOnce);
    auto written = store_.transact(Sync::now, [&]() -> Result<void> {
      for (std::size_t i = 0; i < some; ++i) {
        if (auto done = put(taken_[i].first, taken_[i].second); !done) return done;
      }
      return {};
    });
    if (!written) return written;
    const auto now = taken_[some - 1].second.unix_ms;
    taken_.erase(taken_.begin(), taken_.begin() + static_cast<std::ptrdiff_t>(some));
    // They are written: where no room can be made now, it is made at a later time.
    static_cast<void>(trim_by_age(now));
    static_cast<void>(trim_by_size());
  }
  return {};
}

Result<std::optional<Samples::Span>> Samples::span(const Range& range) const {
  // One of the two in a statement is a look into the index, both are a walk along it.
  std::array<std::int64_t, 2> ends{};
  constexpr std::array kAsk = {
      "SELECT min(unix_ms) FROM samples "
      "WHERE level = ? AND autoscaler = ? AND unix_ms >= ? AND unix_ms < ?",
      "SELECT max(unix_ms) FROM samples "
      "WHERE level = ? AND autoscaler = ? AND unix_ms >= ? AND unix_ms < ?"};
  for (std::size_t i = 0; i < ends.size(); ++i) {
    auto asked = store_.statement(kAsk[i]);
    if (!asked) return fail(asked.error());
    auto row = (*asked)
                   ->bind(range.level)
                   .bind(range.autoscaler)
                   .bind(range.from)
                   .bind(range.below)
                   .step();
    if (!row) return fail(row.error());
    if ((*asked)->null(0)) return std::optional<Span>();
    ends[i] = (*asked)->integer(0);
  }
  return std::optional<Span>({ends[0], ends[1]});
}

Result<std::int64_t> Samples::count(const Range& range, std::int64_t most) const {
  auto asked = store_.statement(
      "SELECT count(*) FROM (SELECT 1 FROM samples "
      "WHERE level = ? AND autoscaler = ? AND unix_ms >= ? AND unix_ms < ? LIMIT ?)");
  if (!asked) return fail(asked.error());
  auto row = (*asked)
                 ->bind(range.level)
                 .bind(range.autoscaler)
                 .bind(range.from)
                 .bind(range.below)
                 .bind(most + 1)
                 .step();
  if (!row) return fail(row.error());
  return (*asked)->integer(0);
}

Result<bool> Samples::reaches(std::int64_t level, const std::string& autoscaler,
                              std::int64_t since) const {
  const auto all = span({level, autoscaler, 0, kLatest + 1});
  if (!all) return fail(all.error());
  const std::int64_t oldest = *all ? (*all)->first : kLatest;
  for (std::int64_t coarser = level + 1; coarser <= kCoarsest; ++coarser) {
    // A step that ends where this level begins, or earlier, and touches what is asked for.
    const auto step = level_of(coarser).step;
    const auto older = span({coarser, autoscaler, since - step + 1, oldest - step + 1});
    if (!older) return fail(older.error());
    if (*older) return false;
  }
  return true;
}

Result<std::int64_t> Samples::step_for(const Range& range, std::int64_t most) const {
  const auto step = level_of(range.level).step;
  const auto there = count(range, most);
  if (!there) return fail(there.error());
  if (*there <= most) return step;
  const auto ends = span(range);
  if (!ends) return fail(ends.error());
  if (!*ends) return step;
  const auto [first, last] = **ends;
  auto times = std::max<std::int64_t>(1, (last - first) / step / most);
  while (last / (times * step) - first / (times * step) >= most) times += 1 + times / 64;
  return times * step;
}

Result<History> Samples::history(const std::string& autoscaler, std::int64_t since,
                                 std::int64_t until, std::size_t at_most) const {
  since = std::clamp<std::int64_t>(since, 0, kLatest);
  until = std::clamp<std::int64_t>(until, -1, kLatest);
  const auto most = static_cast<std::int64_t>(std::clamp<std::size_t>(at_most, 1, INT32_MAX));
  History history{.step = kSampleStep, .samples = {}};
  const auto there = store_.has_events();
  if (!there) return fail(there.error());
  if (!*there) return history;
  auto done = store_.look([&]() -> Result<void> {
    Range range{.autoscaler = autoscaler, .below = until + 1};
    for (;; ++range.level) {
      range.from = begin_of(since, level_of(range.level).step);
      if (range.level == kCoarsest) break;
      const auto entries = count(range, most);
      if (!entries) return fail(entries.error());
      if (*entries > most) continue;
      const auto enough = reaches(range.level, autoscaler, since);
      if (!enough) return fail(enough.error());
      if (*enough) break;
    }
    const auto step = step_for(range, most);
    if (!step) return fail(step.error());
    history.step = Millis(*step);
    std::vector<Row> rows;
    auto read = each(range, [&](const Row& row) {
      const auto begin = begin_of(row.sample.unix_ms, *step);
      if (rows.empty() || rows.back().sample.unix_ms != begin) {
        rows.emplace_back().sample.unix_ms = begin;
      }
      fold(row, rows.back());
    });
    for (auto& row : rows) history.samples.push_back(row.sample);
    return read;
  });
  if (!done) return fail(done.error());
  return history;
}

Result<void> Samples::trim_by_age(std::int64_t now_unix_ms) {
  for (std::int64_t level = 0; level <= kCoarsest; ++level) {
    auto done = store_.remove(
        "DELETE FROM samples WHERE (level, autoscaler, unix_ms) IN (SELECT level, autoscaler, "
        "unix_ms FROM samples WHERE level = ? AND unix_ms < ? ORDER BY unix_ms LIMIT ?)",
        {level, now_unix_ms - level_of(level).kept, kSamplesAgedAtOnce});
    if (!done) return fail(done.error());
  }
  return {};
}

Result<void> Samples::trim_by_size() {
  for (;;) {
    std::array<Kept, kLevels.size()> kept{};
    Kept all;
    for (std::int64_t level = 0; level <= kCoarsest; ++level) {
      auto asked = store_.kept(level);
      if (!asked) return fail(asked.error());
      kept[static_cast<std::size_t>(level)] = *asked;
      all.entries = sum(all.entries, asked->entries);
      all.bytes = sum(all.bytes, asked->bytes);
    }
    const std::int64_t bytes = bounds_.bytes / kSamplesShare;
    if (all.entries <= bounds_.samples && all.bytes <= bytes) return {};
    // Above a bound there is a level that has more than its part of it.
    const auto fat = std::ranges::find_if(kept, [&](const Kept& level) {
      constexpr auto kParts = static_cast<std::int64_t>(kLevels.size());
      return all.entries > bounds_.samples ? level.entries > bounds_.samples / kParts
                                           : level.bytes > bytes / kParts;
    });
    if (fat == kept.end()) return {};
    auto done = store_.remove(
        "DELETE FROM samples WHERE (level, autoscaler, unix_ms) IN (SELECT level, autoscaler, "
        "unix_ms FROM samples WHERE level = ? ORDER BY unix_ms LIMIT ?)",
        {fat - kept.begin(), std::clamp<std::int64_t>(fat->entries / kTrimPart, 1, kTrimStep)});
    if (!done) return fail(done.error());
    if (*done == 0) return {};
  }
}

}  // namespace headroom::journal
