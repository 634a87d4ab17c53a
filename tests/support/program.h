#pragma once

#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"

extern char** environ;

namespace headroom {

/// A program under test: started with arguments and more environment, its output collected.
class Program {
 public:
  Program(std::vector<std::string> arguments, const std::vector<std::string>& environment = {}) {
    int out[2], err[2];
    if (::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0) std::abort();
    out_.reset(out[0]);
    err_.reset(err[0]);
    const Fd out_write(out[1]), err_write(err[1]);
    std::vector<char*> argv, envp;
    for (auto& each : arguments) argv.push_back(each.data());
    argv.push_back(nullptr);
    std::vector<std::string> variables = environment;
    for (auto& each : variables) envp.push_back(each.data());
    for (char** each = environ; *each != nullptr; ++each) envp.push_back(*each);
    envp.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, out_write.get(), 1);
    ::posix_spawn_file_actions_adddup2(&actions, err_write.get(), 2);
    if (::posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), envp.data()) != 0) pid_ = -1;
    ::posix_spawn_file_actions_destroy(&actions);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() {
    if (pid_ > 0 && !ended_) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }

  pid_t pid() const { return pid_; }
  void signal(int number) const { ::kill(pid_, number); }
  const std::string& out() const { return out_text_; }
  const std::string& err() const { return err_text_; }

  /// Until stderr has `text` (from `from` on), at most 30 s. Where it ends; npos: it never came.
  std::size_t wait_for(const std::string& text, std::size_t from = 0) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (std::chrono::steady_clock::now() < until) {
      const auto at = err_text_.find(text, from);
      if (at != std::string::npos) return at + text.size();
      if (!read(100)) break;
    }
    const auto at = err_text_.find(text, from);
    return at == std::string::npos ? at : at + text.size();
  }

  /// Until it ends: its exit code, or 128 + the signal it died of, as a shell has it.
  int wait() {
    while (read(1000)) {
    }
    int status = 0;
    ::waitpid(pid_, &status, 0);
    ended_ = true;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  /// False once both ends are closed.
  bool read(int timeout_millis) {
    pollfd fds[2] = {{out_.get(), POLLIN, 0}, {err_.get(), POLLIN, 0}};
    if (::poll(fds, 2, timeout_millis) < 0) return false;
    take(out_, fds[0].revents, out_text_);
    take(err_, fds[1].revents, err_text_);
    return out_ || err_;
  }
  static void take(Fd& fd, short events, std::string& to) {
    if (!fd || events == 0) return;
    char buffer[4096];
    const auto got = ::read(fd.get(), buffer, sizeof buffer);
    if (got <= 0) return fd.reset();
    to.append(buffer, static_cast<std::size_t>(got));
  }

  pid_t pid_ = -1;
  bool ended_ = false;
  Fd out_, err_;
  std::string out_text_, err_text_;
};

}  // namespace headroom
