#include "control/watch_file.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "support/temporary.h"

namespace headroom::control {
namespace {

namespace fs = std::filesystem;

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
  FileWatch watch(io, "/nonexistent/app.yaml", [] { FAIL(); });
  EXPECT_EQ(io.run_for(std::chrono::milliseconds(10)), 0u);
}

}  // namespace
}  // namespace headroom::control
