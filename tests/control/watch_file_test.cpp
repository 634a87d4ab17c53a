#include "control/watch_file.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "support/temporary.h"

namespace headroom::control {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

void write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

TEST(FileWatch, SeesEveryWayThatFilesChange) {
  struct Case {
    const char* why;
    void (*change)(const TemporaryFolder&);
  };
  const Case cases[] = {
      {"written in place", [](const TemporaryFolder& in) { write(in / "app.yaml", "b"); }},
      {"replaced by a rename, as editors do",
       [](const TemporaryFolder& in) {
         write(in / "app.yaml.new", "b");
         fs::rename(in / "app.yaml.new", in / "app.yaml");
       }},
      {"a link beside it swapped, as a ConfigMap's",
       [](const TemporaryFolder& in) {
         fs::create_directory(in / "2");
         fs::create_directory_symlink(in / "2", in / "..new");
         fs::rename(in / "..new", in / "..data");
       }},
  };
  for (const auto& [why, change] : cases) {
    SCOPED_TRACE(why);
    TemporaryFolder folder;
    write(folder / "app.yaml", "a");
    boost::asio::io_context io;
    int told = 0;
    FileWatch watch(io, folder / "app.yaml", [&] {
      ++told;
      io.stop();
    });
    change(folder);
    io.run_for(std::chrono::seconds(10));
    EXPECT_EQ(told, 1);
  }
}

void link(const std::string& target, const std::string& at) { fs::create_symlink(target, at); }
void swap_link(const std::string& target, const std::string& at) {
  link(target, at + ".new");
  fs::rename(at + ".new", at);
}

TEST(FileWatch, FollowsLinksIntoOtherFolders) {
  struct Change {
    const char* what;
    std::function<void(const TemporaryFolder&)> make;
  };
  struct Case {
    const char* why;
    const char* watched;
    std::function<void(const TemporaryFolder&)> before;
    std::vector<Change> changes;  // each is seen
  };
  const Change written{"written in place", [](const auto& in) { write(in / "real/t", "b"); }};
  const Change replaced{"replaced by a rename", [](const auto& in) {
                          write(in / "real/t.new", "c");
                          fs::rename(in / "real/t.new", in / "real/t");
                        }};
  const Case cases[] = {
      {"a file elsewhere",
       "q/t",
       [](const auto& in) { link("../real/t", in / "q/t"); },
       {written, replaced, written}},
      {"by its whole path",
       "q/t",
       [](const auto& in) { link(in / "real/t", in / "q/t"); },
       {replaced}},
      {"over another link",
       "q/t",
       [](const auto& in) {
         link("../old/t", in / "q/t");
         link("../real/t", in / "old/t");
       },
       {written,
        {"the one between is swapped", [](const auto& in) { swap_link("u", in / "old/t"); }},
        {"and the file where it leads now", [](const auto& in) { write(in / "old/u", "d"); }}}},
      {"a folder's link, as of a deployment",
       "now/t",
       [](const auto& in) { link("real", in / "now"); },
       {written,
        {"swapped", [](const auto& in) { swap_link("old", in / "now"); }},
        {"then written", [](const auto& in) { write(in / "old/t", "e"); }}}},
      {"a Secret of Kubernetes, through a link elsewhere",
       "q/t",
       [](const auto& in) {
         fs::create_directories(in / "mount/..2026_1");
         write(in / "mount/..2026_1/t", "a");
         link("..2026_1", in / "mount/..data");
         link("..data/t", in / "mount/t");
         link("../mount/t", in / "q/t");
       },
       {{"swapped",
         [](const auto& in) {
           fs::create_directories(in / "mount/..2026_2");
           write(in / "mount/..2026_2/t", "b");
           swap_link("..2026_2", in / "mount/..data");
           fs::remove_all(in / "mount/..2026_1");
         }},
        {"and again",
         [](const auto& in) {
           fs::create_directories(in / "mount/..2026_3");
           write(in / "mount/..2026_3/t", "c");
           swap_link("..2026_3", in / "mount/..data");
         }},
        {"written where it leads now",
         [](const auto& in) { write(in / "mount/..2026_3/t", "d"); }}}},
      {"one that leads nowhere yet",
       "q/t",
       [](const auto& in) { link("../real/u", in / "q/t"); },
       {{"made", [](const auto& in) { write(in / "real/u", "b"); }}}},
      {"a folder's link that is away for a moment",
       "now/t",
       [](const auto& in) { link("real", in / "now"); },
       {{"taken away, and something else is made",
         [](const auto& in) {
           fs::remove(in / "now");
           write(in / "other", "b");
         }},
        {"there again", [](const auto& in) { link("old", in / "now"); }},
        {"then written", [](const auto& in) { write(in / "old/t", "c"); }}}},
      {"folders that are not there yet",
       "new/er/t",
       [](const auto&) {},
       {{"the first made", [](const auto& in) { fs::create_directory(in / "new"); }},
        {"the second", [](const auto& in) { fs::create_directory(in / "new/er"); }},
        {"and the file", [](const auto& in) { write(in / "new/er/t", "b"); }}}},
  };
  for (const auto& [why, watched, before, changes] : cases) {
    SCOPED_TRACE(why);
    TemporaryFolder folder;
    for (const char* each : {"q", "real", "old"}) fs::create_directory(folder / each);
    write(folder / "real/t", "a");
    before(folder);
    boost::asio::io_context io;
    int told = 0;
    FileWatch watch(io, folder / watched, [&] { ++told; });
    for (const auto& [what, make] : changes) {
      SCOPED_TRACE(what);
      while (io.run_for(std::chrono::milliseconds(200)) > 0) {  // what the last one left over
      }
      told = 0;
      make(folder);
      for (int i = 0; i < 1000 && told == 0; ++i) io.run_for(std::chrono::milliseconds(10));
      EXPECT_GE(told, 1);
    }
  }
}

TEST(FileWatch, LeavesFoldersWhereNoLinkLeadsAnyMore) {
  TemporaryFolder folder;
  for (const char* each : {"1", "2"}) fs::create_directory(folder / each);
  link("1/t", folder / "t");
  boost::asio::io_context io;
  int told = 0;
  FileWatch watch(io, folder / "t", [&] { ++told; });
  swap_link("2/t", folder / "t");
  while (io.run_for(std::chrono::milliseconds(200)) > 0) {
  }
  EXPECT_GE(told, 1);
  told = 0;
  write(folder / "1/t", "nobody's");
  io.run_for(std::chrono::milliseconds(200));
  EXPECT_EQ(told, 0);
}

TEST(FileWatch, EndsWhereLinksGoRound) {
  TemporaryFolder folder;
  link("b", folder / "a");
  link("a", folder / "b");
  boost::asio::io_context io;
  FileWatch watch(io, folder / "a", [] {});
  EXPECT_EQ(io.run_for(std::chrono::milliseconds(10)), 0u);
}

TEST(FileWatch, IsNotSilencedByABusyNeighbour) {
  TemporaryFolder folder;
  write(folder / "app.yaml", "a");
  boost::asio::io_context io;
  bool told = false;
  FileWatch watch(io, folder / "app.yaml", [&] { told = true; });
  boost::asio::steady_timer timer(io);
  int rounds = 0;
  const std::function<void()> neighbour = [&] {
    write(folder / "log", "line");
    if (told || ++rounds > 500) return io.stop();
    timer.expires_after(std::chrono::milliseconds(10));
    timer.async_wait([&](boost::system::error_code) { neighbour(); });
  };
  neighbour();
  io.run_for(std::chrono::seconds(20));
  EXPECT_TRUE(told);
}

TEST(FileWatch, SaysWhereItCannotWatch) {
  boost::asio::io_context io;
  ::testing::internal::CaptureStderr();
  // A folder that can neither be there nor be made.
  FileWatch watch(io, "/" + std::string(300, 'x') + "/app.yaml", [] { FAIL(); });
  watch.refresh();
  const auto log = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("app.yaml: cannot be watched (File name too long); send SIGHUP"));
  EXPECT_EQ(std::ranges::count(log, '\n'), 1) << "once: " << log;
  EXPECT_EQ(io.run_for(std::chrono::milliseconds(10)), 0u);
}

}  // namespace
}  // namespace headroom::control
