#include "base/listeners.h"

#include <cstdlib>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace headroom {
namespace {

Fd listening() {
  Fd socket(::socket(AF_INET, SOCK_STREAM, 0));
  const auto address = loopback(0);
  EXPECT_EQ(::bind(socket.get(), address.get(), address.length), 0);
  EXPECT_EQ(::listen(socket.get(), 8), 0);
  return socket;
}

TEST(Listeners, AreTakenByTheAddressThatTheyAreBoundTo) {
  Listeners listeners;
  auto first = listening(), second = listening();
  const auto address = local_address(second.get());
  const auto other = local_address(first.get());
  listeners.add(std::move(first));
  listeners.add(std::move(second));
  const auto taken = listeners.take(address);
  ASSERT_TRUE(taken);
  EXPECT_EQ(local_address(taken.get()), address);
  EXPECT_NE(::fcntl(taken.get(), F_GETFL) & O_NONBLOCK, 0) << "a manager's sockets block";
  EXPECT_NE(::fcntl(taken.get(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_FALSE(listeners.take(address)) << "it is taken once";
  EXPECT_EQ(listeners.left(), std::vector{to_string(other)});
  for (const int time : {1, 2}) {
    const auto lent = listeners.lend(other);
    ASSERT_TRUE(lent) << time;
    EXPECT_EQ(local_address(lent.get()), other);
    EXPECT_NE(::fcntl(lent.get(), F_GETFD) & FD_CLOEXEC, 0);
  }
  EXPECT_TRUE(listeners.left().empty());
  EXPECT_FALSE(listeners.take(other)) << "it is a service's";
  EXPECT_FALSE(listeners.lend(address)) << "it was taken for good";
  ASSERT_EQ(listeners.hand_over().size(), 1u);
  EXPECT_EQ(local_address(listeners.hand_over()[0].get()), other);
}

/// The descriptors of sd_listen_fds(3) begin at 3, which in a test is somebody's: a process of its
/// own can have it.
int left_after(const char* pid, const char* count, bool socket) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(socket ? listening().release() : ::open("/dev/null", O_RDONLY), 3);
    ::setenv("LISTEN_PID", pid == nullptr ? std::to_string(::getpid()).c_str() : pid, 1);
    ::setenv("LISTEN_FDS", count, 1);
    const auto found = Listeners::from_environment();
    ::_exit(std::getenv("LISTEN_FDS") != nullptr ? 99 : static_cast<int>(found.left().size()));
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Listeners, OfAServiceManager) {
  EXPECT_EQ(left_after(nullptr, "1", true), 1);
  EXPECT_EQ(left_after("1", "1", true), 0) << "another process was meant";
  EXPECT_EQ(left_after(nullptr, "0", true), 0);
  EXPECT_EQ(left_after(nullptr, "-1", true), 0);
  EXPECT_EQ(left_after(nullptr, "99999999999999999999", true), 0);
  EXPECT_EQ(left_after(nullptr, "x", true), 0);
  EXPECT_EQ(left_after(nullptr, "1", false), 0) << "no socket that listens";
}

}  // namespace
}  // namespace headroom
