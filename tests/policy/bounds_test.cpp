#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/document.h"
#include "policy/read.h"

namespace headroom::policy {
namespace {

std::string repeated(const std::string& text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

/// What is wrong, without the place.
std::string kind_of(const std::string& text) {
  const auto message = wrong_with(text);
  const auto found = message.find("found ");
  return found == message.npos ? message : message.substr(found, message.find('\n') - found);
}

std::string billion_laughs() {
  std::string text = "a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n";
  for (char name = 'b'; name <= 'j'; ++name) {
    const std::string before = std::string("*") + static_cast<char>(name - 1);
    text += std::string(1, name) + ": &" + name + " [" + repeated(before + ",", 9) + before + "]\n";
  }
  return text;
}

TEST(Bounds, RefuseWhatWouldGrowOrNeverEnd) {
  const std::string long_text(500'000, 'x');
  struct Case {
    const char* why;
    std::string text;
    const char* expected;
  };
  const Case cases[] = {
      {"billion laughs", billion_laughs(),
       "found more, expected at most 100,000 values, aliases expanded"},
      {"a long text, many times", "a: &a " + long_text + "\nb: [" + repeated("*a,", 1000) + "]\n",
       "found more, expected at most 4 MiB of text, aliases expanded"},
      {"a long variable, many times",
       document("  cooldownPeriod: " + repeated("$(LONG)", 100) + "\n"),
       "found more, expected at most 4 MiB of text, variables put in"},
      {"many values", "[" + repeated("1,", 200'000) + "]",
       "found more, expected at most 100,000 values, aliases expanded"},
      {"deep, in brackets", repeated("[", 65), "found more, expected at most 64 levels"},
      {"very deep", repeated("[", 1'000'000), "found more, expected at most 64 levels"},
      {"very deep in maps", repeated("{a: ", 200'000), "found more, expected at most 64 levels"},
      {"deep, by dashes", repeated("- ", 100'000) + "1", "found more, expected at most 64 levels"},
      {"deep, through an alias",
       "a: &a " + repeated("[", 40) + repeated("]", 40) + "\nb: " + repeated("[", 40) + "*a" +
           repeated("]", 40),
       "found more, expected at most 64 levels"},
      {"many documents", repeated("---\n# nothing\n", 1001),
       "found more, expected at most 1,000 documents"},
      {"a long text", std::string((1 << 20) + 1, '#'),
       "found 1048577 bytes, expected at most 1 MiB"},
      {"many fields of the same name", repeated("a: 1\n", 40'000),
       "found \"a\" again, expected it once (it is on line 1)"},
  };
  for (const auto& [why, text, expected] : cases) {
    SCOPED_TRACE(why);
    EXPECT_EQ(kind_of(text), expected);
  }
}

TEST(Bounds, AreNotNarrowerThanSaid) {
  std::string documents;
  for (int i = 0; i < 1000; ++i) {
    auto one = document("", "");
    documents += "---\n" + one.replace(one.find("shop"), 4, "shop-" + std::to_string(i));
  }
  const auto thousand = read(documents);
  ASSERT_TRUE(thousand) << to_string(thousand.error());
  EXPECT_EQ(thousand->size(), 1000U);
  const auto padded = document() + std::string((1 << 20) - document().size(), '#');
  EXPECT_TRUE(read(padded));
}

/// A file that is gone afterwards.
class File {
 public:
  File() {
    const auto folder = std::filesystem::temp_directory_path() / "headroom-policy-XXXXXX";
    path_ = folder.string();
    ::close(::mkstemp(path_.data()));
  }
  ~File() { ::unlink(path_.c_str()); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(ReadFile, ReadsItAndNamesItInErrors) {
  const File file;
  std::ofstream(file.path()) << document();
  const auto good = read_file(file.path(), environment);
  ASSERT_TRUE(good) << to_string(good.error());
  std::ofstream(file.path()) << document("  minReplicas: x\n");
  const auto bad = read_file(file.path(), environment);
  ASSERT_FALSE(bad);
  EXPECT_EQ(
      to_string(bad.error()),
      file.path() + ":8:16: minReplicas: found \"x\", expected a whole number from 0 to 10000");
  EXPECT_EQ(bad.error().where.line, 8);
  EXPECT_EQ(bad.error().where.column, 16);
}

/// Puts something else in the place of standard input as long as it lives.
class StandardInput {
 public:
  StandardInput() {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    before_ = ::dup(STDIN_FILENO);
    ::dup2(ends[0], STDIN_FILENO);
    ::close(ends[0]);
    write_ = ends[1];
  }
  ~StandardInput() {
    ::dup2(before_, STDIN_FILENO);
    ::close(before_);
  }
  StandardInput(const StandardInput&) = delete;
  StandardInput& operator=(const StandardInput&) = delete;
  int end() const { return write_; }

 private:
  int before_ = -1, write_ = -1;
};

TEST(ReadFile, StandardInputIsReadToItsEndWhateverSignalsCome) {
  struct sigaction nothing = {}, before = {};
  nothing.sa_handler = [](int) {};  // without SA_RESTART: a read is interrupted
  ASSERT_EQ(::sigaction(SIGUSR1, &nothing, &before), 0);
  const StandardInput input;
  const auto reader = ::pthread_self();
  std::thread writer([&input, reader] {
    for (int i = 0; i < 20; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
      ::pthread_kill(reader, SIGUSR1);
    }
    const auto text = document();
    EXPECT_EQ(::write(input.end(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    ::close(input.end());
  });
  const auto read_text = read_file("-", environment);
  writer.join();
  ::sigaction(SIGUSR1, &before, nullptr);
  ASSERT_TRUE(read_text) << to_string(read_text.error());
  EXPECT_EQ(read_text->front().name, "shop");
}

TEST(ReadFile, HundredMegabytesAreNotRead) {
  const File file;
  ASSERT_EQ(::truncate(file.path().c_str(), 100 << 20), 0);
  for (const auto& path : {file.path(), std::string("/dev/zero")}) {  // the second never ends
    const auto refused = read_file(path, environment);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::invalid);
    EXPECT_EQ(to_string(refused.error()), path + ": found more than 1 MiB, expected at most that");
  }
}

TEST(ReadFile, SaysWhyItCannot) {
  const auto missing = read_file("/no/such/file.yaml", environment);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::unavailable);
  EXPECT_EQ(to_string(missing.error()),
            "/no/such/file.yaml: cannot be read: No such file or directory");
  const auto folder = read_file("/tmp", environment);
  ASSERT_FALSE(folder);
  EXPECT_EQ(to_string(folder.error()), "/tmp: cannot be read: Is a directory");
  const File empty;
  const auto nothing = read_file(empty.path(), environment);
  ASSERT_FALSE(nothing) << "a file that an editor is just writing must stop no service";
  EXPECT_EQ(nothing.error().code, Code::invalid);
}

}  // namespace
}  // namespace headroom::policy
