#include "target/cgroup.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

namespace headroom::target {
namespace {

std::string read_text(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  char buffer[8192];
  for (;;) {
    const auto got = file ? ::read(file.get(), buffer, sizeof buffer) : 0;
    if (got <= 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
  }
}

bool write_text(const std::string& path, std::string_view text) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return file && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end == text.data()) return std::nullopt;
  return value;
}

/// The value behind `key` in a file of "key value" lines.
std::optional<std::int64_t> keyed(const std::string& text, std::string_view key) {
  for (std::size_t at = 0; (at = text.find(key, at)) != std::string::npos; at += key.size()) {
    const auto after = at + key.size();
    if ((at == 0 || text[at - 1] == '\n') && after < text.size() && text[after] == ' ') {
      return number(std::string_view(text).substr(after + 1));
    }
  }
  return std::nullopt;
}

bool has_word(const std::string& text, std::string_view word) {
  std::istringstream words(text);
  for (std::string each; words >> each;) {
    if (each == word) return true;
  }
  return false;
}

std::vector<pid_t> processes(const std::string& directory) {
  std::istringstream lines(read_text(directory + "/cgroup.procs"));
  std::vector<pid_t> all;
  for (pid_t pid = 0; lines >> pid;) all.push_back(pid);
  return all;
}

bool make_directory(const std::string& path) {
  return ::mkdir(path.c_str(), 0755) == 0 || errno == EEXIST;
}

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

struct Mounts {
  std::string v2, cpuacct, memory;  // our own directory in each hierarchy; empty: not mounted
  std::string v2_top;
};

/// Our path as seen through a mount that may show only a part of the hierarchy.
std::string through(const std::string& point, const std::string& root, const std::string& path) {
  if (path == "/" || path.find("/..") != std::string::npos) return point;
  if (root == "/") return point + path;
  return path.starts_with(root) ? point + path.substr(root.size()) : point;
}

/// Lines of /proc/self/cgroup are "4:memory:/path" and, for v2, "0::/path".
std::string own_path(const std::string& controller) {
  std::istringstream lines(read_text("/proc/self/cgroup"));
  for (std::string line; std::getline(lines, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const auto names = "," + line.substr(first + 1, second - first - 1) + ",";
    if (names == "," + controller + "," ||
        names.find("," + controller + ",") != std::string::npos) {
      return line.substr(second + 1);
    }
  }
  return "/";
}

Mounts find_mounts() {
  Mounts mounts;
  std::istringstream lines(read_text("/proc/self/mountinfo"));
  for (std::string line; std::getline(lines, line);) {
    const auto dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    std::istringstream before(line.substr(0, dash)), after(line.substr(dash + 3));
    std::string skip, root, point, type, source, options;
    before >> skip >> skip >> skip >> root >> point;
    after >> type >> source >> options;
    const auto has = [&](std::string_view option) {
      return ("," + options + ",").find("," + std::string(option) + ",") != std::string::npos;
    };
    if (type == "cgroup2") {
      mounts.v2_top = point;
      mounts.v2 = through(point, root, own_path(""));
    } else if (type == "cgroup" && has("cpuacct")) {
      mounts.cpuacct = through(point, root, own_path("cpuacct"));
    } else if (type == "cgroup" && has("memory")) {
      mounts.memory = through(point, root, own_path("memory"));
    }
  }
  return mounts;
}

bool gives_memory(const std::string& directory) {
  return has_word(read_text(directory + "/cgroup.subtree_control"), "memory");
}

/// v2 gives controllers only to children of a cgroup that holds no process itself. Where ours
/// holds nobody else (a unit with Delegate=yes), we move into a leaf of it, as systemd advises.
bool clear_own(const std::string& own, pid_t guardian) {
  if (!has_word(read_text(own + "/cgroup.controllers"), "memory")) return false;
  const auto inside = processes(own);
  const auto ours = [&](pid_t pid) { return pid == ::getpid() || pid == guardian; };
  if (!std::ranges::all_of(inside, ours)) return false;
  const auto leaf = own + "/headroom";
  if (!make_directory(leaf)) return false;
  for (const auto pid : inside) write_text(leaf + "/cgroup.procs", std::to_string(pid));
  return write_text(own + "/cgroup.subtree_control", "+memory");
}

/// Where below v2 the parent belongs so that its children have the memory controller.
std::optional<std::string> v2_place(const Mounts& mounts, pid_t guardian) {
  // Decided once: clear_own() moves us, and a second look would start from there.
  static std::optional<std::string> place = [&]() -> std::optional<std::string> {
    const auto& own = mounts.v2;
    if (gives_memory(own) || clear_own(own, guardian)) return own;
    // Beside us, but not out of a service: its limits are meant for the replicas, too.
    const bool service = own.ends_with(".service");
    if (!service && own != mounts.v2_top && gives_memory(parent_of(own)) &&
        ::access(parent_of(own).c_str(), W_OK) == 0) {
      return parent_of(own);
    }
    return std::nullopt;
  }();
  return place;
}

std::vector<std::string> children(const std::string& directory) {
  std::vector<std::string> found;
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(directory.c_str()), &::closedir);
  while (const dirent* entry = open ? ::readdir(open.get()) : nullptr) {
    const std::string name = entry->d_name;
    if (entry->d_type == DT_DIR && name != "." && name != "..") {
      found.push_back(directory + "/" + name);
    }
  }
  return found;
}

}  // namespace

std::optional<std::chrono::microseconds> Cgroup::cpu() const {
  if (directories_.empty()) return std::nullopt;
  const auto& directory = directories_.front();
  if (v2_) {
    const auto used = keyed(read_text(directory + "/cpu.stat"), "usage_usec");
    if (!used) return std::nullopt;
    return std::chrono::microseconds(*used);
  }
  const auto nanoseconds = number(read_text(directory + "/cpuacct.usage"));
  if (!nanoseconds) return std::nullopt;
  return std::chrono::microseconds(*nanoseconds / 1000);
}

std::optional<std::int64_t> Cgroup::memory() const {
  if (directories_.empty()) return std::nullopt;
  const auto& directory = directories_.back();
  const auto used =
      number(read_text(directory + (v2_ ? "/memory.current" : "/memory.usage_in_bytes")));
  if (!used) return std::nullopt;
  const auto idle =
      keyed(read_text(directory + "/memory.stat"), v2_ ? "inactive_file" : "total_inactive_file");
  return std::max<std::int64_t>(0, *used - idle.value_or(0));
}

bool Cgroup::enter() const {
  return std::ranges::all_of(directories_, [](const std::string& directory) {
    return write_text(directory + "/tasks", "0");
  });
}

void kill_cgroups(const std::vector<std::string>& directories) {
  for (const auto& directory : directories) {
    if (write_text(directory + "/cgroup.kill", "1")) continue;
    // A process that forks while we read the list is found in the next pass.
    for (int pass = 0; pass < 20; ++pass) {
      bool found = false;
      for (const auto pid : processes(directory)) {
        // In v1 we are listed too while one of our threads is inside.
        if (pid != ::getpid() && pid > 1 && ::kill(pid, SIGKILL) == 0) found = true;
      }
      if (!found) break;
    }
  }
}

bool remove_cgroups(const std::vector<std::string>& directories) {
  bool all = true;
  for (const auto& directory : directories) {
    for (const auto& below : children(directory)) all = remove_cgroups({below}) && all;
    if (::rmdir(directory.c_str()) != 0 && errno != ENOENT) all = false;
  }
  return all;
}

Cgroups Cgroups::open(const std::string& name, pid_t guardian, std::optional<Kind> only) {
  Cgroups found;
  const auto mounts = find_mounts();
  // Numbered: what is still being removed of one must not be mistaken for another's.
  static std::atomic<int> count{0};
  const auto base = fmt::format("/headroom-{}-{}-{}", ::getpid(), ++count, name);
  const auto take = [&](Kind kind, std::vector<std::string> parents) {
    if (!std::ranges::all_of(parents, make_directory)) {
      for (const auto& parent : parents) ::rmdir(parent.c_str());
      return false;
    }
    found.kind_ = kind;
    found.parents_ = std::move(parents);
    return true;
  };
  const bool try_v2 = !mounts.v2.empty() && only.value_or(Kind::v2) == Kind::v2;
  const bool try_v1 =
      !mounts.cpuacct.empty() && !mounts.memory.empty() && only.value_or(Kind::v1) == Kind::v1;
  if (try_v2) {
    const auto place = v2_place(mounts, guardian);
    if (place && take(Kind::v2, {*place + base})) {
      write_text(found.parents_.front() + "/cgroup.subtree_control", "+memory");
      return found;
    }
  }
  if (try_v1 && take(Kind::v1, {mounts.cpuacct + base, mounts.memory + base})) {
    found.home_ = {mounts.cpuacct, mounts.memory};
    return found;
  }
  // Without the memory controller v2 still meters CPU and kills.
  if (try_v2 && take(Kind::v2, {mounts.v2 + base})) return found;
  log::debug("{}: no cgroups for the replicas (not mounted, or not ours to make): reading /proc",
             name);
  return found;
}

Cgroups::Cgroups(const HandedCgroups& handed)
    : kind_(static_cast<Kind>(handed.kind)), parents_(handed.parents), home_(handed.home) {}

Cgroup Cgroups::existing(const std::vector<std::string>& directories) const {
  Cgroup found;
  found.directories_ = directories;
  if (kind_ == Kind::v2 && !directories.empty()) {
    found.v2_ = Fd(::open(directories.front().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
  return found;
}

Cgroup Cgroups::make() {
  Cgroup made;
  // By our id: a successor makes some beside ours.
  const auto leaf = fmt::format("/{}-{}", ::getpid(), ++made_);
  for (const auto& parent : parents_) {
    made.directories_.push_back(parent + leaf);
    if (::mkdir(made.directories_.back().c_str(), 0755) == 0) continue;
    log::debug("cgroup {}: {}", made.directories_.back(), std::strerror(errno));
    remove_cgroups(made.directories_);
    return {};
  }
  if (kind_ == Kind::v2) {
    made.v2_ = Fd(::open(made.directories_.front().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
  return made;
}

void Cgroups::leave() const {
  for (const auto& directory : home_) write_text(directory + "/tasks", "0");
}

bool Cgroups::clear(const std::vector<std::string>& parents) {
  for (const auto& parent : parents) kill_cgroups(children(parent));
  return remove_cgroups(parents);
}

}  // namespace headroom::target
