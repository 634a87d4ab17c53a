#include "target/run_directory.h"

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/address.h"
#include "base/log.h"
#include "base/time.h"
#include "target/cgroup.h"
#include "target/proc.h"

namespace headroom::target {
namespace {

namespace fs = std::filesystem;
using SteadyTime = std::chrono::steady_clock::time_point;

constexpr const char* kLock = "/lock";  // also says what to remove
constexpr const char* kCgroupMark = "headroom-";
constexpr auto kPatience = 1s;  // with threads of a killed process

std::string temporary() {
  std::string path = "/tmp/headroom-XXXXXX";
  return ::mkdtemp(path.data()) == nullptr ? std::string() : path;
}

void remove_tree(const std::string& path) {
  std::error_code ignored;
  if (!path.empty()) fs::remove_all(path, ignored);
}

/// A path from a file that someone may have touched: only what we would have made is removed.
bool is_ours(const std::string& cgroup) {
  return fs::path(cgroup).filename().string().starts_with(kCgroupMark) &&
         ::access((cgroup + "/cgroup.procs").c_str(), F_OK) == 0;
}

void remove_what_it_names(const std::string& file) {
  std::vector<std::string> cgroups;
  std::ifstream lines(file);
  for (std::string kind, value; lines >> kind && std::getline(lines >> std::ws, value);) {
    if (kind == "cgroup" && is_ours(value)) cgroups.push_back(value);
    if (kind == "sockets" && value.starts_with("/tmp/headroom-")) remove_tree(value);
    if (kind == "run" && value != run_token()) {
      kill_marked({fmt::format("{}={}", kRunVariable, value)});
    }
  }
  // Killed processes need a moment to leave; what they still hold is for the next time.
  for (int tries = 0; tries < 50 && !Cgroups::clear(cgroups); ++tries) ::usleep(2000);
}

/// Whose run it is; "" where it does not say, as in the moment in which it is made.
std::string run_of(const std::string& file) {
  std::ifstream lines(file);
  std::string kind, token;
  return lines >> kind >> token && kind == "run" ? token : "";
}

/// The threads of a killed process end one after the other, and the last one lets go: a run that
/// has nobody any more is waited for.
bool take_left_over(const Fd& lock, const std::string& file, SteadyTime until) {
  while (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    const auto run = run_of(file);
    if (run.empty() || run_lives(run) || SteadyTime::clock::now() >= until) return false;
    ::usleep(2000);
  }
  return true;
}

}  // namespace

RunDirectory::RunDirectory(const std::string& state_directory) {
  static std::atomic<int> count{0};
  const auto name = fmt::format("{}-{}", ::getpid(), ++count);
  std::error_code failed;
  fs::create_directories(state_directory, failed);
  // Locked before it gets the name that clean_up() looks for.
  const auto unlocked = state_directory + "/new-" + name;
  path_ = state_directory + "/run-" + name;
  lock_ = ::mkdir(unlocked.c_str(), 0700) == 0 || errno == EEXIST
              ? Fd(::open((unlocked + kLock).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600))
              : Fd();
  remove_tree(path_);
  if (!lock_ || ::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0 ||
      ::rename(unlocked.c_str(), path_.c_str()) != 0) {
    log::warn("state directory {}: {}; sockets of replicas go to /tmp", state_directory,
              std::strerror(errno));
    path_.clear();
  }
  sockets_ = path_;
  constexpr std::uint64_t kLargeId = 9'999'999'999;
  if (path_.empty() || !unix_address(socket_path(kLargeId))) sockets_ = temporary();
  const auto lines = fmt::format("run {}\n{}", run_token(),
                                 sockets_ == path_ ? "" : fmt::format("sockets {}\n", sockets_));
  if (lock_ && ::write(lock_.get(), lines.data(), lines.size()) < 0) {
    log::warn("{}{}: {}", path_, kLock, std::strerror(errno));
  }
}

RunDirectory::RunDirectory(HandedDirectory handed)
    : path_(std::move(handed.path)),
      sockets_(std::move(handed.sockets)),
      lock_(std::move(handed.lock)) {}

void RunDirectory::let_go() {
  path_.clear();
  sockets_.clear();
}

RunDirectory::~RunDirectory() {
  remove_tree(path_);
  remove_tree(sockets_);
}

std::string RunDirectory::socket_path(std::uint64_t replica) const {
  return fmt::format("{}/{}.sock", sockets_, replica);
}

void RunDirectory::remember(const std::vector<std::string>& cgroups) const {
  for (const auto& cgroup : cgroups) {
    const auto line = fmt::format("cgroup {}\n", cgroup);
    if (lock_ && ::write(lock_.get(), line.data(), line.size()) < 0) return;
  }
}

void RunDirectory::clean_up(const std::string& state_directory) {
  const auto until = SteadyTime::clock::now() + kPatience;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(state_directory, failed)) {
    const auto path = entry.path().string();
    if (!entry.path().filename().string().starts_with("run-")) continue;
    const Fd lock(::open((path + kLock).c_str(), O_RDWR | O_CLOEXEC));
    if (!lock || !take_left_over(lock, path + kLock, until)) continue;
    remove_what_it_names(path + kLock);
    remove_tree(path);
    log::debug("removed what an earlier run left in {}", path);
  }
}

}  // namespace headroom::target
