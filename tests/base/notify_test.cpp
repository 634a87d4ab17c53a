#include "base/notify.h"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "support/temporary.h"

namespace headroom {
namespace {

/// The service manager's end.
class Manager {
 public:
  explicit Manager(const std::string& name) : socket_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path, sizeof address.sun_path - 1);
    if (name[0] == '@') address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), length), 0);
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  std::string hears() const {
    char text[256];
    const auto got = ::recv(socket_.get(), text, sizeof text, MSG_DONTWAIT);
    return {text, static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
  }

 private:
  Fd socket_;
};

TEST(Notify, TellsTheServiceManager) {
  const TemporaryFolder folder;
  for (const auto& name :
       {folder / "notify", std::string("@headroom-notify-test-") + std::to_string(::getpid())}) {
    SCOPED_TRACE(name);
    const Manager manager(name);
    Notify notify;
    EXPECT_EQ(std::getenv("NOTIFY_SOCKET"), nullptr) << "not for the replicas";
    notify.ready();
    EXPECT_EQ(manager.hears(), "READY=1");
    notify.status("2 services");
    EXPECT_EQ(manager.hears(), "STATUS=2 services");
    notify.status("2 services");
    EXPECT_EQ(manager.hears(), "") << "it has heard that";
    notify.reloading();
    EXPECT_THAT(manager.hears(), testing::MatchesRegex("RELOADING=1\nMONOTONIC_USEC=[0-9]+"));
    notify.alive();
    EXPECT_EQ(manager.hears(), "WATCHDOG=1");
    notify.stopping(70s);
    EXPECT_EQ(manager.hears(), "STOPPING=1\nEXTEND_TIMEOUT_USEC=70000000");
  }
}

TEST(Notify, ThroughTheGuardianThatTheManagerKnows) {
  const TemporaryFolder folder;
  const Manager manager(folder / "notify");
  ::setenv("WATCHDOG_USEC", "10000000", 1);
  ::setenv("WATCHDOG_PID", std::to_string(::getppid()).c_str(), 1);
  std::string passed_on;
  const Notify notify([&](const std::string& what) { passed_on = what; });
  notify.ready();
  EXPECT_EQ(manager.hears(), "") << "from us it would not be heard";
  EXPECT_EQ(passed_on, "READY=1");
  EXPECT_EQ(notify.watchdog(), 5s) << "it watches the guardian, for which we answer";
}

TEST(Notify, NobodyListens) {
  ::setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1);
  Notify().ready();
  ::setenv("NOTIFY_SOCKET", std::string(200, 'x').c_str(), 1);
  Notify().ready();
  Notify().ready();
}

TEST(Notify, Watchdog) {
  struct Case {
    const char* why;
    std::string micros, pid;
    std::optional<Millis> every;
  };
  const Case cases[] = {
      {"nobody watches", "", "", std::nullopt},
      {"half of it", "30000000", "", 15s},
      {"of this process", "30000000", std::to_string(::getpid()), 15s},
      {"of another process", "30000000", "1", std::nullopt},
      {"no number", "often", "", std::nullopt},
  };
  for (const auto& [why, micros, pid, every] : cases) {
    SCOPED_TRACE(why);
    if (!micros.empty()) ::setenv("WATCHDOG_USEC", micros.c_str(), 1);
    if (!pid.empty()) ::setenv("WATCHDOG_PID", pid.c_str(), 1);
    EXPECT_EQ(Notify().watchdog(), every);
    EXPECT_EQ(std::getenv("WATCHDOG_USEC"), nullptr);
  }
}

}  // namespace
}  // namespace headroom
