#include "target/output.h"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "target/world.h"

namespace headroom::target::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Lines, CutsAtNewlinesAndAtEightKilobytes) {
  Lines lines;
  std::vector<std::string> got;
  const auto each = [&](std::string_view line) { got.emplace_back(line); };
  lines.add("one\ntw", each);
  lines.add("o\r\n\nthree", each);
  EXPECT_THAT(got, ElementsAre("one", "two", ""));
  EXPECT_TRUE(lines.begun());
  lines.end(each);
  EXPECT_EQ(got.back(), "three");
  got.clear();
  lines.add(std::string(20000, 'x') + "\nend\n", each);
  ASSERT_EQ(got.size(), 4u);
  EXPECT_EQ(got[0].size(), 8192u);
  EXPECT_EQ(got[2].size(), 20000u - 2 * 8192u);
  EXPECT_EQ(got[3], "end");
}

TEST(Tail, KeepsTheLastLinesWithinItsBounds) {
  Tail tail;
  for (int n = 1; n <= 60; ++n) tail.add(std::to_string(n));
  EXPECT_TRUE(tail.text().starts_with("11\n")) << "50 lines";
  EXPECT_TRUE(tail.text().ends_with("\n60"));
  EXPECT_EQ(tail.brief(), "56 / 57 / 58 / 59 / 60");
  for (int n = 0; n < 3; ++n) tail.add(std::string(4000, 'x'));
  EXPECT_EQ(tail.text().size(), 8001u) << "8 KiB";
  tail.add("\x1b[2J bell \a");
  EXPECT_EQ(tail.brief().find('\x1b'), std::string::npos) << "fit for a terminal";
}

TEST(Tail, GivesWhatCameSince) {
  Tail tail;
  tail.add("one");
  tail.add("two");
  struct Case {
    const char* why;
    std::uint64_t after;
    const char* text;
    bool lost;
  };
  const Case before[] = {
      {"all of it", 0, "one\ntwo\n", false},
      {"what is new", 4, "two\n", false},
      {"nothing is", 8, "", false},
      {"a number that is nobody's", 99, "", false},
  };
  for (const auto& [why, after, text, lost] : before) {
    SCOPED_TRACE(why);
    const auto written = tail.since(after);
    EXPECT_EQ(written.text, text);
    EXPECT_EQ(written.end, 8u);
    EXPECT_EQ(written.lost, lost);
  }
  for (int n = 0; n < 60; ++n) tail.add("three");
  EXPECT_TRUE(tail.since(4).lost) << "two is gone by now";
  EXPECT_FALSE(tail.since(8 + 10 * 6).lost) << "the oldest that is kept comes next";
  EXPECT_EQ(tail.since(8 + 59 * 6).text, "three\n");
}

TEST(RotatingFile, KeepsSoManyOldFiles) {
  TemporaryDirectory directory;
  const auto path = directory.path + "/a.log";
  RotatingFile file(path, 10, 2);
  for (const char* line : {"1111", "2222", "3333", "4444", "5555", "6666", "7777"}) {
    file.write(line);
  }
  EXPECT_EQ(read_file(path), "7777\n");
  EXPECT_EQ(read_file(path + ".1"), "5555\n6666\n");
  EXPECT_EQ(read_file(path + ".2"), "3333\n4444\n");
  EXPECT_FALSE(std::filesystem::exists(path + ".3"));
  RotatingFile(path, 10, 2).write("8888");
  EXPECT_EQ(read_file(path), "7777\n8888\n") << "a later run goes on";
}

TEST(RotatingFile, DropsLinesWhereItCannotWrite) {
  RotatingFile file("/no/such/directory/a.log", 10, 2);
  file.write("lost");
  RotatingFile full("/dev/full", 1 << 20, 2);
  full.write("lost");
}

TEST(Output, GoesToAFileOfTheReplicas) {
  TestWorld world;
  auto spec = shell_spec("echo to stdout; echo to stderr >&2; printf unended; sleep 0.1; exit 0");
  spec.output.to = policy::Output::To::files;
  spec.output.directory = world.path + "/logs";
  world.start(spec, 1);
  const auto id = world.only().id;
  ASSERT_TRUE(world.run_until([&] { return world.said.size() == 1; }));
  const auto text = read_file(world.path + "/logs/test-" + std::to_string(id) + ".log");
  EXPECT_THAT(text, HasSubstr("to stdout\n"));
  EXPECT_THAT(text, HasSubstr("to stderr\n"));
  EXPECT_THAT(text, HasSubstr("unended\n")) << "the end of a process ends its line";
}

TEST(Output, GoesToOurStderrWithAPrefix) {
  ::testing::internal::CaptureStderr();
  ReplicaId id = 0;
  {
    TestWorld world;
    auto spec = shell_spec("echo hello; exit 0");
    spec.output.to = policy::Output::To::inherit;
    world.start(spec, 1);
    id = world.only().id;
    EXPECT_TRUE(world.run_until([&] { return !world.said.empty(); }));
  }
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              HasSubstr("test/" + std::to_string(id) + " | hello\n"));
}

TEST(Output, AReplicaThatWritesWithoutEndStopsNothing) {
  TestWorld world;
  world.start(shell_spec("yes & exec " + own_path() + " --replica $PORT"), 1);
  ASSERT_TRUE(world.run_until([&] { return world.all_ready(1); }));
  world.run_for(100ms);
  EXPECT_LE(world.process->output(world.only().id).size(), 8192u);
  world.process->scale({0});
  EXPECT_TRUE(world.run_until([&] { return world.happened("gone") == 1; }));
}

}  // namespace
}  // namespace headroom::target::test
