#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

/// What /proc says about processes. Everything here is a glimpse: it may be old when it returns.
namespace headroom::target {

struct ProcessSeen {
  pid_t pid = 0, parent = 0, group = 0;
  char state = '?';
  std::chrono::microseconds cpu{0};  // with the children it has waited for
  std::uint64_t started = 0;         // clock ticks since boot: with the pid, an identity
  std::int64_t memory_bytes = 0;     // resident
};

std::optional<ProcessSeen> see_process(pid_t pid);

/// Calls `visit` for each process there is.
void for_each_process(const std::function<void(const ProcessSeen&)>& visit);

struct GroupSeen {
  std::chrono::microseconds cpu{0};
  std::int64_t memory_bytes = 0;
  int living = 0;  // members that are no zombies
};

/// Every process group, in one pass.
std::map<pid_t, GroupSeen> see_groups();

/// Two variables that each replica gets: which run of Headroom started it, and its name.
/// Descendants inherit them, so those that left the process group are found by them.
inline constexpr const char* kRunVariable = "HEADROOM_RUN";
inline constexpr const char* kReplicaVariable = "HEADROOM_REPLICA";
/// This run's value of HEADROOM_RUN: the id and start time of the process that began it.
std::string run_token();
/// Whether the process that began the run of this token is still there.
bool run_lives(const std::string& token);
/// We go on with a run that another process began, and had that value.
void continue_run(const std::string& token);

/// SIGKILLs every process that has all `entries` ("NAME=value") in its environment, but not
/// ourselves; says how many.
int kill_marked(const std::vector<std::string>& entries);

}  // namespace headroom::target
