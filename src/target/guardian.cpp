#include "target/guardian.h"

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "target/cgroup.h"
#include "target/proc.h"

namespace headroom::target {
namespace {

constexpr const char* kTitle = "headroom-guardian";
constexpr std::size_t kLongest = 8192;  // of a message; three paths fit

struct Watched {
  std::uint64_t leader_started = 0;
  std::string socket;
  std::vector<std::string> cgroups;
};
using Book = std::map<pid_t, Watched>;

/// "watch GROUP STARTED\nSOCKET\nCGROUP\n…" or "forget GROUP".
void note(Book& book, const std::string& message) {
  std::istringstream lines(message);
  std::string verb;
  pid_t group = 0;
  lines >> verb >> group;
  if (group <= 1) return;  // kill(-1) would be everyone
  if (verb == "forget") {
    book.erase(group);
    return;
  }
  Watched watched;
  lines >> watched.leader_started;
  std::string rest;
  std::getline(lines, rest);
  std::getline(lines, watched.socket);
  for (std::string cgroup; std::getline(lines, cgroup);) watched.cgroups.push_back(cgroup);
  book.insert_or_assign(group, std::move(watched));
}

/// While a group has a member its number is not given to a new process. So a process of that
/// number that started at another time says that our group is gone; none at all does not: the
/// leader got SIGKILL with Headroom, its children may live.
void kill_group(pid_t group, const Watched& watched) {
  const auto leader = see_process(group);
  if (leader && leader->started != watched.leader_started) return;
  ::kill(-group, SIGKILL);
}

/// Headroom is dead: nothing of its replicas may be left, and neither may we.
void clean_up(const Book& book, const std::string& run) {
  std::set<std::string> parents;
  for (const auto& [group, watched] : book) {
    kill_group(group, watched);
    kill_cgroups(watched.cgroups);
    if (!watched.socket.empty()) ::unlink(watched.socket.c_str());
    for (const auto& cgroup : watched.cgroups) parents.insert(cgroup.substr(0, cgroup.rfind('/')));
  }
  const std::vector<std::string> all(parents.begin(), parents.end());
  const auto mark = fmt::format("{}={}", kRunVariable, run);
  for (useconds_t pause = 5'000; pause < 3'000'000; pause *= 2) {
    // Who forked while we looked is found the next time.
    bool done = kill_marked({mark}) == 0;
    const auto groups = see_groups();
    for (const auto& [group, watched] : book) {
      kill_group(group, watched);
      const auto seen = groups.find(group);
      done = done && (seen == groups.end() || seen->second.living == 0);
    }
    done = Cgroups::clear(all) && done;
    if (done) return;
    ::usleep(pause);
  }
}

/// Shown by ps instead of Headroom's arguments, over which it is written.
void set_title() {
  ::prctl(PR_SET_NAME, "headroom-guard");
  std::ifstream stat("/proc/self/stat");
  std::string text((std::istreambuf_iterator<char>(stat)), {});
  std::istringstream fields(text.substr(std::min(text.rfind(')') + 1, text.size())));
  std::string skip;
  for (int n = 3; n < 48; ++n) fields >> skip;
  std::uintptr_t start = 0, end = 0;  // fields 48 and 49: where the arguments are
  if (!(fields >> start >> end) || start == 0 || end <= start) return;
  auto* const arguments = reinterpret_cast<char*>(start);  // NOLINT(performance-no-int-to-ptr)
  const auto room = end - start;
  std::memset(arguments, 0, room);
  std::memcpy(arguments, kTitle, std::min(room - 1, std::strlen(kTitle)));
}

/// Nothing of Headroom's may be kept open by us, nor may its terminal's signals end us.
void detach(int socket) {
  constexpr int kSocket = 3;
  const int null = ::fcntl(::open("/dev/null", O_RDWR), F_DUPFD, 10);
  if (socket != kSocket) ::dup2(socket, kSocket);
  for (int fd = 0; fd < kSocket; ++fd) ::dup2(null, fd);
  ::close_range(kSocket + 1, UINT_MAX, 0);
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP}) {
    ::signal(signal, SIG_IGN);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (::chdir("/") != 0) ::_exit(1);
}

[[noreturn]] void run(int socket, const std::string& token) {
  detach(socket);
  set_title();
  const pid_t self = ::getpid();
  ::send(3, &self, sizeof self, MSG_NOSIGNAL);
  Book book;
  std::vector<char> message(kLongest);
  for (;;) {
    const auto got = ::recv(3, message.data(), message.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    note(book, std::string(message.data(), static_cast<std::size_t>(got)));
  }
  if (!book.empty()) clean_up(book, token);
  ::_exit(0);
}

void send_message(int pipe, const std::string& message) {
  if (::send(pipe, message.data(), message.size(), MSG_NOSIGNAL) >= 0) return;
  static std::atomic<bool> said{false};
  if (!said.exchange(true)) {
    log::warn(
        "the guardian does not answer ({}): should Headroom be killed, children of its "
        "replicas may be left behind",
        std::strerror(errno));
  }
}

Error no_guardian(const char* what) {
  return {Code::unavailable, fmt::format("guardian: {}: {}", what, std::strerror(errno))};
}

}  // namespace

Result<Guardian> Guardian::start() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return fail(no_guardian("socketpair"));
  }
  Fd ours(ends[0]), its(ends[1]);
  // Should it ever be stopped, we wait this long for it and no longer.
  const timeval limit{1, 0};
  ::setsockopt(ours.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  const auto token = run_token();
  const pid_t between = ::fork();
  if (between < 0) return fail(no_guardian("fork"));
  if (between == 0) {
    // Twice, so that it is no child of ours and leaves no zombie; a session of its own.
    ::setsid();
    if (::fork() == 0) run(its.get(), token);
    ::_exit(0);
  }
  its.reset();
  while (::waitpid(between, nullptr, 0) < 0 && errno == EINTR) continue;
  pid_t pid = 0;
  if (::recv(ours.get(), &pid, sizeof pid, 0) != sizeof pid) return fail(no_guardian("start"));
  return Guardian(std::move(ours), pid);
}

void Guardian::watch(pid_t group, const std::string& cgroup, const std::string& socket) {
  const auto leader = see_process(group);
  send_message(pipe_.get(), fmt::format("watch {} {}\n{}\n{}", group, leader ? leader->started : 0,
                                        socket, cgroup));
}

void Guardian::forget(pid_t group) { send_message(pipe_.get(), fmt::format("forget {}", group)); }

}  // namespace headroom::target
