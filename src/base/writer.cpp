#include "base/writer.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <thread>
#include <utility>

#include <poll.h>
#include <signal.h>
#include <unistd.h>

namespace headroom {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kMoment{200};

/// What a pipe takes whole, also beside others that write into it: lines, as many as fit.
std::string_view piece_of(std::string_view text) {
  if (text.size() <= PIPE_BUF) return text;
  const auto end = text.substr(0, PIPE_BUF).rfind('\n');
  return text.substr(0, end == std::string_view::npos ? PIPE_BUF : end + 1);
}

bool writable(int fd, Writer::Time until) {
  constexpr milliseconds kNone{0}, kLongest{60'000};
  const auto left = std::chrono::duration_cast<milliseconds>(until - steady_clock::now());
  pollfd ready{fd, POLLOUT, 0};
  return ::poll(&ready, 1, static_cast<int>(std::clamp(left, kNone, kLongest).count())) > 0;
}

/// What is left of the text at that time. What is refused for good (no reader, a full disk) is
/// dropped.
std::string_view write_until(int fd, std::string_view text, Writer::Time until) {
  while (!text.empty()) {
    if (!writable(fd, until)) {
      if (steady_clock::now() >= until) return text;
      continue;
    }
    const auto piece = piece_of(text);
    const auto wrote = ::write(fd, piece.data(), piece.size());
    if (wrote < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    text.remove_prefix(wrote < 0 ? piece.size() : static_cast<std::size_t>(wrote));
  }
  return text;
}

}  // namespace

bool Writer::add(std::string_view lines, std::size_t most) {
  const std::lock_guard lock(mutex_);
  if (waiting_.size() + lines.size() > most) return false;
  const bool stuck = !waiting_.empty();
  waiting_ += lines;
  if (started_) {
    changed_.notify_all();
  } else {
    const auto until = steady_clock::now() + (stuck ? milliseconds{0} : kMoment);
    waiting_ = std::string(write_until(fd_, waiting_, until));
  }
  return true;
}

void Writer::start() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(started_, true)) return;
  }
  // The thread must not take the signals that others wait for.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread([this] { run(); }).detach();  // it may be stuck in a write at the end
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Writer::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return !waiting_.empty(); });
    const std::string now = std::exchange(waiting_, {});
    writing_ = true;
    lock.unlock();
    write_until(fd_, now, Time::max());
    lock.lock();
    writing_ = false;
    changed_.notify_all();
  }
}

void Writer::flush(Time until) {
  std::unique_lock lock(mutex_);
  if (started_) {
    changed_.wait_until(lock, until, [this] { return waiting_.empty() && !writing_; });
  } else {
    waiting_ = std::string(write_until(fd_, waiting_, until));
  }
}

}  // namespace headroom
