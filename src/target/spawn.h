#pragma once

#include <string>
#include <vector>

#include <signal.h>
#include <sys/types.h>

#include "base/fd.h"
#include "base/result.h"

namespace headroom::target {

struct Command {
  std::vector<std::string> argv;
  std::vector<std::string> env;   // "NAME=value", all of it
  std::string working_directory;  // empty: ours
};

struct SpawnOptions {
  bool pipes = true;  // stdout and stderr: pipes to us, or /dev/null
  int cgroup = -1;    // a v2 cgroup's directory to start in
  pid_t parent = 0;   // our own parent, whose child it shall be, and who reaps it; 0: ours
};

struct Child {
  pid_t pid = 0;
  Fd pidfd;
  Fd out, err;             // non-blocking
  bool in_cgroup = false;  // it started in the cgroup that was asked for
};

/// Starts a program in a process group of its own, with no descriptor of ours but 0, 1 and 2
/// (0 is /dev/null), default signals, and SIGKILL when its parent (of ours: the *thread* that
/// called this) ends.
/// Safe to call from any thread; returns once the program runs.
/// Errors: Code::unavailable, saying what could not be started and why.
Result<Child> spawn(const Command& command, SpawnOptions options = {});

/// Takes the status of a child of ours that has ended; `si_pid` is 0 where it has not.
siginfo_t reap(pid_t pid);

}  // namespace headroom::target
