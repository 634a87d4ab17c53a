#include "cli/terminal.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/print.h"

namespace headroom::cli {
namespace {

using std::chrono::steady_clock;

constexpr char kEscape = '\x1b';
constexpr std::array kEnding = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
/// What a key sends comes at once, and over a slow line nearly so.
constexpr int kRestOfKeyMs = 50;

volatile std::sig_atomic_t enough = 0, stopped = 0, resized = 0;

void heard(int signal) {
  (signal == SIGTSTP ? stopped : signal == SIGWINCH ? resized : enough) = 1;
}

/// How many bytes the sequence has that `keys` begins with ("\x1b[1;5A", "\x1bOA", "\x1bx"); 0: it
/// is Esc alone, or not complete.
std::size_t sequence(std::string_view keys) {
  if (keys.size() < 2) return 0;
  if (keys[1] != '[' && keys[1] != 'O') return 2;
  for (std::size_t i = 2; i < keys.size(); ++i) {
    if (keys[i] >= '@' && keys[i] <= '~') return i + 1;
  }
  return 0;
}

/// It ends within a key.
bool is_cut(std::string_view keys) {
  for (auto at = keys.find(kEscape); at != std::string_view::npos; at = keys.find(kEscape)) {
    keys.remove_prefix(at);
    const auto length = sequence(keys);
    if (length == 0) return true;
    keys.remove_prefix(length);
  }
  return false;
}

void on(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  ::sigaction(signal, &action, nullptr);
}

}  // namespace

Screen window() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return {};
  return {size.ws_col, size.ws_row};
}

bool says_enough(std::string_view keys) {
  while (!keys.empty()) {
    if (keys[0] == 'q' || keys[0] == 'Q') return true;
    if (keys[0] != kEscape) {
      keys.remove_prefix(1);
      continue;
    }
    const auto length = sequence(keys);
    if (length == 0) return keys.size() == 1;
    keys.remove_prefix(length);
  }
  return false;
}

/// The signals come while we wait, and only then: none is missed, and nothing else is broken off.
Terminal::Terminal() {
  sigset_t ours;
  sigemptyset(&ours);
  for (const int signal : kEnding) sigaddset(&ours, signal);
  sigaddset(&ours, SIGTSTP);
  sigaddset(&ours, SIGWINCH);
  ::pthread_sigmask(SIG_BLOCK, &ours, &open_);
  for (const int signal : kEnding) on(signal, heard);
  on(SIGTSTP, heard);
  on(SIGWINCH, heard);
  take();
}

Terminal::~Terminal() { give_back(); }

void Terminal::take() {
  ::tcgetattr(STDIN_FILENO, &before_);
  termios raw = before_;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  std::fputs("\x1b[?1049h\x1b[?25l", stdout);
}

void Terminal::give_back() const {
  std::fputs("\x1b[?25h\x1b[?1049l", stdout);
  std::fflush(stdout);
  ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
}

/// As if we had not taken the signal: the shell sees us stop.
void Terminal::stop() {
  give_back();
  on(SIGTSTP, SIG_DFL);
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTSTP);
  ::raise(SIGTSTP);
  ::pthread_sigmask(SIG_UNBLOCK, &stop, nullptr);  // here we stand until SIGCONT
  ::pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  on(SIGTSTP, heard);
  take();
}

void Terminal::show(const std::vector<std::string>& lines) const {
  std::string text = "\x1b[?2026h\x1b[H";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const bool bold = i == 0 && colours();
    // Cleared before, not after: behind a line of full width the cursor stands on its last column.
    text += i + 1 < lines.size() ? "\x1b[K" : "\x1b[J";
    text += (bold ? "\x1b[1m" : "") + lines[i] + (bold ? "\x1b[0m" : "");
    if (i + 1 < lines.size()) text += "\r\n";
  }
  text += "\x1b[?2026l";
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

std::string Terminal::keys() {
  std::string typed;
  pollfd more{STDIN_FILENO, POLLIN, 0};
  do {
    std::array<char, 256> bytes{};
    const auto got = ::read(STDIN_FILENO, bytes.data(), bytes.size());
    if (got <= 0) return {};
    typed.append(bytes.data(), static_cast<std::size_t>(got));
  } while (::poll(&more, 1, is_cut(typed) ? kRestOfKeyMs : 0) > 0);
  return typed;
}

bool Terminal::wait(Millis time) {
  const auto until = steady_clock::now() + time;
  for (auto left = steady_clock::duration(time); left > 0s; left = until - steady_clock::now()) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
    const timespec patience{seconds.count(), std::chrono::nanoseconds(left - seconds).count()};
    pollfd input{STDIN_FILENO, POLLIN, 0};
    const int ready = ::ppoll(&input, 1, &patience, &open_);
    if (enough != 0) return false;
    if (stopped != 0) {
      stopped = 0;
      stop();
      return true;
    }
    if (resized != 0) {
      resized = 0;
      return true;
    }
    if (ready > 0) {
      const auto typed = keys();
      if (typed.empty() || says_enough(typed)) return false;
    }
  }
  return true;
}

}  // namespace headroom::cli
