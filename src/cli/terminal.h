#pragma once

#include <csignal>
#include <string>
#include <string_view>
#include <vector>

#include <termios.h>

#include "base/time.h"
#include "cli/screen.h"

namespace headroom::cli {

/// How large the terminal is; 80 by 24 where it does not say.
Screen window();

/// Whether these keys, as a terminal sends them, say that it is enough: q, Q, or Esc by itself,
/// not the one that an arrow key begins with.
bool says_enough(std::string_view keys);

/// The terminal (stdin and stdout) while it is ours: another page, no echo, no cursor; given back
/// at the end, and while Ctrl-Z stops us. One at a time: it takes the signals that end and stop.
class Terminal {
 public:
  Terminal();
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  /// In one write, each line over the one that was there: nothing flickers. The first is bold.
  void show(const std::vector<std::string>& lines) const;
  /// After so long, or as soon as its size changed or it is ours again. False: a key, a signal or
  /// its end said that it is enough.
  bool wait(Millis time);

 private:
  void take();
  void give_back() const;
  void stop();
  /// All that was typed, with the rest of what a key sends; empty: the terminal has gone.
  static std::string keys();

  termios before_{};
  sigset_t open_{};  // what may reach us while we wait
};

}  // namespace headroom::cli
