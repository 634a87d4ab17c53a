#include "decide/record.h"

#include <cmath>
#include <cstring>
#include <limits>

#include <gmock/gmock.h>

#include "decide/arbitrary.h"

namespace headroom::decide {
namespace {

using namespace make;  // NOLINT
using ::testing::HasSubstr;

TEST(Record, ReadsAsPeopleWouldWriteIt) {
  auto seen = observation(Instant{5s}, 3, 1);
  seen.unix_millis = 1700000000000;
  seen.load = load(14.2, Instant{5s}, 2);
  EXPECT_EQ(to_json(seen),
            R"({"v":3,"now":5000,"unixMillis":1700000000000,"current":3,"status":0,)"
            R"("selects":true,"templates":[{"containers":[{"name":"app","requests":[)"
            R"({"resource":"cpu","milli":1000},{"resource":"memory","milli":268435456000}]}],)"
            R"("sidecars":[],"podRequests":[],"overhead":[]}],)"
            R"("replicas":[{"id":1,"phase":"Running","deleting":false,"started":-995000,)"
            R"("ready":{"status":"True","since":-895000},"madeOf":0,)"
            R"("cpu":{"absent":"no_data","answer":""},"memory":{"absent":"no_data","answer":""},)"
            R"("restarts":0}],"metrics":[],"triggers":[],"scalers":[],"zones":[],)"
            R"("load":{"concurrency":14.2,"rate":0,"over":1000,"waiting":2,"running":14,)"
            R"("lastActive":5000}})");
}

TEST(Record, DoublesComeBackToTheLastBit) {
  std::mt19937_64 random(3);
  Memory memory;
  auto& buckets = memory.concurrency.stable.buckets;
  while (buckets.size() < 3000) {
    const std::uint64_t bits = random();
    double value = 0;
    std::memcpy(&value, &bits, sizeof value);
    if (std::isfinite(value)) buckets.push_back(value);
  }
  for (double value : {0.1, 120.96000000000001, 1e-300, 5e-324, 1.7976931348623157e308, 3.0, 1e22,
                       9007199254740993.0, 0.0}) {
    buckets.push_back(value);
  }
  const auto back = memory_from_json(to_json(memory));
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(*back, memory);
}

TEST(Record, ALoadThatIsNoNumberIsWrittenDownAsSeen) {
  auto seen = observation(kStart, 1, 0);
  seen.load = load(1, kStart);
  seen.load->concurrency = std::numeric_limits<double>::infinity();
  seen.load->rate = -std::numeric_limits<double>::infinity();
  auto back = observation_from_json(to_json(seen));
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(*back, seen);
  seen.load->rate = std::nan("");
  back = observation_from_json(to_json(seen));
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_TRUE(std::isnan(back->load->rate));
}

TEST(Record, TextThatIsNoUtf8IsReplaced) {
  auto seen = observation(kStart, 1, 0);
  seen.load = tl::unexpected<Absent>(Absent{
      Absent::Reason::timeout,
      "a\xff\xc3(\xed\xa0\x80\xf4\x90\x80\x80\xc0\xaf\xe0\x80\xaf\xf0\x80\x80\xaf\xf5\xe2\x82"});
  const auto back = observation_from_json(to_json(seen));
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_THAT(back->load.error().answer.text(), HasSubstr("a\xEF\xBF\xBD"));
  EXPECT_EQ(to_json(*back), to_json(seen));
}

TEST(Record, TextThatIsUtf8IsKept) {
  for (const char* text : {"é", "\xe0\xa0\x80", "€", "\xed\x9f\xbf", "\xf0\x90\x80\x80", "😀",
                           "\xf4\x8f\xbf\xbf", "\x01\"\\"}) {
    auto seen = observation(kStart, 1, 0);
    seen.load = tl::unexpected<Absent>(Absent{Absent::Reason::timeout, text});
    const auto back = observation_from_json(to_json(seen));
    ASSERT_TRUE(back) << back.error().what;
    EXPECT_EQ(back->load.error().answer.text(), text);
  }
}

/// `text` with the first `what` in it replaced.
std::string with(std::string text, const std::string& what, const std::string& by) {
  const auto at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return at == std::string::npos ? text : text.replace(at, what.size(), by);
}

TEST(Record, RefusesWhatIsNotSuchARecord) {
  Memory memory;
  memory.concurrency.stable = {{1.5, 2.5}, 10, 11, true};
  memory.ups = {{kStart, 3}};
  memory.hold = Hold{.replicas = {3}, .until = kStart + 1h, .pause = true};
  const std::string good = to_json(memory);
  ASSERT_TRUE(memory_from_json(good));
  EXPECT_EQ(*memory_from_json(good), memory);
  EXPECT_EQ(*memory_from_json(with(good, ",\"fromStart\":false", "")), memory)
      << "an earlier Headroom did not write it";
  std::string buckets = "[0";
  for (int i = 0; i < 3600; ++i) buckets += ",0";
  struct Case {
    const char* why;
    std::string text, error;
  };
  const Case cases[] = {
      {"nothing", "", "memory: not JSON: "},
      {"cut off", good.substr(0, good.size() / 2), "memory: not JSON: "},
      {"something after it", good + "{}", "not JSON: "},
      {"not an object", "[]", "memory: found [], expected an object"},
      {"a version to come", with(good, "\"v\":3", "\"v\":4"),
       "memory: version 4, this Headroom reads version 3"},
      {"no version", with(good, "\"v\":3,", ""), "memory: missing field \"v\""},
      {"a version that is none", with(good, "\"v\":3", "\"v\":\"x\""), "memory.v: found \"x\""},
      {"a field too few", with(good, ",\"lastActive\":null", ""),
       "memory: missing field \"lastActive\""},
      {"a field twice", with(good, "\"v\":3", "\"v\":3,\"v\":3"), "memory: v: given twice"},
      {"a field too many", with(good, "\"v\":3", "\"v\":3,\"w\":1"), "memory: unknown field"},
      {"another type", with(good, "\"change\":3", "\"change\":\"3\""),
       "memory.ups[0].change: found \"3\", expected a whole number"},
      {"a fraction of a replica", with(good, "\"change\":3", "\"change\":3.5"),
       "memory.ups[0].change: found 3.5E0, expected a whole number"},
      {"too large", with(good, "\"change\":3", "\"change\":3000000000"), "memory.ups[0].change"},
      {"a time that would overflow",
       with(good, "\"at\":1700000000000", "\"at\":9223372036854775807"), "memory.ups[0].at"},
      {"fewer than none", with(good, "\"panicPeak\":0", "\"panicPeak\":-1"),
       "memory.concurrency.kpa.panicPeak"},
      {"a word of a later time, and no truth", with(good, "\"fromStart\":false", "\"fromStart\":0"),
       "memory.concurrency.kpa.fromStart"},
      {"answers that rise",
       with(good, "\"delayed\":[]",
            R"("delayed":[{"slot":1,"replicas":2},{"slot":2,"replicas":3}])"),
       "memory.concurrency.kpa: delayed answers that do not fall"},
      {"first after last", with(good, "\"first\":10", "\"first\":12"),
       "memory.concurrency.stable: written, but"},
      {"too many buckets", with(good, "[1.5,2.5]", buckets + "]"),
       "memory.concurrency.stable: more than 3600 buckets"},
      {"a bucket that is none", with(good, "1.5", "\"NaN\""),
       "memory.concurrency.stable: a bucket that is no number"},
      {"empty, but written", with(good, "[1.5,2.5]", "[]"),
       "memory.concurrency.stable: written, but"},
      {"beyond a double", with(good, "1.5", "1e999"),
       "memory.concurrency.stable: a bucket that is no number"},
      {"a word that is no number", with(good, "1.5", "\"many\""),
       "memory.concurrency.stable.buckets[0]: found \"many\", expected a number"},
      {"nor is a truth", with(good, "1.5", "true"),
       "memory.concurrency.stable.buckets[0]: found true, expected a number"},
      {"truth that is none", with(good, "\"held\":false", "\"held\":0"),
       "memory.keda.held: found 0, expected true or false"},
      {"a list that is none", with(good, "\"downs\":[]", "\"downs\":{}"),
       "memory.downs: found {}, expected an array"},
      {"a comment", "/* nothing */" + good, "memory: not JSON: "},
      {"cut inside a number", good.substr(0, good.find(".5")) + ".", "memory: not JSON: "},
      {"nothing but a sign", "-", "memory: not JSON: "},
      {"a number without its exponent", "1e", "memory: not JSON: "},
      {"too deep", std::string(100'000, '['), "not JSON: "},
      {"too long", std::string((16 << 20) + 1, ' '), "expected at most 16777216"},
  };
  for (const auto& [why, text, error] : cases) {
    SCOPED_TRACE(why);
    const auto read = memory_from_json(text);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Code::invalid);
    EXPECT_THAT(read.error().what, HasSubstr(error));
    EXPECT_LT(read.error().what.size(), 300U);
  }
}

TEST(Record, RefusesAnObservationThatIsNone) {
  auto seen = observation(kStart, 1, 1);
  seen.triggers = {Measured{{1500}, kStart, 0s}};
  seen.scalers = {{0, "jobs", 5, true}};
  seen.zones = {{"Europe/Berlin", {{100, 3600}, {200, 7200}}}};
  const std::string good = to_json(seen);
  const auto read = observation_from_json(good);
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(*read, seen);
  struct Case {
    const char* why;
    std::string text, error;
  };
  const Case cases[] = {
      {"a replica's number below 0", with(good, "\"id\":1", "\"id\":-1"),
       "observation.replicas[0].id: found -1, expected a whole number of at least 0"},
      {"and one that is none", with(good, "\"id\":1", "\"id\":\"1\""),
       "observation.replicas[0].id"},
      {"a name that is none", with(good, "\"name\":\"app\"", "\"name\":7"),
       "observation.templates[0].containers[0].name: found 7, expected a string"},
      {"a word that is a number", with(good, "\"Running\"", "1"),
       "observation.replicas[0].phase: found 1, expected one of Pending, Running"},
      {"a reading that is none",
       with(good, R"("memory":{"absent":"no_data","answer":""})", R"("memory":7)"),
       "observation.replicas[0].memory: found 7, expected an object"},
      {"a fraction of a thousandth", with(good, "\"milli\":1500", "\"milli\":1.5"),
       "observation.triggers[0].milli: found 1.5E0, expected a whole number of 64 bits"},
      {"a day from UTC", with(good, "\"seconds\":7200", "\"seconds\":86400"),
       "observation.zones[0].offsets[1]: a day or more from UTC"},
      {"... on the other side", with(good, "\"seconds\":7200", "\"seconds\":-86400"),
       "observation.zones[0].offsets[1]: a day or more from UTC"},
      {"offsets that do not rise", with(good, "\"from\":200", "\"from\":100"),
       "observation.zones[0]: offsets that do not rise"},
      {"a zone without one",
       with(good, R"([{"from":100,"seconds":3600},{"from":200,"seconds":7200}])", "[]"),
       "observation.zones[0]: a zone without an offset"},
      {"long, and cut where a character begins",
       with(good, "\"app\"", "[\"" + std::string(57, 'a') + "\u20ac\u20ac\"]"),
       "found [\"" + std::string(57, 'a') + "…, expected a string"},
  };
  for (const auto& [why, text, error] : cases) {
    SCOPED_TRACE(why);
    const auto refused = observation_from_json(text);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().what, HasSubstr(error));
  }
}

TEST(Record, NumbersOfAllSizes) {
  auto seen = observation(kStart, 1, 1);
  seen.replicas[0].id = std::numeric_limits<std::uint64_t>::max();
  seen.load = load(1, kStart);
  const auto text = to_json(seen);
  auto read = observation_from_json(text);
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(*read, seen);
  read = observation_from_json(
      with(text, "\"concurrency\":1,", "\"concurrency\":18446744073709551615,"));
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->load->concurrency, 18446744073709551615.0);
}

TEST(Record, RefusesUnknownWords) {
  auto seen = observation(kStart, 1, 1);
  const auto read = observation_from_json(with(to_json(seen), "\"Running\"", "\"Runing\""));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().what,
            "observation.replicas[0].phase: found \"Runing\", expected one of Pending, Running, "
            "Succeeded, Failed");
}

TEST(Record, RestartsThatAnEarlierOneDidNotWriteAreNone) {
  const auto seen = observation(kStart, 1, 1);
  const auto read = observation_from_json(with(to_json(seen), ",\"restarts\":0", ""));
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(*read, seen);
}

TEST(Record, AStepsNumberThatAnEarlierOneDidNotWriteIsNone) {
  Decision decision;
  decision.steps = {{.code = "ScaleDownStabilized", .inputs = {300, 192}}};
  const auto read = decision_from_json(with(to_json(decision), ",\"left\":192", ""));
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->steps[0].inputs, (std::array<double, 4>{300, 0, 0, 0}));
  EXPECT_FALSE(decision_from_json(with(to_json(decision), "\"left\"", "\"less\"")));
}

TEST(Record, DamagedTextNeverCrashes) {
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    Arbitrary any(seed);
    auto seen = any.observation(kStart);
    Memory memory;
    const auto decision = decide(any.policy(), seen, memory);
    for (std::string text : {to_json(seen), to_json(memory), to_json(decision)}) {
      for (std::int64_t i = any.whole(1, 3); i > 0; --i) {
        text[static_cast<std::size_t>(any.whole(0, static_cast<std::int64_t>(text.size()) - 1))] =
            static_cast<char>(any.whole(0, 255));
      }
      // Whatever can still be read is written as it was read.
      if (const auto read = observation_from_json(text)) {
        EXPECT_EQ(to_json(*read), to_json(*observation_from_json(to_json(*read))));
      }
      if (const auto read = memory_from_json(text)) {
        EXPECT_EQ(*read, *memory_from_json(to_json(*read)));
      }
      if (const auto read = decision_from_json(text)) {
        EXPECT_EQ(*read, *decision_from_json(to_json(*read)));
      }
    }
  }
}

}  // namespace
}  // namespace headroom::decide
