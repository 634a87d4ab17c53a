#include "server/server.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string_view>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <sys/socket.h>

#include "base/listeners.h"
#include "base/log.h"
#include "control/watch_file.h"
#include "server/connection.h"
#include "server/listener.h"
#include "server/secrets.h"

namespace headroom::server {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kMostTcp = 256;
constexpr std::size_t kMostLocal = 64;
constexpr Millis kSayAgain = 10s;       // that it is full
constexpr Millis kAcceptAgain = 100ms;  // where there were no descriptors left

struct Ready {  // what the options say, checked
  std::optional<Address> address;
  Secrets secrets;
};

Result<Ready> check(const Options& options) {
  auto secrets = Secrets::load({options.token_file, options.certificate, options.key});
  if (!secrets) return fail(secrets.error());
  Ready ready{.address = std::nullopt, .secrets = std::move(*secrets)};
  if (options.address == "none") return ready;
  auto address = resolve(options.address);
  if (!address) return fail(address.error());
  if (address->family() == AF_UNIX) {
    return fail({Code::invalid,
                 fmt::format("{}: expected a TCP address, as 127.0.0.1:7780, or none; the Unix "
                             "socket is admin.sock beside the journal",
                             options.address),
                 {}});
  }
  if (!is_loopback(*address) && ready.secrets.token().empty()) {
    return fail({Code::invalid,
                 fmt::format("{}: others than this machine reach that address: say "
                             "--admin-token-file FILE (openssl rand -hex 32 > FILE makes one), or "
                             "listen on 127.0.0.1",
                             options.address),
                 {}});
  }
  ready.address = *address;
  return ready;
}

/// Takes connections from a socket that listens, at most so many at once.
class Acceptor {
 public:
  struct Settings {
    Door door;
    std::size_t most = 0;
    Tls* tls = nullptr;
  };
  Acceptor(asio::io_context& io, int fd, Settings settings, std::shared_ptr<Common> common)
      : io_(io), listener_(io, fd), again_(io), settings_(settings), common_(std::move(common)) {}
  ~Acceptor() { listener_.release(); }  // the descriptor is not ours

  void wait() {
    listener_.async_wait(asio::posix::stream_descriptor::wait_read,
                         [this](boost::system::error_code error) {
                           if (!error) take();
                         });
  }

 private:
  void take() {
    const int fd =
        ::accept4(listener_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
      again_.expires_after(kAcceptAgain);
      return again_.async_wait([this](boost::system::error_code error) {
        if (!error) wait();
      });
    }
    wait();  // first: what fails with one client is not to make the door deaf
    if (fd >= 0) admit(Fd(fd));
  }

  /// Whether one more fits in: the one that has been idle longest makes way for it, so that who
  /// asks for nothing keeps nobody out.
  bool make_room() {
    std::erase_if(open_, [](const auto& each) {
      const auto alive = each.lock();
      return !alive || alive->closed();
    });
    if (open_.size() < settings_.most) return true;
    std::shared_ptr<Connection> idlest;
    for (const auto& each : open_) {
      auto alive = each.lock();
      if (!alive || !alive->idle_since()) continue;
      if (!idlest || alive->idle_since() < idlest->idle_since()) idlest = std::move(alive);
    }
    say_full(idlest ? "the one that is idle longest is closed" : "a new one is closed");
    if (idlest) idlest->close();
    return idlest != nullptr;
  }

  void say_full(std::string_view what) {
    const auto now = std::chrono::steady_clock::now();
    if (full_said_ && now - *full_said_ < kSayAgain) return;
    full_said_ = now;
    log::warn("admin: {} connections are open, as many as there may be: {}", open_.size(), what);
  }

  void admit(Fd fd) {
    if (!make_room()) return;  // closed
    const int family = local_address(fd.get()).family();
    Socket socket(io_);
    boost::system::error_code error;
    socket.assign(asio::generic::stream_protocol(family, 0), fd.get(), error);
    if (error) return;
    static_cast<void>(fd.release());
    auto wire = settings_.tls != nullptr ? Wire::encrypted(std::move(socket), *settings_.tls)
                                         : Wire::plain(std::move(socket));
    const auto made = std::make_shared<Connection>(io_, std::move(wire), settings_.door, common_);
    open_.push_back(made);
    made->start();
  }

  asio::io_context& io_;
  asio::posix::stream_descriptor listener_;
  asio::steady_timer again_;
  const Settings settings_;
  const std::shared_ptr<Common> common_;
  std::vector<std::weak_ptr<Connection>> open_;
  std::optional<std::chrono::steady_clock::time_point> full_said_;
};

}  // namespace

struct Server::Impl {
  Impl(const Doors& doors, Api::Settings settings, Secrets loaded)
      : secrets(std::move(loaded)), api(io, doors, std::move(settings)) {}
  ~Impl() {
    io->stop();
    if (thread.joinable()) thread.join();
  }

  Result<void> open_local(const std::string& journal, Fd socket);
  Result<void> open_tcp(const Address& address, Fd socket);
  void watch(const Options& options);
  void reread();
  void answer() {
    asio::post(*io, [this] {
      for (const auto& acceptor : acceptors) acceptor->wait();
    });
  }
  void run() {
    for (;;) {
      try {
        io->run();
        return;
      } catch (const std::exception& e) {  // our own failure: that handler's client waits in vain
        log::error("admin: {}", e.what());
      }
    }
  }

  std::optional<Address> listening;
  std::optional<Fd> tcp;
  std::optional<LocalListener> local;
  Secrets secrets;
  // Connections live in what the io_context still has to do: all they use is above it or shared.
  std::shared_ptr<asio::io_context> io = std::make_shared<asio::io_context>(1);
  asio::executor_work_guard<asio::io_context::executor_type> work{io->get_executor()};
  Api api;
  std::shared_ptr<Common> common;
  std::optional<Hub> hub;
  std::vector<std::unique_ptr<Acceptor>> acceptors;
  std::vector<std::unique_ptr<control::FileWatch>> watches;
  std::thread thread;
};

Result<void> Server::Impl::open_local(const std::string& journal, Fd socket) {
  const auto parent = std::filesystem::path(journal).parent_path().string();
  const auto folder = parent.empty() ? "." : parent;
  auto opened =
      socket ? LocalListener::adopt(folder, std::move(socket)) : LocalListener::open(folder);
  if (!opened) return fail(opened.error());
  local.emplace(std::move(*opened));
  acceptors.push_back(std::make_unique<Acceptor>(
      *io, local->fd(), Acceptor::Settings{.door = {.local = true}, .most = kMostLocal}, common));
  log::info("admin: {}", local->path());
  return {};
}

Result<void> Server::Impl::open_tcp(const Address& address, Fd socket) {
  auto opened = socket ? Result<Fd>(std::move(socket)) : listen_on(address);
  if (!opened) return fail(opened.error());
  tcp.emplace(std::move(*opened));
  listening = local_address(tcp->get());
  acceptors.push_back(std::make_unique<Acceptor>(
      *io, tcp->get(),
      Acceptor::Settings{
          .door = {.loopback = is_loopback(address)}, .most = kMostTcp, .tls = secrets.tls()},
      common));
  log::info("admin: {}://{}", secrets.tls() != nullptr ? "https" : "http", to_string(*listening));
  if (secrets.tls() == nullptr && !is_loopback(address)) {
    log::warn(
        "admin: {}: the token crosses the network in the clear: say --admin-certificate and "
        "--admin-key, or listen on 127.0.0.1 behind a proxy",
        to_string(*listening));
  }
  return {};
}

void Server::Impl::watch(const Options& options) {
  for (const auto& file : {options.token_file, options.certificate, options.key}) {
    if (file.empty()) continue;
    watches.push_back(std::make_unique<control::FileWatch>(*io, file, [this] { reread(); }));
  }
}

void Server::Impl::reread() {
  if (!secrets.reread().token) return;
  api.set_token(secrets.token());
  hub->token_changed();
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

void Server::answer() { impl_->answer(); }

void Server::reread() {
  asio::post(*impl_->io, [impl = impl_.get()] { impl->reread(); });
}

const std::optional<Address>& Server::listening() const { return impl_->listening; }

Server::Sockets Server::sockets() const {
  return {impl_->local ? impl_->local->socket().duplicate() : Fd(),
          impl_->tcp ? impl_->tcp->duplicate() : Fd()};
}

void Server::let_go() {
  if (impl_->local) impl_->local->let_go();
}

Result<std::unique_ptr<Server>> Server::start(const Options& options, const Doors& doors,
                                              Sockets sockets) {
  try {
    return open(options, doors, std::move(sockets));
  } catch (const std::exception& e) {  // Asio's: no descriptor or thread is left
    return fail({Code::unavailable, fmt::format("the admin server: {}", e.what()), {}});
  }
}

Result<std::unique_ptr<Server>> Server::open(const Options& options, const Doors& doors,
                                             Sockets sockets) {
  auto ready = check(options);
  if (!ready) return fail(ready.error());
  Api::Settings settings{options.version, Guard(ready->secrets.token(), options.hosts)};
  auto impl = std::make_unique<Impl>(doors, std::move(settings), std::move(ready->secrets));
  impl->hub.emplace(*impl->io, impl->api);
  impl->common = std::make_shared<Common>(Common{impl->api, *impl->hub});
  // A door that is taken may be one to do without.
  const auto opened = [&options](const Result<void>& door) -> Result<void> {
    if (door || options.required || door.error().code != Code::conflict) return door;
    log::warn("admin: {}; going on without", to_string(door.error()));
    return {};
  };
  if (auto local = opened(impl->open_local(doors.journal, std::move(sockets.local))); !local) {
    return fail(local.error());
  }
  if (ready->address) {
    if (auto tcp = opened(impl->open_tcp(*ready->address, std::move(sockets.tcp))); !tcp)
      return fail(tcp.error());
  }
  impl->watch(options);
  impl->thread = std::thread([to_run = impl.get()] { to_run->run(); });
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

}  // namespace headroom::server
