#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>

namespace headroom {

/// Writes lines to a descriptor without waiting for who reads them: a terminal that is stopped (^S)
/// or a full pipe must stop nobody. Any thread may call it. It lives as long as the process.
class Writer {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit Writer(int fd) : fd_(fd) {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// Takes whole lines; false and nothing of them where more than `most` bytes would wait.
  /// Until start() it writes them itself, and waits a moment where it must.
  bool add(std::string_view lines, std::size_t most);
  /// From now on a thread of its own writes. After the last fork of this process that goes on
  /// without exec: the child would be without the thread.
  void start();
  /// Waits until all that was added is written, or that time has come.
  void flush(Time until);

 private:
  void run();

  const int fd_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string waiting_;
  bool started_ = false;
  bool writing_ = false;
};

}  // namespace headroom
