#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/fd.h"
#include "target/handed.h"

namespace headroom::target {

/// A directory in the state directory for one Process of one run of Headroom. It is locked
/// while we live, so the next run can tell what is left over from what is in use.
class RunDirectory {
 public:
  /// Where the state directory cannot be written, a directory in /tmp is used, and said.
  explicit RunDirectory(const std::string& state_directory);
  /// The predecessor's, as it is.
  explicit RunDirectory(HandedDirectory handed);
  ~RunDirectory();
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;

  HandedDirectory hand_over() const { return {path_, sockets_, lock_.duplicate()}; }
  /// It is another's now.
  void let_go();

  /// Short enough for a Unix address.
  std::string socket_path(std::uint64_t replica) const;
  /// What the next run shall remove if we cannot.
  void remember(const std::vector<std::string>& cgroups) const;

  /// Kills and removes what runs left that ended without doing so.
  static void clean_up(const std::string& state_directory);

 private:
  std::string path_;     // empty: none could be made
  std::string sockets_;  // path_, or a shorter one
  Fd lock_;
};

}  // namespace headroom::target
