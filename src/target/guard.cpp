#include "target/guard.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <list>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/message.h"
#include "base/notify.h"
#include "target/cgroup.h"
#include "target/proc.h"

namespace headroom::target::guard {
namespace {

namespace fs = std::filesystem;

constexpr const char* kItself = "/proc/self/exe";
constexpr Millis kPatience = 1s;  // with a worker that does not read what it asked for

constexpr int kHeededLate[] = {SIGHUP, SIGUSR2};
constexpr int kPassedOn[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

sigset_t waited_for() {
  sigset_t waited;
  ::sigemptyset(&waited);
  for (const int signal : kPassedOn) ::sigaddset(&waited, signal);
  ::sigaddset(&waited, SIGCHLD);
  return waited;
}

struct Watched {
  std::uint64_t leader_started = 0;
  std::string socket;
  std::vector<std::string> cgroups;
};
using Book = std::map<pid_t, Watched>;

struct Worker {
  pid_t pid = 0;
  Fd socket;
  Book book;
};

/// The rest of "watch GROUP STARTED\nSOCKET\nCGROUP\n…".
Watched read_watched(std::istream& lines) {
  Watched watched;
  lines >> watched.leader_started;
  std::string rest;
  std::getline(lines, rest);
  std::getline(lines, watched.socket);
  for (std::string cgroup; std::getline(lines, cgroup);) watched.cgroups.push_back(cgroup);
  return watched;
}

/// While a group has a member its number is not given to a new process. So a process of that
/// number that started at another time says that our group is gone; none at all does not: the
/// leader may have died with the worker, its children may live.
void kill_group(pid_t group, const Watched& watched) {
  const auto leader = see_process(group);
  if (leader && leader->started != watched.leader_started) return;
  ::kill(-group, SIGKILL);
}

/// One look; true when nothing is left of it.
bool remove_group(pid_t group, const Watched& watched) {
  kill_group(group, watched);
  while (::waitpid(-group, nullptr, WNOHANG) > 0) continue;
  const auto groups = see_groups();
  const auto seen = groups.find(group);
  return seen == groups.end() || seen->second.living == 0;
}

/// The worker is dead: nothing of these replicas may be left. `run`: of the others neither.
void clean_up(const Book& book, const std::string* run) {
  std::set<std::string> parents;
  for (const auto& [group, watched] : book) {
    kill_group(group, watched);
    kill_cgroups(watched.cgroups);
    if (!watched.socket.empty()) ::unlink(watched.socket.c_str());
    for (const auto& cgroup : watched.cgroups) parents.insert(cgroup.substr(0, cgroup.rfind('/')));
  }
  const std::vector<std::string> all(parents.begin(), parents.end());
  for (useconds_t pause = 5'000; pause < 3'000'000; pause *= 2) {
    // Who forked while we looked is found the next time.
    bool done = run == nullptr || kill_marked({fmt::format("{}={}", kRunVariable, *run)}) == 0;
    for (const auto& [group, watched] : book) done = remove_group(group, watched) && done;
    for (const auto& [group, watched] : book) done = remove_cgroups(watched.cgroups) && done;
    if (run != nullptr) done = Cgroups::clear(all) && done;
    if (done) return;
    ::usleep(pause);
  }
}

std::vector<std::string> own_arguments() {
  std::ifstream file("/proc/self/cmdline");
  std::vector<std::string> arguments;
  for (std::string each; std::getline(file, each, '\0');) arguments.push_back(each);
  return arguments;
}

bool is_this_program(const fs::path& path) {
  std::error_code error;
  return fs::equivalent(path, kItself, error) && ::access(path.c_str(), X_OK) == 0;
}

/// As it was called, links and all: where they point to another version by then, that is the one to
/// start. By itself where it was called by a name that is not its.
std::string name_of_program(const std::vector<std::string>& arguments) {
  const fs::path called = arguments.empty() ? "" : arguments.front();
  std::error_code error;
  if (called.has_parent_path()) {
    const auto path = fs::current_path(error) / called;
    if (is_this_program(path)) return path;
  } else if (const char* folders = std::getenv("PATH"); folders != nullptr && !called.empty()) {
    std::istringstream list(folders);
    for (std::string folder; std::getline(list, folder, ':');) {
      const auto path = fs::current_path(error) / folder / called;
      if (is_this_program(path)) return path;
    }
  }
  return fs::read_symlink(kItself, error);
}

/// "ended with status 3", "was killed by SIGSEGV"
std::string end_of(int status) {
  if (WIFEXITED(status)) return fmt::format("ended with status {}", WEXITSTATUS(status));
  const char* const name = ::sigabbrev_np(WTERMSIG(status));
  return fmt::format("was killed by {}{}", name == nullptr ? "signal " : "SIG",
                     name == nullptr ? std::to_string(WTERMSIG(status)) : name);
}

class Guard {
 public:
  Guard(pid_t worker, int socket, const Signals& signals) : before_(signals.before) {
    const auto waited = waited_for();
    signals_ = Fd(::signalfd(-1, &waited, SFD_CLOEXEC | SFD_NONBLOCK));
    workers_.push_back({worker, Fd(socket), {}});
  }
  [[noreturn]] void run();

 private:
  Worker& current() { return workers_.front(); }
  void on_signals();
  void pass_on(const signalfd_siginfo& signal);
  void took_over(const Worker& worker);
  void hear_all();
  void on_message(Worker& worker);
  void act(Worker& worker, const std::string& text);
  void take_note(Worker& worker, std::istream& message, bool watch);
  void reap(Worker& worker, pid_t pid);
  void start_successor(Worker& worker);
  [[noreturn]] void be_successor(int socket, int to_predecessor);
  bool watched(pid_t group) const;
  void reap_strays();
  void see_to_workers();
  bool alone() const;
  void clean_up_after(const Worker& worker);
  [[noreturn]] void end(int status);

  const sigset_t before_;
  const std::vector<std::string> arguments_ = own_arguments();
  const std::string program_ = name_of_program(arguments_);
  const std::string run_ = run_token();
  Fd signals_;
  // The current one first: its predecessor answers what is open, a successor starts.
  std::list<Worker> workers_;
  std::set<pid_t> strays_;
  pid_t starting_ = 0;      // a successor
  bool abandoned_ = false;  // that one
  std::vector<int> again_;  // signals, for when it has taken over
  bool ignored_ = false;    // a signal, and it was said
};

void Guard::run() {
  for (;;) {
    std::vector<pollfd> sources{{signals_.get(), POLLIN, 0}};
    for (const auto& worker : workers_) sources.push_back({worker.socket.get(), POLLIN, 0});
    constexpr int kStrayPause = 2000;
    if (::poll(sources.data(), sources.size(), strays_.empty() ? -1 : kStrayPause) == 0) {
      reap_strays();
      continue;
    }
    // What a worker said before it ended comes before that it did.
    auto worker = workers_.begin();
    for (std::size_t n = 1; n < sources.size(); ++n, ++worker) {
      if (sources[n].revents != 0) {
        on_message(*worker);
        break;  // the list may have changed
      }
    }
    if (sources[0].revents != 0) on_signals();
  }
}

void Guard::on_signals() {
  signalfd_siginfo signal{};
  bool children = false;
  while (::read(signals_.get(), &signal, sizeof signal) == sizeof signal) {
    if (signal.ssi_signo == SIGCHLD) {
      children = true;
    } else {
      pass_on(signal);
    }
  }
  if (!children) return;
  hear_all();  // last words
  see_to_workers();
  reap_strays();
}

/// What workers have said so far.
void Guard::hear_all() {
  std::vector<Worker*> all;  // the list may change its order
  for (auto& worker : workers_) all.push_back(&worker);
  for (auto* const worker : all) {
    pollfd said{worker->socket.get(), POLLIN, 0};
    while (worker->socket && ::poll(&said, 1, 0) == 1) on_message(*worker);
  }
}

/// What a terminal sends goes to the worker, too, which is in the same group.
void Guard::pass_on(const signalfd_siginfo& signal) {
  if (signal.ssi_code == SI_KERNEL) return;
  const auto number = static_cast<int>(signal.ssi_signo);
  if (number == SIGUSR1) {  // what rotates logs sends it to those that write files
    if (!std::exchange(ignored_, true)) log::info("SIGUSR1: it means nothing here; passed over");
    return;
  }
  ::kill(current().pid, number);
  if (starting_ != 0 && number != SIGUSR2) again_.push_back(number);
}

/// A signal that came to the predecessor too late to be heeded is meant for the successor.
void Guard::took_over(const Worker& worker) {
  const auto found = std::ranges::find(workers_, worker.pid, &Worker::pid);
  workers_.splice(workers_.begin(), workers_, found);
  starting_ = 0;
  for (const int number : std::exchange(again_, {})) ::kill(current().pid, number);
}

void Guard::on_message(Worker& worker) {
  const auto message = receive_message(worker.socket.get(), 0ms);
  if (message) return act(worker, message->text);
  worker.socket.reset();  // it has ended, or is about to
}

void Guard::act(Worker& worker, const std::string& text) {
  std::istringstream message(text);
  std::string verb;
  message >> verb;
  if (verb == "watch" || verb == "forget") return take_note(worker, message, verb == "watch");
  if (verb == "successor") return start_successor(worker);
  if (verb == "reap") {
    pid_t pid = 0;
    message >> pid;
    return reap(worker, pid);
  }
  if (verb == "took") return took_over(worker);
  if (verb == "abandon" && starting_ != 0 && &worker == &current()) {
    abandoned_ = true;
    ::kill(starting_, SIGKILL);
  }
  if (verb == "notify" && &worker == &current()) {
    if (const char* manager = std::getenv(Notify::kSocket)) {
      Notify::send(manager, text.substr(std::min(text.find('\n') + 1, text.size())));
    }
  }
}

void Guard::take_note(Worker& worker, std::istream& message, bool watch) {
  pid_t group = 0;
  message >> group;
  if (group <= 1) return;  // kill(-1) would be everyone
  strays_.erase(group);
  if (!watch) {
    worker.book.erase(group);
  } else {
    worker.book.insert_or_assign(group, read_watched(message));
  }
}

void Guard::reap(Worker& worker, pid_t pid) {
  siginfo_t info{};
  if (pid > 1 && pid != worker.pid) {
    ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG);
  }
  strays_.erase(pid);
  send_message(worker.socket.get(),
               fmt::format("reaped {} {} {}", pid, info.si_pid == pid ? info.si_code : 0,
                           info.si_pid == pid ? info.si_status : 0),
               kPatience);
}

void Guard::start_successor(Worker& worker) {
  const auto refuse = [&](const std::string& why) {
    send_message(worker.socket.get(), "refused " + why, kPatience);
  };
  if (&worker != &current() || !alone()) {
    return refuse(fmt::format("{}: a predecessor still answers, or a successor starts", kUnderWay));
  }
  if (::access(program_.c_str(), X_OK) != 0) {
    return refuse(fmt::format("{}: {}", program_, std::strerror(errno)));
  }
  int to_us[2], between[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, to_us) != 0) {
    return refuse(std::strerror(errno));
  }
  Fd ours(to_us[0]), its(to_us[1]);
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, between) != 0) {
    return refuse(std::strerror(errno));
  }
  const Fd predecessors(between[0]), successors(between[1]);
  const pid_t pid = ::fork();
  if (pid < 0) return refuse(std::strerror(errno));
  if (pid == 0) be_successor(its.get(), successors.get());
  workers_.push_back({pid, std::move(ours), {}});
  starting_ = pid;
  abandoned_ = false;
  log::info("upgrade: starting {}", program_);
  send_message(worker.socket.get(), "started", kPatience, {predecessors.get()});
}

void Guard::be_successor(int socket, int to_predecessor) {
  // Above where they go, so that the one does not close the other.
  const int first = ::fcntl(socket, F_DUPFD, kPredecessor + 1);
  const int second = ::fcntl(to_predecessor, F_DUPFD, kPredecessor + 1);
  ::dup2(first, kSocket);
  ::dup2(second, kPredecessor);
  ::close_range(kPredecessor + 1, UINT_MAX, 0);
  ::setenv(kVariable, run_.c_str(), 1);
  for (const char* ours : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(ours);
  ::sigprocmask(SIG_SETMASK, &before_, nullptr);
  std::vector<char*> argv;
  for (const auto& each : arguments_) argv.push_back(const_cast<char*>(each.c_str()));
  argv.push_back(nullptr);
  ::execv(program_.c_str(), argv.data());
  log::error("upgrade: {} cannot be started: {}", program_, std::strerror(errno));
  ::_exit(127);
}

/// No other worker lives; one that has just ended may still have to be reaped.
bool Guard::alone() const {
  return std::all_of(std::next(workers_.begin()), workers_.end(), [](const Worker& other) {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(other.pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == other.pid;
  });
}

bool Guard::watched(pid_t group) const {
  return std::ranges::any_of(
      workers_, [&](const Worker& each) { return each.pid == group || each.book.contains(group); });
}

/// As the first process of a container we get every orphan. One that nobody has told us of may be
/// a replica whose worker is about to: it is reaped when it is found for the second time.
void Guard::reap_strays() {
  std::set<pid_t> found;
  for_each_process([&](const ProcessSeen& seen) {
    if (seen.state != 'Z' || seen.parent != ::getpid() || watched(seen.pid)) return;
    if (!strays_.contains(seen.pid) || ::waitpid(seen.pid, nullptr, WNOHANG) <= 0) {
      found.insert(seen.pid);
    }
  });
  strays_ = std::move(found);
}

void Guard::see_to_workers() {
  for (auto worker = workers_.begin(); worker != workers_.end();) {
    int status = 0;
    if (::waitpid(worker->pid, &status, WNOHANG) != worker->pid) {
      ++worker;
      continue;
    }
    hear_all();  // its successor may have taken over a moment ago
    if (worker == workers_.begin()) end(status);
    if (worker->pid == starting_) {  // and has not taken over
      if (!abandoned_ || !WIFSIGNALED(status))
        log::error("upgrade: {} {}", program_, end_of(status));
      starting_ = 0;
      again_.clear();
    }
    const Worker ended = std::move(*worker);
    worker = workers_.erase(worker);
    clean_up_after(ended);
  }
}

/// A predecessor, or a successor that did not take over: what another worker watches is its.
void Guard::clean_up_after(const Worker& ended) {
  Book left;
  for (const auto& [group, its] : ended.book) {
    if (!watched(group)) left.emplace(group, its);
  }
  clean_up(left, nullptr);
}

void Guard::end(int status) {
  Book all;
  for (auto& worker : workers_) {
    if (worker.pid != current().pid) ::kill(worker.pid, SIGKILL);
    all.merge(worker.book);
  }
  if (!all.empty()) clean_up(all, &run_);
  ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

}  // namespace

void hold_late_signals() {
  sigset_t late{};
  for (const int number : kHeededLate) ::sigaddset(&late, number);
  ::sigprocmask(SIG_BLOCK, &late, nullptr);
  // A handler and not SIG_IGN, which the replicas would inherit.
  struct sigaction nothing {};
  nothing.sa_handler = [](int) {};
  nothing.sa_flags = SA_RESTART;
  ::sigaction(SIGUSR1, &nothing, nullptr);
}

Signals block_signals() {
  Signals signals{};
  const auto waited = waited_for();
  ::sigprocmask(SIG_BLOCK, &waited, &signals.before);
  return signals;
}

void unblock_signals(const Signals& signals) {
  auto still = signals.before;
  for (const int late : kHeededLate) ::sigaddset(&still, late);
  ::sigprocmask(SIG_SETMASK, &still, nullptr);
}

void unblock_late_signals() {
  sigset_t late{};
  for (const int number : kHeededLate) ::sigaddset(&late, number);
  ::pthread_sigmask(SIG_UNBLOCK, &late, nullptr);
}

void run(pid_t worker, int socket, const Signals& signals) {
  ::prctl(PR_SET_NAME, "headroom-guard");
  // Nothing that was opened before may be kept open by us: sockets of a manager are the worker's.
  const int kept = ::fcntl(socket, F_DUPFD_CLOEXEC, kPredecessor + 1);
  ::close_range(3, static_cast<unsigned>(kept) - 1, 0);
  ::close_range(static_cast<unsigned>(kept) + 1, UINT_MAX, 0);
  Guard(worker, kept, signals).run();
}

}  // namespace headroom::target::guard
