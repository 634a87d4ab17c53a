#include "target/proc.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include "base/fd.h"

namespace headroom::target {
namespace {

/// At most `limit` bytes of a file; empty where it cannot be read.
std::string read_some(const std::string& path, std::size_t limit) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  while (file && text.size() < limit) {
    const auto had = text.size();
    text.resize(had + 4096);
    const auto got = ::read(file.get(), text.data() + had, 4096);
    text.resize(had + static_cast<std::size_t>(got < 0 ? 0 : got));
    if (got <= 0) break;
  }
  return text;
}

/// Field n of /proc/PID/stat after the name, counted as proc(5) does: state is 3.
std::uint64_t field(const std::array<std::string_view, 25>& fields, std::size_t n) {
  std::uint64_t value = 0;
  std::from_chars(fields[n].data(), fields[n].data() + fields[n].size(), value);
  return value;
}

std::chrono::microseconds from_ticks(std::uint64_t ticks) {
  static const auto per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  return std::chrono::microseconds(ticks * 1'000'000 / per_second);
}

template <class Visit>
void for_each_pid(Visit visit) {
  const std::unique_ptr<DIR, int (*)(DIR*)> proc(::opendir("/proc"), &::closedir);
  while (const dirent* entry = proc ? ::readdir(proc.get()) : nullptr) {
    const std::string_view name(entry->d_name);
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error == std::errc{} && end == name.data() + name.size()) visit(pid);
  }
}

}  // namespace

std::optional<ProcessSeen> see_process(pid_t pid) {
  const auto text = read_some(fmt::format("/proc/{}/stat", pid), 4096);
  const auto name_end = text.rfind(')');  // the name may hold anything, so from the last one
  if (name_end == std::string::npos) return std::nullopt;
  std::array<std::string_view, 25> fields{};
  std::string_view rest = std::string_view(text).substr(name_end + 1);
  for (std::size_t n = 3; n < fields.size(); ++n) {
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    fields[n] = rest.substr(0, rest.find(' '));
    rest.remove_prefix(fields[n].size());
  }
  if (fields[24].empty()) return std::nullopt;
  static const auto page = static_cast<std::int64_t>(::sysconf(_SC_PAGESIZE));
  return ProcessSeen{
      .pid = pid,
      .parent = static_cast<pid_t>(field(fields, 4)),
      .group = static_cast<pid_t>(field(fields, 5)),
      .state = fields[3].front(),
      .cpu =
          from_ticks(field(fields, 14) + field(fields, 15) + field(fields, 16) + field(fields, 17)),
      .started = field(fields, 22),
      .memory_bytes = static_cast<std::int64_t>(field(fields, 24)) * page,
  };
}

void for_each_process(const std::function<void(const ProcessSeen&)>& visit) {
  for_each_pid([&](pid_t pid) {
    if (const auto seen = see_process(pid)) visit(*seen);
  });
}

std::map<pid_t, GroupSeen> see_groups() {
  std::map<pid_t, GroupSeen> groups;
  for_each_process([&](const ProcessSeen& seen) {
    auto& group = groups[seen.group];
    group.cpu += seen.cpu;
    group.memory_bytes += seen.memory_bytes;
    if (seen.state != 'Z' && seen.state != 'X') ++group.living;
  });
  return groups;
}

namespace {
std::string token_of(pid_t pid, const std::optional<ProcessSeen>& seen) {
  return fmt::format("{}.{}", pid, seen ? seen->started : 0);
}

std::string& token() {
  static std::string made = token_of(::getpid(), see_process(::getpid()));
  return made;
}
}  // namespace

std::string run_token() { return token(); }

bool run_lives(const std::string& of) {
  pid_t pid = 0;
  std::from_chars(of.data(), of.data() + of.size(), pid);
  const auto seen = see_process(pid);
  return seen && seen->state != 'Z' && of == token_of(pid, seen);
}

void continue_run(const std::string& of) { token() = of; }

int kill_marked(const std::vector<std::string>& entries) {
  int killed = 0;
  for_each_pid([&](pid_t pid) {
    if (pid == ::getpid()) return;
    const auto environment = '\0' + read_some(fmt::format("/proc/{}/environ", pid), 1 << 20);
    const bool all = std::ranges::all_of(entries, [&](const std::string& entry) {
      return environment.find('\0' + entry + '\0') != std::string::npos;
    });
    if (all && ::kill(pid, SIGKILL) == 0) ++killed;
  });
  return killed;
}

}  // namespace headroom::target
