#include <algorithm>
#include <string>

#include <gmock/gmock.h>

#include "journal/fixture.h"

namespace headroom::journal {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Kind = Event::Kind;

class EventsTest : public JournalTest {
 protected:
  static std::int64_t must_add(Journal& journal, Event event) {
    const auto id = journal.event(event);
    EXPECT_TRUE(id) << id.error().what;
    return id ? *id : 0;
  }
  static std::vector<Event> events(const Journal& journal, const EventQuery& query = {}) {
    auto found = journal.events(query);
    EXPECT_TRUE(found) << found.error().what;
    return found ? *found : std::vector<Event>{};
  }
  static std::vector<std::int64_t> event_ids(const Journal& journal, const EventQuery& query) {
    std::vector<std::int64_t> ids;
    for (const auto& event : events(journal, query)) ids.push_back(event.id);
    return ids;
  }
};

TEST_F(EventsTest, AreReadAsTheyWereWritten) {
  const Event cases[] = {
      {.autoscaler = "shop",
       .unix_ms = kBegin,
       .kind = Kind::ready,
       .text = "replica 4 after 12ms"},
      {.autoscaler = "shop", .unix_ms = kBegin, .kind = Kind::draining, .text = "replica 4"},
      {.autoscaler = "shop", .unix_ms = kBegin + 1, .kind = Kind::gone, .text = ""},
      {.autoscaler = "blog", .unix_ms = kBegin - 9, .kind = Kind::trouble, .text = "»exit 1«"},
      {.autoscaler = "",
       .unix_ms = kBegin - 99,
       .kind = Kind::operator_word,
       .text = "log level debug"},
      {.autoscaler = "shop",
       .unix_ms = kBegin,
       .kind = Kind::policy,
       .text = "read",
       .decision = 7},
  };
  std::vector<Event> written;
  {
    auto journal = open();
    for (auto event : cases) {
      event.id = must_add(journal, event);
      written.insert(written.begin(), event);
    }
    EXPECT_EQ(events(journal), written);
  }
  EXPECT_EQ(events(open(Journal::Mode::read)), written);
}

TEST_F(EventsTest, KindsAreWordsOfTheApi) {
  EXPECT_STREQ(name(Kind::rescale), "rescale");
  EXPECT_STREQ(name(Kind::ready), "ready");
  EXPECT_STREQ(name(Kind::draining), "draining");
  EXPECT_STREQ(name(Kind::gone), "gone");
  EXPECT_STREQ(name(Kind::trouble), "trouble");
  EXPECT_STREQ(name(Kind::operator_word), "operator");
  EXPECT_STREQ(name(Kind::policy), "policy");
}

TEST_F(EventsTest, ARescaleIsOneOfItsDecision) {
  auto journal = open();
  const auto up = must_record(journal, {1s, 1, 3});
  for (int look = 0; look < 40; ++look) must_record(journal, {2s + look * 250ms, 3, 3});
  const auto down = must_record(journal, {60s, 3, 0});
  const auto told = events(journal);
  ASSERT_THAT(told, SizeIs(2)) << "what stays as it is does not happen";
  EXPECT_EQ(told[0].decision, down);
  EXPECT_EQ(told[1].decision, up);
  EXPECT_EQ(told[1].kind, Kind::rescale);
  EXPECT_EQ(told[1].autoscaler, "shop");
  EXPECT_EQ(told[1].unix_ms, seen({1s, 1, 3}).unix_millis);
  EXPECT_EQ(told[1].text, "1 → 3 replicas: 1000") << "and the reason, which is the step's text";
  const auto entry = journal.entry(up);
  ASSERT_TRUE(entry && *entry);
  EXPECT_EQ((*entry)->decision, decided({1s, 1, 3}));
  EXPECT_FALSE(journal.entry(up + 100)->has_value());
  const auto twice = journal.event({.kind = Kind::rescale, .decision = up});
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code, Code::invalid);
}

TEST_F(EventsTest, AreFoundByNameTimeAndId) {
  auto journal = open();
  const auto add = [&](const char* name, Millis after) {
    return must_add(journal, {.autoscaler = name, .unix_ms = kBegin + after.count()});
  };
  const auto a = add("shop", 1s), b = add("blog", 2s), c = add("shop", 3s);
  const auto d = add("shop", 2500ms);  // the wall clock was set back
  const auto at = [](Millis after) { return kBegin + after.count(); };
  struct Case {
    const char* why;
    EventQuery query;
    std::vector<std::int64_t> expected;
  };
  const Case cases[] = {
      {"all, as they came, newest first", {}, {d, c, b, a}},
      {"the newest two", {.limit = 2}, {d, c}},
      {"of one", {.autoscaler = "shop"}, {d, c, a}},
      {"of nobody", {.autoscaler = "x"}, {}},
      {"since", {.since_unix_ms = at(2500ms)}, {d, c}},
      {"until", {.until_unix_ms = at(2s)}, {b, a}},
      {"between",
       {.autoscaler = "shop", .since_unix_ms = at(2s), .until_unix_ms = at(2999ms)},
       {d}},
      {"between, turned round", {.since_unix_ms = at(3s), .until_unix_ms = at(1s)}, {}},
      {"after one, oldest first", {.after = a}, {b, c, d}},
      {"after one, in parts", {.after = a, .limit = 2}, {b, c}},
      {"after all", {.after = d}, {}},
      {"from the first", {.autoscaler = "shop", .after = 0}, {a, c, d}},
      {"none asked for", {.limit = 0}, {}},
      {"as many as there are", {.limit = SIZE_MAX}, {d, c, b, a}},
  };
  for (const auto& [why, query, expected] : cases) {
    SCOPED_TRACE(why);
    EXPECT_EQ(event_ids(journal, query), expected);
  }
}

TEST_F(EventsTest, DecisionsAreFoundSinceATime) {
  auto journal = open();
  const auto a = must_record(journal, {1s, 1, 2});
  const auto b = must_record(journal, {2s, 2, 3});
  const auto at = [](Millis after) { return (kStart + after).time_since_epoch().count(); };
  EXPECT_THAT(ids(journal, {.since_unix_ms = at(1001ms), .limit = kAll}), ElementsAre(b));
  EXPECT_THAT(ids(journal, {.since_unix_ms = at(1s), .limit = kAll}), ElementsAre(b, a));
  EXPECT_THAT(ids(journal, {.since_unix_ms = at(1s), .until_unix_ms = at(1s), .limit = kAll}),
              ElementsAre(a));
}

TEST_F(EventsTest, TextsAreALineOfABoundedLength) {
  auto journal = open();
  must_add(journal, {.text = "panic:\n\x1b[31mred\xff"});
  EXPECT_EQ(events(journal)[0].text, "panic:\\x0A\\x1B[31mred\\xFF");
  std::string arrows;
  for (int i = 0; i < 1000; ++i) arrows += "→";
  must_add(journal, {.text = arrows});
  const auto text = events(journal)[0].text;
  EXPECT_LE(text.size(), kEventBytes);
  EXPECT_GT(text.size(), kEventBytes - 8);
  EXPECT_THAT(text, EndsWith("→…")) << "no character is cut";
}

TEST_F(EventsTest, TheOldLeave) {
  const Bounds bounds{.events_age = 1h};
  auto journal = open(Journal::Mode::write, bounds);
  for (int i = 0; i < 100; ++i) must_add(journal, {.unix_ms = kBegin + i, .text = "old"});
  const std::int64_t later = kBegin + Millis(2h).count();
  for (int i = 0; i < 10; ++i) must_add(journal, {.unix_ms = later + i, .text = "new"});
  EXPECT_THAT(events(journal, {.until_unix_ms = kBegin + 1000}), IsEmpty());
  EXPECT_THAT(events(journal), SizeIs(10));
}

TEST_F(EventsTest, ThereAreNoMoreThanTheBound) {
  std::int64_t last = 0;
  {
    auto journal = open(Journal::Mode::write, {.events = 100});
    for (int i = 0; i < 400; ++i) last = must_add(journal, {.kind = Kind::ready});
    const auto left = event_ids(journal, {.limit = kAll});
    EXPECT_LE(left.size(), 100U);
    EXPECT_GT(left.size(), 80U);
    EXPECT_EQ(left.front(), last);
  }
  EXPECT_EQ(ask("SELECT entries FROM kept WHERE part = 3"), ask("SELECT count(*) FROM events"));
  {
    auto journal = open(Journal::Mode::write, {.events = 0});
    EXPECT_THAT(event_ids(journal, {}), ElementsAre(last)) << "the newest stays";
  }
  sql("DELETE FROM events");
  auto journal = open();
  EXPECT_EQ(must_add(journal, {}), last + 1) << "no id is given twice";
  EXPECT_EQ(ask("SELECT entries FROM kept WHERE part = 3"), 1);
}

TEST_F(EventsTest, AFloodOfThemLeavesTheDecisions) {
  constexpr std::int64_t kBytes = 1'000'000;
  auto journal = open(Journal::Mode::write, {.bytes = kBytes});
  for (int i = 0; i < 200; ++i) must_record(journal, {i * 1s, i, i + 1});
  const std::string text(kEventBytes, 'x');
  for (int i = 0; i < 2000; ++i) must_add(journal, {.kind = Kind::ready, .text = text});
  must_record(journal, {300s, 1, 2});
  EXPECT_EQ(ids(journal, {.limit = kAll}).size(), 201U);
  EXPECT_GT(events(journal, {.limit = kAll}).size(), 30U);
  EXPECT_LT(fs::file_size(path_), kBytes);
}

TEST_F(EventsTest, AReaderWritesNone) {
  { auto journal = open(); }
  auto reader = open(Journal::Mode::read);
  EXPECT_EQ(reader.event({}).error().code, Code::invalid);
}

TEST_F(EventsTest, OneOfAnUnknownKindIsAnError) {
  {
    auto journal = open();
    must_add(journal, {.text = "fine"});
  }
  sql("UPDATE events SET kind = 'party'");
  const auto journal = open();
  const auto found = journal.events({});
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().what, HasSubstr("event 1 cannot be read: its kind is \"party\""));
}

TEST_F(EventsTest, AFullDiskWritesNoneAndIsUsableOnceThereIsRoom) {
  auto journal = open();
  const auto first = must_add(journal, {.unix_ms = kBegin, .text = "before"});
  {
    const FullDisk full(fs::file_size(path_.string() + "-wal"));
    for (const auto kind : {Kind::trouble, Kind::ready}) {
      const auto id = journal.event({.kind = kind});
      ASSERT_FALSE(id);
      EXPECT_EQ(id.error().code, Code::unavailable);
    }
    EXPECT_FALSE(record(journal, {1s, 1, 2})) << "nor a rescale";
    EXPECT_THAT(event_ids(journal, {}), ElementsAre(first)) << "reading goes on";
  }
  must_record(journal, {1s, 1, 2});
  EXPECT_THAT(events(journal), SizeIs(2));
  EXPECT_EQ(ask("SELECT entries FROM kept WHERE part = 3"), 2);
}

}  // namespace
}  // namespace headroom::journal
