#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/fd.h"
#include "target/handed.h"

namespace headroom::target {

/// One control group in the one or two hierarchies that meter it. Empty where there is none.
class Cgroup {
 public:
  explicit operator bool() const { return !directories_.empty(); }
  /// To start a process in it (v2); -1 otherwise.
  int directory_fd() const { return v2_.get(); }
  const std::vector<std::string>& directories() const { return directories_; }

  /// Since it was made; nothing where it cannot be read.
  std::optional<std::chrono::microseconds> cpu() const;
  /// The working set: what is used without the file cache that could be dropped at once.
  std::optional<std::int64_t> memory() const;

  /// v1: the calling thread enters it, and with it the processes that it starts from now on.
  bool enter() const;

 private:
  friend class Cgroups;
  std::vector<std::string> directories_;  // v2: one; v1: cpuacct, memory
  Fd v2_;
};

/// SIGKILLs the processes of these directories (not ourselves).
void kill_cgroups(const std::vector<std::string>& directories);
/// Removes them; false where one still holds a process.
bool remove_cgroups(const std::vector<std::string>& directories);

/// The parent of the replicas' cgroups: a directory named after this process below, or beside,
/// its own cgroup. Takes what the system offers: v2, else v1 with cpuacct and memory, else none.
class Cgroups {
 public:
  enum class Kind { none, v1, v2 };

  Cgroups() = default;
  /// `guardian` is moved along where our own cgroup must be cleared to get v2's controllers.
  static Cgroups open(const std::string& name, pid_t guardian,
                      std::optional<Kind> only = std::nullopt);
  Cgroups(Cgroups&&) = default;
  Cgroups& operator=(Cgroups&&) = default;

  /// The predecessor's, and one of a replica of its.
  explicit Cgroups(const HandedCgroups& handed);
  Cgroup existing(const std::vector<std::string>& directories) const;
  HandedCgroups hand_over() const { return {static_cast<int>(kind_), parents_, home_}; }

  Kind kind() const { return kind_; }
  /// A new empty one; empty where that fails.
  Cgroup make();
  /// The parents: what an earlier run may have left behind.
  const std::vector<std::string>& parents() const { return parents_; }
  /// The calling thread returns from where Cgroup::enter() took it.
  void leave() const;
  /// Kills and removes everything below the parents and, where that succeeds, them.
  static bool clear(const std::vector<std::string>& parents);

 private:
  Kind kind_ = Kind::none;
  std::vector<std::string> parents_;
  std::vector<std::string> home_;  // v1: where this process was
  int made_ = 0;
};

}  // namespace headroom::target
