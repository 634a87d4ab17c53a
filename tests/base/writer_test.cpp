#include "base/writer.h"

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <string>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/fd.h"

namespace headroom {
namespace {

using namespace std::chrono_literals;  // NOLINT
using std::chrono::steady_clock;

constexpr std::size_t kMostWaiting = 1 << 20;

struct PipeOfAWriter {
  PipeOfAWriter() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) std::abort();
    read.reset(ends[0]);
    write.reset(ends[1]);
  }
  std::string take(std::size_t bytes) const {
    std::string all;
    while (all.size() < bytes) {
      char piece[4096];
      const auto got = ::read(read.get(), piece, std::min(sizeof piece, bytes - all.size()));
      if (got <= 0) break;
      all.append(piece, static_cast<std::size_t>(got));
    }
    return all;
  }
  Fd read, write;
};

/// Never destroyed: its thread goes on.
Writer& writer_to(int fd) {
  static auto* const all = new std::deque<Writer>;
  return all->emplace_back(fd);
}

std::string lines(std::size_t bytes) {
  std::string all;
  for (int n = 0; all.size() < bytes; ++n) all += "line " + std::to_string(n) + "\n";
  return all;
}

TEST(Writer, WritesAllInOrder) {
  for (const bool thread : {false, true}) {
    SCOPED_TRACE(thread);
    PipeOfAWriter pipe;
    Writer& writer = writer_to(pipe.write.get());
    if (thread) writer.start();
    const auto text = lines(300'000);
    std::string got;
    std::thread reader([&] { got = pipe.take(text.size() + 4); });
    EXPECT_TRUE(writer.add(text, kMostWaiting));
    writer.flush(steady_clock::now() + 30s);
    EXPECT_TRUE(writer.add("end\n", kMostWaiting)) << "nothing waits any more";
    reader.join();
    EXPECT_EQ(got, text + "end\n");
    writer.flush(steady_clock::now() + 30s);
  }
}

TEST(Writer, AReaderThatStandsStillStopsNobody) {
  for (const bool thread : {false, true}) {
    SCOPED_TRACE(thread);
    PipeOfAWriter pipe;
    Writer& writer = writer_to(pipe.write.get());
    if (thread) writer.start();
    const auto text = lines(kMostWaiting / 10);
    std::size_t taken = 0;
    for (int n = 0; n < 100; ++n) {
      if (writer.add(text, kMostWaiting)) taken += text.size();
    }
    EXPECT_GE(taken, kMostWaiting - text.size()) << "more than a pipe takes";
    EXPECT_LE(taken, 2 * kMostWaiting + (64 << 10))
        << "what waits, what is being written, the pipe";
    writer.flush(steady_clock::now() + 50ms);  // comes back
    std::string got;
    std::thread reader([&] { got = pipe.take(taken); });
    writer.flush(steady_clock::now() + 30s);
    reader.join();
    EXPECT_EQ(got.size(), taken) << "what was taken is written";
    EXPECT_EQ(got.substr(0, text.size()), text);
  }
}

TEST(Writer, GoesOnWhereNobodyReads) {
  const Fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  Writer& writer = writer_to(full.get());
  EXPECT_TRUE(writer.add(lines(100'000), kMostWaiting));
  EXPECT_TRUE(writer.add(lines(kMostWaiting / 2), kMostWaiting)) << "what is refused does not wait";
  writer.flush(steady_clock::now());
}

}  // namespace
}  // namespace headroom
