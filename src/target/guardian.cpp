#include "target/guardian.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/message.h"
#include "target/guard.h"
#include "target/proc.h"

namespace headroom::target {
namespace {

Error no_guardian(const char* what) {
  return {Code::unavailable, fmt::format("guardian: {}: {}", what, std::strerror(errno)), {}};
}

/// Where the guardian is stopped or hangs, we wait this long for it and no longer.
constexpr Millis kPatience = 5s;

void send_to(int guardian, const std::string& message) {
  if (send_message(guardian, message, kPatience)) return;
  static bool said = false;
  if (!std::exchange(said, true)) {
    log::warn(
        "the guardian does not answer ({}): should Headroom be killed, children of its "
        "replicas may be left behind",
        std::strerror(errno));
  }
}

}  // namespace

Result<Guardian> Guardian::start() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return fail(no_guardian("socketpair"));
  }
  Fd ours(ends[0]), its(ends[1]);
  run_token();  // made now, so that both have the same
  const pid_t guardian = ::getpid();
  const guard::Signals signals = guard::block_signals();
  const pid_t worker = ::fork();
  if (worker < 0) {
    const auto error = no_guardian("fork");
    guard::unblock_signals(signals);
    return fail(error);
  }
  if (worker > 0) guard::run(worker, its.get(), signals);
  guard::unblock_signals(signals);
  return Guardian(std::move(ours), guardian);
}

std::optional<Guardian> Guardian::inherited() {
  const char* const found = std::getenv(guard::kVariable);
  if (found == nullptr) return std::nullopt;
  std::istringstream fields(found);
  std::string token;
  fields >> token;
  ::unsetenv(guard::kVariable);
  // Not so: somebody's environment says it, and nobody gave us the sockets.
  for (const int fd : {guard::kSocket, guard::kPredecessor}) {
    if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) return std::nullopt;
  }
  continue_run(token);
  Guardian guardian(Fd(guard::kSocket), ::getppid());
  guardian.predecessor_ = Fd(guard::kPredecessor);
  return guardian;
}

void Guardian::watch(pid_t group, const std::string& cgroup, const std::string& socket) {
  const auto leader = see_process(group);
  send_to(socket_.get(),
          fmt::format("watch {} {}\n{}\n{}", group, leader ? leader->started : 0, socket, cgroup));
}

void Guardian::forget(pid_t group) { send_to(socket_.get(), fmt::format("forget {}", group)); }

siginfo_t Guardian::reap(pid_t pid) {
  send_to(socket_.get(), fmt::format("reap {}", pid));
  siginfo_t info{};
  // An answer that came too late for an earlier call is passed over.
  for (auto answer = receive_message(socket_.get(), kPatience); answer;
       answer = receive_message(socket_.get(), kPatience)) {
    std::istringstream fields(answer->text);
    std::string verb;
    fields >> verb >> info.si_pid >> info.si_code >> info.si_status;
    if (verb == "reaped" && info.si_pid == pid) return info.si_code == 0 ? siginfo_t{} : info;
  }
  return {};
}

void Guardian::tell_manager(const std::string& what) { send_to(socket_.get(), "notify\n" + what); }

Result<Fd> Guardian::start_successor() {
  send_to(socket_.get(), "successor");
  while (auto answer = receive_message(socket_.get(), kPatience)) {
    if (answer->text == "started" && answer->fds.size() == 1) return std::move(answer->fds[0]);
    constexpr std::string_view kRefused = "refused ";
    if (answer->text.starts_with(kRefused)) {
      auto why = answer->text.substr(kRefused.size());
      const bool under_way = why.starts_with(guard::kUnderWay);
      return fail({under_way ? Code::conflict : Code::unavailable, std::move(why), {}});
    }
  }
  return fail({Code::unavailable, "the guardian does not answer", {}});
}

/// Nothing comes of itself: what is there to read is the end, or an answer that nobody waits for.
bool Guardian::gone() const {
  char byte = 0;
  return ::recv(socket_.get(), &byte, 1, MSG_DONTWAIT) == 0;
}

void Guardian::when_gone(boost::asio::io_context& io, std::function<void()> what) {
  if (!end_) {
    end_ =
        std::make_shared<boost::asio::posix::stream_descriptor>(io, socket_.duplicate().release());
  }
  end_->async_wait(boost::asio::posix::stream_descriptor::wait_read,
                   [this, &io, what = std::move(what)](boost::system::error_code error) {
                     if (error) return;
                     if (gone()) return what();
                     when_gone(io, what);  // an answer that came too late
                   });
}

void Guardian::abandon_successor() { send_to(socket_.get(), "abandon"); }

void Guardian::take_over() { send_to(socket_.get(), "took over"); }

}  // namespace headroom::target
