#include "target/attempt.h"

#include <algorithm>
#include <array>

#include <boost/asio/connect.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>

#include "base/text.h"

namespace headroom::target {
namespace {

namespace asio = boost::asio;
using Stream = asio::generic::stream_protocol;
using boost::system::error_code;

/// What all kinds share: the time limit, and one answer. Handlers hold it by shared_ptr, so
/// that what the kernel still owes us finds it; `done` is dropped when the owner loses interest.
class Try : public std::enable_shared_from_this<Try> {
 public:
  Try(asio::io_context& io, const policy::Probe& probe, std::function<void(Outcome)> done)
      : io_(io), timer_(io), timeout_(probe.timeout), done_(std::move(done)) {}
  virtual ~Try() = default;
  Try(const Try&) = delete;
  Try& operator=(const Try&) = delete;

  void start() {
    timer_.expires_after(timeout_);
    timer_.async_wait([self = shared_from_this()](error_code error) {
      if (error) return;
      self->finish(
          {.why = fmt::format("{}: no answer within {}", self->name(), span_of(self->timeout_))});
      self->close();
    });
    begin();
  }
  void cancel() {
    done_ = nullptr;
    timer_.cancel();
    close();
  }

 protected:
  virtual void begin() = 0;
  virtual void close() = 0;
  virtual std::string name() const = 0;

  asio::io_context& io() { return io_; }
  void answer(Outcome outcome) {
    timer_.cancel();
    finish(std::move(outcome));
  }

 private:
  void finish(Outcome outcome) {
    if (const auto done = std::exchange(done_, nullptr)) done(std::move(outcome));
  }

  asio::io_context& io_;
  asio::steady_timer timer_;
  Millis timeout_;
  std::function<void(Outcome)> done_;
};

/// Connects to the replica's own address, or to a port or host that the probe names.
class ConnectTry : public Try {
 public:
  struct Aim {
    Address replica;
    std::string host;
    std::int32_t port = 0;
  };
  ConnectTry(asio::io_context& io, const policy::Probe& probe, Aim aim,
             std::function<void(Outcome)> done)
      : Try(io, probe, std::move(done)), aim_(std::move(aim)), socket_(io), resolver_(io) {}

 protected:
  void begin() override {
    if (aim_.port == 0) {
      return connect(Stream::endpoint(aim_.replica.get(), aim_.replica.length));
    }
    const auto host = aim_.host.empty() ? std::string("127.0.0.1") : aim_.host;
    error_code no_literal;
    const auto literal = asio::ip::make_address(host, no_literal);
    const auto port = static_cast<std::uint16_t>(aim_.port);
    if (!no_literal) return connect(asio::ip::tcp::endpoint(literal, port));
    resolver_.async_resolve(host, std::to_string(port),
                            [this, self = shared_from_this()](error_code error, auto found) {
                              if (error || found.empty()) return failed("does not resolve", error);
                              connect(found.begin()->endpoint());
                            });
  }
  void close() override {
    error_code ignored;
    socket_.close(ignored);
    resolver_.cancel();
  }
  std::string name() const override {
    if (aim_.port == 0) return "connect to " + to_string(aim_.replica);
    return fmt::format("connect to {}:{}", aim_.host.empty() ? "127.0.0.1" : aim_.host, aim_.port);
  }
  virtual void connected() {
    close();
    answer({.ok = true, .why = name()});
  }
  void failed(const char* what, error_code error) {
    close();
    answer({.refused = error == asio::error::connection_refused || error.value() == ENOENT,
            .why = fmt::format("{}: {}: {}", name(), what, error.message())});
  }
  const Aim& aim() const { return aim_; }
  Stream::socket& socket() { return socket_; }

 private:
  void connect(const Stream::endpoint& endpoint) {
    socket_.async_connect(endpoint, [this, self = shared_from_this()](error_code error) {
      if (error) return failed("no connection", error);
      connected();
    });
  }

  Aim aim_;
  Stream::socket socket_;
  asio::ip::tcp::resolver resolver_;
};

std::string request_for(const policy::HttpGet& get, const Address& replica) {
  std::string host = get.host;
  if (host.empty()) host = replica.family() == AF_UNIX ? "localhost" : to_string(replica);
  std::string lines;
  for (const auto& [name, value] : get.http_headers) {
    const bool is_host = name.size() == 4 && strncasecmp(name.c_str(), "host", 4) == 0;
    if (is_host)
      host = value;
    else
      lines += fmt::format("{}: {}\r\n", name, value);
  }
  return fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: headroom-probe\r\nAccept: */*\r\n{}"
      "Connection: close\r\n\r\n",
      get.path.starts_with('/') ? get.path : "/" + get.path, host, lines);
}

/// The status of "HTTP/1.1 200 OK"; 0 for anything else.
int status_of(std::string_view line) {
  if (!line.starts_with("HTTP/1.") || line.size() < 12 || line[8] != ' ') return 0;
  int status = 0;
  for (const char digit : line.substr(9, 3)) {
    if (digit < '0' || digit > '9') return 0;
    status = status * 10 + (digit - '0');
  }
  return status;
}

class HttpTry : public ConnectTry {
 public:
  HttpTry(asio::io_context& io, const policy::Probe& probe, Aim aim,
          std::function<void(Outcome)> done)
      : ConnectTry(io, probe, std::move(aim), std::move(done)),
        get_(*probe.http_get),
        request_(request_for(get_, this->aim().replica)) {}

 protected:
  std::string name() const override { return "GET " + printable(get_.path, 100); }

  void connected() override {
    asio::async_write(socket(), asio::buffer(request_),
                      [this, self = shared_from_this()](error_code error, std::size_t) {
                        if (error) return failed("request not taken", error);
                        read();
                      });
  }

 private:
  static constexpr std::size_t kMost = 64 << 10;

  void read() {
    socket().async_read_some(asio::buffer(buffer_),
                             [this, self = shared_from_this()](error_code error, std::size_t size) {
                               if (answered_) return rest(error, size);
                               if (error) return failed("no answer", error);
                               head_.append(buffer_.data(), size);
                               look();
                             });
  }

  void look() {
    const auto end = head_.find("\r\n");
    if (end == std::string::npos && head_.size() < 1024) return read();
    const int status = status_of(std::string_view(head_).substr(0, end));
    answered_ = true;
    if (status == 0) {
      close();
      return answer({.why = fmt::format("{}: found \"{}\", expected an HTTP/1 status line", name(),
                                        printable(head_, 80))});
    }
    // The answer is known, but we read the rest: a server whose answer is cut off by a closed
    // connection would log an error for each probe.
    read();
    answer(
        {.ok = status >= 200 && status < 400, .why = fmt::format("{}: status {}", name(), status)});
  }

  void rest(error_code error, std::size_t size) {
    taken_ += size;
    if (error || taken_ > kMost) return close();
    read();
  }

  policy::HttpGet get_;
  std::string request_, head_;
  std::array<char, 4096> buffer_{};
  std::size_t taken_ = 0;
  bool answered_ = false;
};

class ExecTry : public Try {
 public:
  ExecTry(asio::io_context& io, const policy::Probe& probe, const ProbeTarget& target,
          std::function<void(Outcome)> done)
      : Try(io, probe, std::move(done)),
        command_(target.command(probe.exec->command)),
        exited_(io) {}
  ~ExecTry() override {
    if (pid_ == 0) return;
    ::kill(-pid_, SIGKILL);
    take_status();
  }

 protected:
  std::string name() const override {
    return command_.argv.empty() ? "exec" : "exec " + printable(command_.argv.front(), 100);
  }

  void begin() override {
    auto child = spawn(command_, {.pipes = false});
    if (!child) {
      return asio::post(io(), [this, self = shared_from_this(), error = child.error()] {
        answer({.why = "exec: " + error.what});
      });
    }
    pid_ = child->pid;
    exited_.assign(child->pidfd.release());
    exited_.async_wait(asio::posix::stream_descriptor::wait_read,
                       [this, self = shared_from_this()](error_code error) {
                         if (!error) exited();
                       });
  }
  void close() override {
    if (pid_ != 0) ::kill(-pid_, SIGKILL);  // exited() follows, and reaps
  }

 private:
  void exited() {
    ::kill(-pid_, SIGKILL);  // what it left in its group
    const auto info = take_status();
    const bool ok = info.si_code == CLD_EXITED && info.si_status == 0;
    answer({.ok = ok,
            .why = fmt::format("{}: {} {}", name(),
                               info.si_code == CLD_EXITED ? "status" : "killed by signal",
                               info.si_status)});
  }
  siginfo_t take_status() {
    pollfd ended{exited_.native_handle(), POLLIN, 0};
    ::poll(&ended, 1, 1000);  // it was killed, or has ended
    return reap(std::exchange(pid_, 0));
  }

  Command command_;
  pid_t pid_ = 0;
  asio::posix::stream_descriptor exited_;
};

class Handle : public Attempt {
 public:
  explicit Handle(std::shared_ptr<Try> started) : try_(std::move(started)) { try_->start(); }
  ~Handle() override { try_->cancel(); }

 private:
  std::shared_ptr<Try> try_;
};

}  // namespace

std::unique_ptr<Attempt> attempt(asio::io_context& io, const policy::Probe& probe,
                                 const ProbeTarget& target, std::function<void(Outcome)> done) {
  std::shared_ptr<Try> made;
  if (probe.exec) {
    made = std::make_shared<ExecTry>(io, probe, target, std::move(done));
  } else if (probe.http_get) {
    const auto& get = *probe.http_get;
    made = std::make_shared<HttpTry>(io, probe, ConnectTry::Aim{target.replica, get.host, get.port},
                                     std::move(done));
  } else {
    const auto port = probe.tcp_socket ? probe.tcp_socket->port : 0;
    made = std::make_shared<ConnectTry>(io, probe, ConnectTry::Aim{target.replica, "", port},
                                        std::move(done));
  }
  return std::make_unique<Handle>(std::move(made));
}

}  // namespace headroom::target
