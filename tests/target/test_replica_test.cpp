#include "target/test_replica.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/time.h"
#include "target/world.h"

namespace headroom::target::test {
namespace {

using std::chrono::steady_clock;

struct Settings {
  std::map<std::string, std::string> values;
  int number(const std::string& name) const {
    const auto found = values.find(name);
    return found == values.end() ? 0 : std::atoi(found->second.c_str());
  }
};

struct Server {
  steady_clock::time_point up = steady_clock::now();
  int ready_after = 0;
  bool failing = false, hanging = false;
};

std::string start_child(bool daemon) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::close_range(3, ~0U, 0);
    if (daemon) ::setsid();
    ::signal(SIGTERM, SIG_IGN);
    for (;;) ::pause();
  }
  return std::to_string(child);
}

/// CPU time, not time: the machine may be busy.
void burn(std::chrono::milliseconds time) {
  volatile std::uint64_t sum = 0;
  const auto end = std::clock() + time.count() * CLOCKS_PER_SEC / 1000;
  while (std::clock() < end) sum = sum + 1;
}

/// The status and the body.
std::pair<int, std::string> answer(Server& server, const std::string& path) {
  if (path == "/readyz") {
    const auto age = steady_clock::now() - server.up;
    const bool ready = !server.failing && age >= std::chrono::milliseconds(server.ready_after);
    return {ready ? 200 : 503, ready ? "ready" : "not ready"};
  }
  if (path == "/fail") server.failing = true;
  if (path == "/ok") server.failing = server.hanging = false;
  if (path == "/hang") server.hanging = true;
  if (path == "/burn") burn(200ms);
  if (path == "/die") {
    std::fputs("about to die\n", stderr);
    ::_exit(3);
  }
  if (path == "/fork") return {200, start_child(false)};
  if (path == "/daemon") return {200, start_child(true)};
  return {200, "ok"};
}

void handle(Server& server, int connection) {
  char buffer[4096];
  std::string request;
  while (request.find("\r\n\r\n") == std::string::npos) {
    const auto got = ::read(connection, buffer, sizeof buffer);
    if (got <= 0) break;
    request.append(buffer, static_cast<std::size_t>(got));
  }
  if (!request.starts_with("GET ")) {  // only looked whether we listen
    ::close(connection);
    return;
  }
  const auto path = request.substr(4, request.find(' ', 4) - 4);
  if (server.hanging && path == "/readyz") return;  // never answered: it stays open
  const auto [status, body] = answer(server, path);
  const auto text = "HTTP/1.1 " + std::to_string(status) +
                    " X\r\nContent-Length: " + std::to_string(body.size()) +
                    "\r\nConnection: close\r\n\r\n" + body;
  (void)!::write(connection, text.data(), text.size());
  ::close(connection);
}

}  // namespace

int serve(int argc, char** argv) {
  Settings settings;
  for (int n = 3; n < argc; ++n) {
    const std::string text = argv[n];
    settings.values[text.substr(0, text.find('='))] = text.substr(text.find('=') + 1);
  }
  if (settings.values["term"] == "ignore") ::signal(SIGTERM, SIG_IGN);
  ::signal(SIGPIPE, SIG_IGN);
  ::usleep(static_cast<useconds_t>(settings.number("delay")) * 1000);
  const std::string where = argv[2];
  const auto address =
      where.starts_with('/') ? resolve("unix:" + where) : resolve("127.0.0.1:" + where);
  if (!address) return 2;
  const int listener = ::socket(address->family(), SOCK_STREAM, 0);
  if (::bind(listener, address->get(), address->length) != 0 || ::listen(listener, 64) != 0) {
    std::perror("listen");
    return 2;
  }
  Server server;
  server.ready_after = settings.number("ready");
  const int exit_after = settings.number("exit");
  for (;;) {
    pollfd readable{listener, POLLIN, 0};
    if (::poll(&readable, 1, exit_after > 0 ? exit_after : -1) == 0) {
      std::puts("enough for today");
      return 7;
    }
    handle(server, ::accept(listener, nullptr, nullptr));
  }
}

int be_headroom(int, char** argv) {
  auto guardian = Guardian::start();
  if (!guardian) return 1;
  World world(*guardian, argv[2]);
  world.start(replica_spec(), 2);
  if (!world.run_until([&] { return world.count(Replica::State::ready) == 2; })) return 1;
  for (const auto& replica : world.process->replicas()) {
    std::printf("%d %s %s ", replica.pid, world.get(replica, "/fork").c_str(),
                world.get(replica, "/daemon").c_str());
  }
  std::printf("%d up\n", ::getpid());
  std::fflush(stdout);
  guardian->when_gone(world.io, [&world] {
    world.process.reset();
    ::_exit(1);
  });
  world.io.run_for(60s);
  return 0;
}

}  // namespace headroom::target::test

int main(int argc, char** argv) {
  using namespace headroom::target;
  const std::string role = argc > 2 ? argv[1] : "";
  if (role == "--replica") return test::serve(argc, argv);
  if (role == "--headroom") return test::be_headroom(argc, argv);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
