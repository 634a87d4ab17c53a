#include "base/message.h"

#include <array>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace headroom {
namespace {

std::array<Fd, 2> pair() {
  int ends[2] = {-1, -1};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  return {Fd(ends[0]), Fd(ends[1])};
}

TEST(Message, BringsTextAndDescriptors) {
  const auto [here, there] = pair();
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  const Fd read(pipe[0]), write(pipe[1]);
  ASSERT_TRUE(send_message(here.get(), "two of them", 1s, {read.get(), write.get()}));
  const auto got = receive_message(there.get(), 1s);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->text, "two of them");
  ASSERT_EQ(got->fds.size(), 2u);
  EXPECT_NE(::fcntl(got->fds[0].get(), F_GETFD) & FD_CLOEXEC, 0) << "no replica gets it";
  EXPECT_EQ(::write(got->fds[1].get(), "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(::read(read.get(), &byte, 1), 1);
  EXPECT_EQ(byte, 'x') << "the same pipe";
}

TEST(Message, ReadsAndWritesWithoutBlockingForEver) {
  const auto [here, there] = pair();
  EXPECT_FALSE(receive_message(there.get(), 10ms)) << "nothing came";
  const std::string large(kLongestMessage, 'x');
  int taken = 0;
  while (taken < 1000 && send_message(here.get(), large, 10ms)) ++taken;
  EXPECT_LT(taken, 1000) << "nobody reads";
  EXPECT_GT(taken, 0);
  EXPECT_EQ(receive_message(there.get(), 1s)->text.size(), kLongestMessage);
}

TEST(Message, SeesTheEnd) {
  auto [here, there] = pair();
  here.reset();
  EXPECT_FALSE(receive_message(there.get(), 10s)) << "at once";
  EXPECT_FALSE(send_message(there.get(), "to nobody", 10s));
}

TEST(Message, RefusesWhatTheOtherSideCouldNotRead) {
  const auto [here, there] = pair();
  EXPECT_FALSE(send_message(here.get(), std::string(kLongestMessage + 1, 'x'), 1s));
  EXPECT_FALSE(send_message(here.get(), "", 1s)) << "it would look like the end";
  EXPECT_FALSE(send_message(here.get(), "many", 1s, std::vector<int>(kMostDescriptors + 1, 0)));
  ASSERT_EQ(
      ::send(here.get(), std::string(kLongestMessage + 1, 'x').data(), kLongestMessage + 1, 0),
      static_cast<ssize_t>(kLongestMessage + 1));
  EXPECT_FALSE(receive_message(there.get(), 1s)) << "half a message is none";
}

}  // namespace
}  // namespace headroom
