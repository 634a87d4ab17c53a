#include "target/spawn.h"

#include <cerrno>
#include <climits>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"

namespace headroom::target {
namespace {

enum class Step : int { group, death_signal, directory, descriptors, program };

struct Failure {
  Step step = Step::program;
  int error = 0;
};

/// All that the child needs, made before it exists: between clone and exec it may neither
/// allocate nor lock.
struct Plan {
  const char* path;
  char* const* argv;
  char* const* envp;
  const char* directory;  // null: ours
  int in, out, err, status;
  int cgroup_procs;  // -1, or where to write "0"
  pid_t parent;
};

// The child shares our memory until it runs its program, so nothing in it may be instrumented,
// and it makes its system calls raw: the sanitizers' wrappers keep books in that memory.
#define HEADROOM_IN_CHILD __attribute__((noinline, no_sanitize("address", "thread", "undefined")))

constexpr unsigned long kSignalSetBytes = 8;

[[noreturn]] HEADROOM_IN_CHILD void give_up(int status, Step step) {
  const Failure failure{step, errno};
  ::syscall(SYS_write, status, &failure, sizeof failure);
  for (;;) ::syscall(SYS_exit_group, 127);
}

HEADROOM_IN_CHILD void default_signals() {
  const unsigned long action[4] = {};  // the kernel's struct sigaction: SIG_DFL, no flags
  for (int signal = 1; signal <= 64; ++signal) {
    ::syscall(SYS_rt_sigaction, signal, action, nullptr, kSignalSetBytes);
  }
}

[[noreturn]] HEADROOM_IN_CHILD void run_child(const Plan& plan) {
  if (::syscall(SYS_setpgid, 0, 0) != 0) give_up(plan.status, Step::group);
  if (::syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) {
    give_up(plan.status, Step::death_signal);
  }
  // Our parent may have died before the line above: then no signal will come.
  if (::syscall(SYS_getppid) != plan.parent) ::syscall(SYS_exit_group, 127);
  default_signals();
  // A cgroup is metering, not a condition: without it /proc is read.
  if (plan.cgroup_procs >= 0) ::syscall(SYS_write, plan.cgroup_procs, "0", 1);
  if (plan.directory != nullptr && ::syscall(SYS_chdir, plan.directory) != 0) {
    give_up(plan.status, Step::directory);
  }
  constexpr int kStatus = 3;
  if (::syscall(SYS_dup3, plan.in, 0, 0) < 0 || ::syscall(SYS_dup3, plan.out, 1, 0) < 0 ||
      ::syscall(SYS_dup3, plan.err, 2, 0) < 0 ||
      (plan.status != kStatus && ::syscall(SYS_dup3, plan.status, kStatus, O_CLOEXEC) < 0) ||
      ::syscall(SYS_close_range, kStatus + 1, UINT_MAX, 0) != 0) {
    give_up(plan.status, Step::descriptors);
  }
  const unsigned long none = 0;
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, kSignalSetBytes);
  ::syscall(SYS_execve, plan.path, plan.argv, plan.envp);
  give_up(kStatus, Step::program);
}

/// clone3 as vfork: the child borrows our memory and stack and we wait until it has its own.
/// Copying the page tables instead would stall every thread of a large Headroom for
/// milliseconds at each start. The child must not return from this frame, hence no wrapper.
HEADROOM_IN_CHILD long clone_child(clone_args& args, const Plan& plan) {
#if defined(__x86_64__)
  long result = SYS_clone3;
  asm volatile("syscall"
               : "+a"(result)
               : "D"(&args), "S"(sizeof args)
               : "rcx", "r11", "memory", "cc");
#elif defined(__aarch64__)
  register long number asm("x8") = SYS_clone3;
  register long result asm("x0") = reinterpret_cast<long>(&args);
  register long size asm("x1") = sizeof args;
  asm volatile("svc #0" : "+r"(result) : "r"(number), "r"(size) : "memory", "cc");
#else
  args.flags &= ~static_cast<__u64>(CLONE_VM);  // on a copied stack the usual wrapper will do
  long result = ::syscall(SYS_clone3, &args, sizeof args);
  if (result < 0) result = -errno;
#endif
  if (result == 0) run_child(plan);
  return result;
}

/// Where clone3 is filtered away (older container runtimes): fork and pidfd_open.
long fork_child(Plan plan, int cgroup, int& pidfd) {
  const Fd procs(cgroup < 0 ? -1 : ::openat(cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC));
  plan.cgroup_procs = procs.get();
  const auto pid =
      plan.parent == ::getpid()
          ? ::fork()
          : static_cast<pid_t>(::syscall(SYS_clone, CLONE_PARENT | SIGCHLD, nullptr, 0, 0, 0));
  if (pid == 0) run_child(plan);
  if (pid < 0) return -errno;
  pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  return pid;
}

struct Cloned {
  long pid = 0;  // negative: an error number
  int pidfd = -1;
  bool in_cgroup = false;
};

Cloned clone_or_fork(const Plan& plan, int cgroup) {
  Cloned cloned;
  clone_args args{};
  args.flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD;
  args.pidfd = reinterpret_cast<__u64>(&cloned.pidfd);
  if (plan.parent == ::getpid()) {
    args.exit_signal = SIGCHLD;
  } else {
    args.flags |= CLONE_PARENT;  // with the exit signal that we have ourselves
  }
  if (cgroup >= 0) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<__u64>(cgroup);
  }
  cloned.pid = clone_child(args, plan);
  cloned.in_cgroup = cgroup >= 0;
  if (cloned.pid < 0 && cloned.pid != -ENOSYS && cgroup >= 0) {
    args.flags &= ~static_cast<__u64>(CLONE_INTO_CGROUP);
    args.cgroup = 0;
    cloned.in_cgroup = false;
    cloned.pid = clone_child(args, plan);
  }
  if (cloned.pid == -ENOSYS) cloned.pid = fork_child(plan, cgroup, cloned.pidfd);
  return cloned;
}

/// Keeps the three standard numbers free where we were started without them.
Fd above_standard(int fd) {
  if (fd < 0 || fd > 2) return Fd(fd);
  const Fd low(fd);
  return Fd(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
}

struct Pipe {
  Fd read, write;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return fail({Code::unavailable, fmt::format("no pipe: {}", std::strerror(errno))});
  }
  return Pipe{above_standard(ends[0]), above_standard(ends[1])};
}

std::string_view value_of(const std::vector<std::string>& env, std::string_view name) {
  for (const auto& entry : env) {
    if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=') {
      return std::string_view(entry).substr(name.size() + 1);
    }
  }
  return {};
}

bool is_program(const std::string& path, const std::string& directory) {
  const std::string at = path.starts_with('/') || directory.empty() ? path : directory + "/" + path;
  struct stat info {};
  return ::stat(at.c_str(), &info) == 0 && S_ISREG(info.st_mode) && ::access(at.c_str(), X_OK) == 0;
}

/// The file to run: as written where it has a slash, else the first in PATH.
Result<std::string> find_program(const Command& command) {
  const auto& name = command.argv.front();
  if (name.find('/') != std::string::npos) return name;
  auto path = value_of(command.env, "PATH");
  if (path.empty()) path = "/usr/local/bin:/usr/bin:/bin";
  for (auto rest = path; !name.empty();) {
    const auto colon = rest.find(':');
    const std::string directory(rest.substr(0, colon));
    auto candidate = (directory.empty() ? "." : directory) + "/" + name;
    if (is_program(candidate, command.working_directory)) return candidate;
    if (colon == std::string_view::npos) break;
    rest.remove_prefix(colon + 1);
  }
  return fail({Code::unavailable, fmt::format("command \"{}\" not found (looked in PATH {})",
                                              printable(name), printable(path, 1000))});
}

Error explain(const Failure& failure, const Command& command, const std::string& path) {
  const auto why = std::strerror(failure.error);
  const auto name = printable(command.argv.front());
  std::string what;
  if (failure.step == Step::directory) {
    what = fmt::format("workingDirectory \"{}\": {}", printable(command.working_directory), why);
  } else if (failure.step != Step::program) {
    what = fmt::format("command \"{}\" could not be prepared: {}", name, why);
  } else if (failure.error == ENOENT && is_program(path, command.working_directory)) {
    what = fmt::format("command \"{}\": the interpreter in its first line does not exist", name);
  } else if (failure.error == ENOENT && command.working_directory.empty()) {
    what = fmt::format("command \"{}\" not found", name);
  } else if (failure.error == ENOENT) {
    what = fmt::format("command \"{}\" not found from workingDirectory \"{}\"", name,
                       printable(command.working_directory));
  } else if (failure.error == ENOEXEC) {
    what = fmt::format(
        "command \"{}\" is no program; a script needs a first line such as "
        "#!/bin/sh",
        name);
  } else {
    what = fmt::format("command \"{}\": {}", name, why);
  }
  return {Code::unavailable, std::move(what)};
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> all;
  all.reserve(strings.size() + 1);
  for (const auto& string : strings) all.push_back(const_cast<char*>(string.c_str()));
  all.push_back(nullptr);
  return all;
}

struct Streams {
  Fd null;
  Pipe out, err, status;
};

Result<Streams> open_streams(bool pipes) {
  Streams streams;
  streams.null = above_standard(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!streams.null) {
    return fail({Code::unavailable, fmt::format("/dev/null: {}", std::strerror(errno))});
  }
  auto status = make_pipe();
  if (!status) return fail(status.error());
  streams.status = std::move(*status);
  for (auto* pipe : {&streams.out, &streams.err}) {
    if (!pipes) break;
    auto made = make_pipe();
    if (!made) return fail(made.error());
    *pipe = std::move(*made);
    ::fcntl(pipe->read.get(), F_SETFL, O_NONBLOCK);
  }
  return streams;
}

/// What the child wrote before it gave up; nothing where its program runs.
bool read_failure(int status, Failure& failure) {
  ssize_t got = 0;
  do {
    got = ::read(status, &failure, sizeof failure);
  } while (got < 0 && errno == EINTR);
  return got == static_cast<ssize_t>(sizeof failure);
}

}  // namespace

Result<Child> spawn(const Command& command, SpawnOptions options) {
  if (command.argv.empty()) return fail({Code::invalid, "the command is empty"});
  const auto path = find_program(command);
  if (!path) return fail(path.error());
  auto streams = open_streams(options.pipes);
  if (!streams) return fail(streams.error());

  const auto argv = pointers(command.argv);
  const auto envp = pointers(command.env);
  const int null = streams->null.get();
  const Plan plan{path->c_str(),
                  argv.data(),
                  envp.data(),
                  command.working_directory.empty() ? nullptr : command.working_directory.c_str(),
                  null,
                  options.pipes ? streams->out.write.get() : null,
                  options.pipes ? streams->err.write.get() : null,
                  streams->status.write.get(),
                  -1,
                  options.parent == 0 ? ::getpid() : options.parent};

  // No handler of ours may run in the child, which shares our memory.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const Cloned cloned = clone_or_fork(plan, options.cgroup);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (cloned.pid < 0) {
    return fail({Code::unavailable,
                 fmt::format("no new process: {}", std::strerror(static_cast<int>(-cloned.pid)))});
  }

  Child child{static_cast<pid_t>(cloned.pid), Fd(cloned.pidfd), std::move(streams->out.read),
              std::move(streams->err.read), cloned.in_cgroup};
  streams->status.write.reset();
  Failure failure;
  if (!read_failure(streams->status.read.get(), failure)) return child;
  // With clone it has ended; with fork it may need a moment.
  pollfd ended{child.pidfd.get(), POLLIN, 0};
  ::poll(&ended, 1, 1000);
  reap(child.pid);
  return fail(explain(failure, command, *path));
}

siginfo_t reap(pid_t pid) {
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG);
  return info;
}

}  // namespace headroom::target
