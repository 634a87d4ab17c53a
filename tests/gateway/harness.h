#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "gateway/gateway.h"

/// Real sockets around a real gateway: replicas that do what a test scripts, and a client that
/// sends bytes and reads answers.
namespace headroom::gateway::testing {

inline const std::string kGet = "GET / HTTP/1.1\r\nHost: t\r\n\r\n";

/// A blocking socket with a time limit on each read, so that a test fails rather than hangs.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd) : fd_(fd) {
    const timeval limit{10, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  static Socket connect(const Address& address, int receive_buffer = 0) {
    Socket socket(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (receive_buffer > 0) {
      ::setsockopt(socket.fd(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    if (::connect(socket.fd(), address.get(), address.length) != 0) socket.fd_.reset();
    return socket;
  }

  int fd() const { return fd_.get(); }
  bool open() const { return static_cast<bool>(fd_); }
  void close() { fd_.reset(); }
  /// Closing it will send RST instead of FIN.
  void will_reset() const {
    const linger now{1, 0};
    ::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  void end_of_sending() const { ::shutdown(fd(), SHUT_WR); }

  bool send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const auto sent = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  /// More bytes into the buffer; false at the end or after the time limit.
  bool receive() {
    char bytes[64 << 10];
    const auto got = ::recv(fd(), bytes, sizeof bytes, 0);
    if (got > 0) {
      buffer_.append(bytes, static_cast<std::size_t>(got));
      heard_.append(bytes, static_cast<std::size_t>(got));
    }
    return got > 0;
  }
  /// Whether the peer has ended the connection (and sent nothing more).
  bool at_end() {
    errno = 0;
    return buffer_.empty() && !receive() && errno != EAGAIN;
  }
  /// All that was ever received, as it came.
  const std::string& heard() const { return heard_; }
  std::string until(std::string_view mark) {
    for (;;) {
      const auto at = buffer_.find(mark);
      if (at != buffer_.npos) return take(at + mark.size());
      if (!receive()) return take(buffer_.size());
    }
  }
  std::string exactly(std::size_t size) {
    while (buffer_.size() < size && receive()) {
    }
    return take(std::min(size, buffer_.size()));
  }
  std::string rest() {
    while (receive()) {
    }
    return take(buffer_.size());
  }
  /// True where nothing can be read for that long.
  bool quiet_for(std::chrono::milliseconds time) const {
    pollfd event{fd(), POLLIN, 0};
    return buffer_.empty() && ::poll(&event, 1, static_cast<int>(time.count())) == 0;
  }

 private:
  std::string take(std::size_t size) {
    auto taken = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return taken;
  }
  Fd fd_;
  std::string buffer_, heard_;
};

inline std::string field(const std::string& head, const std::string& name) {
  const auto at = head.find("\r\n" + name + ": ");
  if (at == head.npos) return "";
  const auto from = at + name.size() + 4;
  return head.substr(from, head.find("\r\n", from) - from);
}

struct Message {
  std::string head;
  std::string body;
  int status() const { return head.size() < 12 ? 0 : std::atoi(head.c_str() + 9); }
  std::string operator[](const std::string& name) const { return field(head, name); }
};

/// Reads a message: head, then a body by length or in chunks (kept as they came).
inline Message read_message(Socket& socket, bool no_body = false) {
  Message message;
  message.head = socket.until("\r\n\r\n");
  if (no_body) return message;
  if (const auto length = message["Content-Length"]; !length.empty()) {
    message.body = socket.exactly(std::stoul(length));
  } else if (message["Transfer-Encoding"] == "chunked") {
    for (;;) {
      const auto size = socket.until("\r\n");
      const auto bytes = size.empty() ? 0 : std::stoul(size, nullptr, 16);
      if (bytes == 0) break;
      message.body += socket.exactly(bytes);
      socket.exactly(2);
    }
    for (;;) {  // trailers are put behind the head, to be looked at
      const auto line = socket.until("\r\n");
      if (line.size() <= 2) break;
      message.head += "trailer " + line;
    }
  } else if (message["Connection"] == "close" && message.head.starts_with("HTTP/") &&
             message.status() >= 200 && message.status() != 204 && message.status() != 304) {
    message.body = socket.rest();
  }
  return message;
}

inline std::string answer(std::string_view body, std::string_view fields = "") {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(fields) + "\r\n" + std::string(body);
}

/// A replica: each connection runs `script` in a thread of its own.
class Backend {
 public:
  using Script = std::function<void(Socket&)>;

  explicit Backend(Script script, const std::string& address = "127.0.0.1:0")
      : script_(std::move(script)) {
    const auto wanted = resolve(address);
    listener_.reset(::socket(wanted->family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::bind(listener_.get(), wanted->get(), wanted->length), 0);
    EXPECT_EQ(::listen(listener_.get(), 1024), 0);
    address_.length = sizeof address_.storage;
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address_.storage),
                  &address_.length);
    acceptor_ = std::thread([this] { accept(); });
  }
  ~Backend() { stop(); }

  /// Answers every request with what `handle` makes of it, and keeps the connection.
  static Script answers(std::function<std::string(const Message&)> handle) {
    return [handle = std::move(handle)](Socket& socket) {
      for (;;) {
        const auto request = read_message(socket);
        if (request.head.empty() || !socket.send(handle(request))) return;
      }
    };
  }

  const Address& address() const { return address_; }
  int connections() const { return accepted_.load(); }

  void stop() {
    if (!acceptor_.joinable()) return;
    stopping_ = true;
    ::shutdown(listener_.get(), SHUT_RDWR);
    acceptor_.join();
    listener_.reset();
    {
      const std::lock_guard lock(mutex_);
      for (auto& each : open_) {
        if (each->open()) ::shutdown(each->fd(), SHUT_RDWR);
      }
    }
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  void accept() {
    for (;;) {
      const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0 || stopping_) {
        if (fd >= 0) ::close(fd);
        return;
      }
      ++accepted_;
      const std::lock_guard lock(mutex_);
      open_.push_back(std::make_unique<Socket>(fd));
      threads_.emplace_back([this, socket = open_.back().get()] {
        script_(*socket);
        const std::lock_guard closing(mutex_);
        socket->close();
      });
    }
  }

  Script script_;
  Fd listener_;
  Address address_;
  std::atomic<int> accepted_{0};
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::list<std::unique_ptr<Socket>> open_;
  std::list<std::thread> threads_;
  std::thread acceptor_;
};

/// Waits until it holds, for ten seconds at most.
template <class Condition>
bool eventually(Condition&& condition) {
  const auto until = std::chrono::steady_clock::now() + 10s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

/// A gateway with one service.
class World {
 public:
  explicit World(Settings settings = {}, int threads = 2,
                 std::shared_ptr<Tracing> tracing = nullptr) {
    settings.name = "test";
    if (settings.listen.length == 0) settings.listen = loopback(0);
    auto started = Gateway::start({threads, [this](ServiceId) { ++demands; }, std::move(tracing)});
    EXPECT_TRUE(started);
    gateway = std::move(*started);
    auto added = gateway->add(settings);
    EXPECT_TRUE(added) << (added ? "" : added.error().what);
    service = *added;
  }

  void use(std::vector<const Backend*> backends, std::int32_t limit = 0) {
    std::vector<gateway::Backend> list;
    ids.clear();
    for (const auto* backend : backends) {
      list.push_back({next, backend->address(), limit, 1000 + next});
      ++next;
      ids.push_back(list.back().id);
    }
    gateway->set_backends(service, list);
    // Seen by all threads: what is sent next finds them.
    std::this_thread::sleep_for(20ms);
  }
  Socket client() const { return Socket::connect(gateway->listening(service)); }
  Message get(const std::string& fields = "", const std::string& target = "/") const {
    auto socket = client();
    socket.send("GET " + target + " HTTP/1.1\r\nHost: test\r\n" + fields + "\r\n");
    return read_message(socket);
  }
  Snapshot now() const { return gateway->snapshot(service); }
  std::uint64_t failed(Failure failure) const {
    return now().failed[static_cast<std::size_t>(failure)];
  }
  /// arrived = completed + failed + waiting + outstanding.
  bool adds_up() const {
    const auto sum = now();
    std::uint64_t all = sum.completed;
    for (const auto each : sum.failed) all += each;
    return sum.arrived == all + static_cast<std::uint64_t>(sum.waiting + sum.outstanding);
  }

  std::atomic<int> demands{0};
  std::unique_ptr<Gateway> gateway;
  ServiceId service = 0;
  ReplicaId next = 1;
  std::vector<ReplicaId> ids;
};

}  // namespace headroom::gateway::testing
