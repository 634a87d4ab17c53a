// A small HTTP/1.1 service to be scaled: it burns a settable amount of CPU and waits a settable
// time for each request, so that a load of any shape can be made with it. It does what a service
// behind a load balancer owes its users: readiness, keep-alive, streaming with back-pressure, and
// a drain on SIGTERM that loses no request. Needs nothing but the C and C++ libraries. See
// README.md for the paths and flags.

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Nanos = std::chrono::nanoseconds;

constexpr std::size_t kBlock = 64 << 10;    // bytes per receive, and of an answer in memory
constexpr std::size_t kMaxHead = 64 << 10;  // of a request
constexpr std::size_t kMaxLine = 4 << 10;   // of a chunk header or a trailer section
constexpr int kTurns = 16;                  // what one connection may do before others have a turn
constexpr auto kLinger = 1s;                // for a client to read the last answer and close
constexpr auto kLastRequest = 100ms;        // while draining: a request may be on its way
constexpr auto kFirstRequest = 500ms;       // for a connection from the backlog, while draining

struct Work {
  Nanos cpu{0};
  Nanos wait{0};
  std::uint64_t size = 200;
  int status = 200;
};

struct Options {
  std::string host = "127.0.0.1";
  int port = 8080;
  std::string socket;
  Work work;
  Nanos start_delay{0};
  Nanos ready_delay{0};
  Nanos keep_alive = 75s;
  int threads = 1;
};

constexpr const char* kHelp = R"(cpp-service: an HTTP/1.1 service that burns CPU and waits as told

usage: cpp-service [--port N | --socket PATH] [flags]

  --port N              listen on this port (default: $PORT, else 8080; 0: any, see stderr)
  --host ADDRESS        of this address (default 127.0.0.1)
  --socket PATH         listen on a Unix socket instead
  --cpu DURATION        CPU time to burn for each request (default 0)
  --wait DURATION       time to wait for each request, blocking no other (default 0)
  --size BYTES          length of an answer (default 200; KiB, MiB, GiB understood)
  --threads N           threads (default 1)
  --start-delay DUR     wait before listening, as a service that loads its data
  --ready-delay DUR     listen at once, but answer /readyz with 503 for this long
  --keep-alive DUR      close a connection that is idle for this long (default 75s)

paths: / (answers --size bytes)  /echo (answers the body)  /healthz  /readyz  /pid
each request may say otherwise: /?cpu=5ms&wait=10ms&size=1MiB&status=503

example: cpp-service --port 9000 --cpu 2ms --wait 20ms
)";

// ---------------------------------------------------------------------------------------------
// Numbers with units

/// "5ms", "1.5s", "2m", or a bare number of seconds.
std::optional<Nanos> read_duration(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || !(value >= 0) || value > 1e9) return {};
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  struct Unit {
    std::string_view name;
    double nanos;
  };
  constexpr Unit kUnits[] = {{"", 1e9},  {"ns", 1},   {"us", 1e3},  {"ms", 1e6},
                             {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};
  for (const auto& [name, nanos] : kUnits) {
    if (name == unit && value * nanos < 9e18) {
      return Nanos{static_cast<std::int64_t>(value * nanos)};
    }
  }
  return {};
}

/// "200", "64KiB", "10GiB".
std::optional<std::uint64_t> read_size(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || value > (std::uint64_t{1} << 40)) return {};
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  if (unit.empty()) return value;
  if (unit == "KiB") return value << 10;
  if (unit == "MiB") return value << 20;
  if (unit == "GiB" && value <= (1 << 20)) return value << 30;
  return {};
}

std::optional<int> read_int(std::string_view text, int low, int high) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  if (value < low || value > high) return {};
  return value;
}

template <class T>
bool assign(T& to, const std::optional<std::type_identity_t<T>>& from) {
  if (from) to = *from;
  return from.has_value();
}

bool set_option(Options& options, std::string_view name, std::string_view value) {
  if (name == "--port") return assign(options.port, read_int(value, 0, 65535));
  if (name == "--host") return assign(options.host, std::string{value});
  if (name == "--socket") return assign(options.socket, std::string{value});
  if (name == "--cpu") return assign(options.work.cpu, read_duration(value));
  if (name == "--wait") return assign(options.work.wait, read_duration(value));
  if (name == "--size") return assign(options.work.size, read_size(value));
  if (name == "--threads") return assign(options.threads, read_int(value, 1, 64));
  if (name == "--start-delay") return assign(options.start_delay, read_duration(value));
  if (name == "--ready-delay") return assign(options.ready_delay, read_duration(value));
  if (name == "--keep-alive") return assign(options.keep_alive, read_duration(value));
  return false;
}

[[noreturn]] void usage_error(const std::string& what) {
  std::fprintf(stderr, "cpp-service: %s (see --help)\n", what.c_str());
  std::exit(2);
}

Options read_options(int argc, char** argv) {
  Options options;
  if (const char* port = std::getenv("PORT"); port && !set_option(options, "--port", port)) {
    usage_error(std::string("PORT: found \"") + port + "\", expected a port");
  }
  for (int i = 1; i < argc; ++i) {
    std::string_view name = argv[i];
    if (name == "--help" || name == "-h") {
      std::fputs(kHelp, stdout);
      std::exit(0);
    }
    std::string_view value;
    if (const auto equals = name.find('='); equals != name.npos) {
      value = name.substr(equals + 1);
      name = name.substr(0, equals);
    } else if (i + 1 < argc) {
      value = argv[++i];
    }
    if (!set_option(options, name, value)) {
      usage_error("cannot read " + std::string(name) + " \"" + std::string(value) + "\"");
    }
  }
  return options;
}

/// /?cpu=5ms&wait=10ms&size=200&status=503: what this request asks for. False: unreadable.
bool read_query(std::string_view query, Work& work) {
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const auto equals = std::min(pair.find('='), pair.size());
    const std::string_view name = pair.substr(0, equals);
    const std::string_view value = equals < pair.size() ? pair.substr(equals + 1) : "";
    bool good = true;
    if (name == "cpu") good = assign(work.cpu, read_duration(value));
    if (name == "wait") good = assign(work.wait, read_duration(value));
    if (name == "size") good = assign(work.size, read_size(value));
    if (name == "status") good = assign(work.status, read_int(value, 200, 599));
    if (!good || work.cpu > 60s) return false;
  }
  return true;
}

// ---------------------------------------------------------------------------------------------
// Reading requests (RFC 9112)

struct Request {
  std::string path;
  std::string query;
  bool head = false;  // answered without a body
  bool http11 = false;
  bool keep_alive = false;
  bool expect_continue = false;
  bool chunked = false;
  bool has_host = false;
  std::optional<std::uint64_t> length;
};

bool same(std::string_view a, std::string_view lower) {
  return std::ranges::equal(a, lower, [](char x, char y) {
    return (x >= 'A' && x <= 'Z' ? static_cast<char>(x + 32) : x) == y;
  });
}

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != '\0' && std::strchr("!#$%&'*+-.^_`|~", c));
  });
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Takes "a" off the front of "a<separator>b".
std::string_view take_until(std::string_view& text, std::string_view separator) {
  const auto at = text.find(separator);
  const std::string_view front = text.substr(0, at);
  text = at == text.npos ? std::string_view{} : text.substr(at + separator.size());
  return front;
}

// The readers below answer 0, or the status the request is refused with.

int read_request_line(std::string_view line, Request& request) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == line.npos || first == last) return 400;
  const std::string_view method = line.substr(0, first);
  std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!is_token(method) || target.empty()) return 400;
  if (std::ranges::any_of(target, [](char c) { return c <= ' ' || c == 0x7f || c == '#'; })) {
    return 400;
  }
  if (version.size() != 8 || !version.starts_with("HTTP/") || version[6] != '.') return 400;
  if (version[5] != '1') return 505;
  request.http11 = version[7] >= '1';
  request.keep_alive = request.http11;
  request.head = method == "HEAD";
  if (target.starts_with("http://")) {
    const auto slash = target.find_first_of("/?", 7);
    target = slash == target.npos ? "/" : target.substr(slash);
  }
  request.path = take_until(target, "?");
  request.query = target;
  return 0;
}

int read_field(std::string_view name, std::string_view value, Request& request) {
  if (same(name, "host")) {
    if (std::exchange(request.has_host, true)) return 400;
  } else if (same(name, "content-length")) {
    std::uint64_t length = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
    const bool whole = error == std::errc{} && end == value.data() + value.size();
    if (!whole || request.length || length > INT64_MAX) return 400;
    request.length = length;
  } else if (same(name, "transfer-encoding")) {
    if (request.chunked) return 400;
    if (!same(value, "chunked")) return 501;
    request.chunked = true;
  } else if (same(name, "connection")) {
    while (!value.empty()) {
      const std::string_view option = trim(take_until(value, ","));
      if (same(option, "close")) request.keep_alive = false;
      if (same(option, "keep-alive") && !request.http11) request.keep_alive = true;
    }
  } else if (same(name, "expect") && request.http11) {
    if (!same(value, "100-continue")) return 417;
    request.expect_continue = true;
  }
  return 0;
}

/// `head` is everything up to the empty line, which is left off.
int read_head(std::string_view head, Request& request) {
  if (const int status = read_request_line(take_until(head, "\r\n"), request)) return status;
  while (!head.empty()) {
    const std::string_view line = take_until(head, "\r\n");
    const auto colon = line.find(':');
    if (colon == line.npos || !is_token(line.substr(0, colon))) return 400;
    const std::string_view value = trim(line.substr(colon + 1));
    const auto control = [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == 0x7f; };
    if (std::ranges::any_of(value, control)) return 400;
    if (const int status = read_field(line.substr(0, colon), value, request)) return status;
  }
  if (request.http11 && !request.has_host) return 400;
  if (request.chunked && (request.length || !request.http11)) return 400;
  return 0;
}

/// A request's body, by length or in chunks, in whatever pieces it arrives.
class Body {
 public:
  enum class Next { piece, more, done, bad };

  void start(const Request& request) {
    left_ = request.length.value_or(0);
    state_ = request.chunked ? State::size : State::length;
  }

  /// Takes what it can off the front of `in`: a piece of content in `piece`, or
  /// `more` (input is needed), or `done`.
  Next next(std::string_view& in, std::string_view& piece) {
    for (;;) {
      if (state_ == State::length || state_ == State::data) {
        if (left_ > 0) return take(in, piece);
        if (state_ == State::length) return Next::done;
        state_ = State::data_end;
      }
      const auto end = in.find("\r\n");
      if (end == in.npos) return in.size() > kMaxLine ? Next::bad : Next::more;
      const std::string_view line = in.substr(0, end);
      in.remove_prefix(end + 2);
      if (state_ == State::data_end) {
        if (!line.empty()) return Next::bad;
        state_ = State::size;
      } else if (state_ == State::size) {
        if (!read_chunk_size(line)) return Next::bad;
      } else if (line.empty()) {  // the end of the trailers, which nobody here reads
        return Next::done;
      } else if ((trailers_ += line.size()) > kMaxLine) {
        return Next::bad;
      }
    }
  }

 private:
  enum class State { length, size, data, data_end, trailers };

  Next take(std::string_view& in, std::string_view& piece) {
    if (in.empty()) return Next::more;
    piece = in.substr(0, std::min<std::uint64_t>(left_, in.size()));
    in.remove_prefix(piece.size());
    left_ -= piece.size();
    return Next::piece;
  }

  bool read_chunk_size(std::string_view line) {
    const std::string_view digits = line.substr(0, line.find(';'));
    const char* last = digits.data() + digits.size();
    const auto [end, error] = std::from_chars(digits.data(), last, left_, 16);
    if (error != std::errc{} || end != last || left_ > INT64_MAX) return false;
    trailers_ = 0;
    state_ = left_ == 0 ? State::trailers : State::data;
    return true;
  }

  State state_ = State::length;
  std::uint64_t left_ = 0;
  std::size_t trailers_ = 0;
};

// ---------------------------------------------------------------------------------------------
// Serving

const char* reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 417:
      return "Expectation Failed";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Status";
  }
}

/// Uses up CPU time of this thread; other threads and processes do not make it shorter.
void burn(Nanos time) {
  const auto used = [] {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return std::chrono::seconds{now.tv_sec} + Nanos{now.tv_nsec};
  };
  if (time <= 0ns) return;
  volatile std::uint64_t sink = 1;
  for (const auto end = used() + time; used() < end;) {
    for (int i = 0; i < 500; ++i) sink = sink * 6364136223846793005U + 1442695040888963407U;
  }
}

/// The end of a text of any length in lines of 64, so that an answer of n bytes is its last n.
const std::string& filler() {
  static const std::string text = [] {
    std::string block;
    constexpr std::string_view kLine =
        "............................................... up and down ...\n";
    static_assert(kLine.size() == 64 && kBlock % 64 == 0);
    while (block.size() < kBlock) block += kLine;
    return block;
  }();
  return text;
}

/// What all threads share.
struct Server {
  Options options;
  int listener = -1;
  bool tcp = true;
  Clock::time_point ready_at;
  std::atomic<bool> draining = false;
  std::atomic<int> accepting = 0;  // threads that still accept
};

struct Connection {
  enum class State { head, discard, wait, echo, send, linger };

  int fd = -1;
  std::uint64_t id = 0;
  State state = State::head;
  bool readable = true, writable = true;
  bool finished = false;  // the client sends no more
  bool dead = false;
  bool fresh = true;  // no request yet
  Clock::time_point active;
  std::string in;
  std::string out;
  std::size_t sent = 0;    // of `out`
  std::uint64_t fill = 0;  // filler to send after `out`
  Request request;
  Work work;
  Body body;

  std::size_t unsent() const { return out.size() - sent; }
};

/// One thread's connections.
class Worker {
 public:
  Worker(Server& server, int wake);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Serves until drained.
  void run();

 private:
  using State = Connection::State;
  struct Timer {
    Clock::time_point at;
    int fd;
    std::uint64_t id;
    bool operator>(const Timer& other) const { return at > other.at; }
  };

  void watch_listener();
  void accept_some(int limit);
  void adopt(int fd);
  void on_event(const epoll_event& event);
  void drive(Connection& c);
  bool receive(Connection& c);
  bool step(Connection& c);
  bool transmit(Connection& c);
  bool step_head(Connection& c);
  bool step_discard(Connection& c);
  bool step_echo(Connection& c);
  void route(Connection& c);
  void begin_work(Connection& c);
  void after_work(Connection& c);
  void refuse(Connection& c, int status);
  void answer_text(Connection& c, int status, std::string_view text);
  void answer_head(Connection& c, int status, std::optional<std::uint64_t> length);
  bool answered(Connection& c);
  void fire_timers();
  void sweep();
  void drain();
  int timeout() const;
  void destroy(Connection& c);
  const char* date();

  Server& server_;
  int epoll_ = -1;
  int wake_ = -1;
  bool listening_ = false;
  bool drained_ = false;  // nothing more is accepted
  std::uint64_t next_id_ = 1;
  std::size_t open_ = 0;
  Clock::time_point now_ = Clock::now();
  Clock::time_point swept_ = now_;
  std::vector<std::unique_ptr<Connection>> connections_;  // by descriptor
  std::vector<Timer> again_;                              // had their turn, and have more to do
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  const int pid_ = ::getpid();
  std::string scratch_ = std::string(kBlock, '\0');
  std::time_t date_of_ = 0;
  char date_[40] = "";
};

Worker::Worker(Server& server, int wake)
    : server_(server), epoll_(::epoll_create1(EPOLL_CLOEXEC)), wake_(wake) {
  epoll_event event{.events = EPOLLIN, .data = {.fd = wake_}};
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event);
  watch_listener();
}

Worker::~Worker() { ::close(epoll_); }

void Worker::watch_listener() {
  epoll_event event{.events = EPOLLIN | EPOLLEXCLUSIVE, .data = {.fd = server_.listener}};
  listening_ = ::epoll_ctl(epoll_, EPOLL_CTL_ADD, server_.listener, &event) == 0;
}

void Worker::run() {
  epoll_event events[256];
  while (!drained_ || open_ > 0) {
    const int count = ::epoll_wait(epoll_, events, std::size(events), timeout());
    now_ = Clock::now();
    for (int i = 0; i < count; ++i) on_event(events[i]);
    for (const Timer& turn : std::exchange(again_, {})) {
      Connection* c = connections_[static_cast<std::size_t>(turn.fd)].get();
      if (c && c->id == turn.id) drive(*c);
    }
    fire_timers();
    if (server_.draining && !drained_) drain();
    if (now_ - swept_ >= (drained_ ? 50ms : 1000ms)) sweep();
  }
}

int Worker::timeout() const {
  if (!again_.empty()) return 0;
  const auto sweep = (drained_ ? 50ms : 1000ms) - std::min<Nanos>(now_ - swept_, 1s);
  Nanos wait = open_ > 0 || !listening_ ? std::max<Nanos>(sweep, 0ns) : Nanos::max();
  if (!timers_.empty()) wait = std::clamp<Nanos>(timers_.top().at - now_, 0ns, wait);
  if (wait == Nanos::max()) return -1;
  return static_cast<int>((wait + 999'999ns) / 1ms);  // never early: that would spin
}

void Worker::on_event(const epoll_event& event) {
  const int fd = event.data.fd;
  if (fd == wake_) return;  // left readable: `draining` is set, for all threads
  if (fd == server_.listener) return accept_some(64);
  Connection* c = connections_[static_cast<std::size_t>(fd)].get();
  if (!c) return;
  if (event.events & (EPOLLERR | EPOLLHUP)) c->dead = true;  // both directions are gone
  if (event.events & (EPOLLIN | EPOLLRDHUP)) c->readable = true;
  if (event.events & EPOLLOUT) c->writable = true;
  drive(*c);
}

void Worker::accept_some(int limit) {
  while (limit-- > 0) {
    const int fd = ::accept4(server_.listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      adopt(fd);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      // Let them wait in the backlog until the next sweep rather than spin here.
      ::epoll_ctl(epoll_, EPOLL_CTL_DEL, server_.listener, nullptr);
      listening_ = false;
      return;
    } else if (errno != EINTR && errno != ECONNABORTED) {
      return;
    }
  }
}

void Worker::adopt(int fd) {
  const int on = 1;
  if (server_.tcp) ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.fd = fd}};
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) {
    ::close(fd);
    return;
  }
  const auto at = static_cast<std::size_t>(fd);
  if (connections_.size() <= at) connections_.resize(std::max(at + 1, connections_.size() * 2));
  connections_[at] = std::make_unique<Connection>();
  Connection& c = *connections_[at];
  c.fd = fd;
  c.id = next_id_++;
  c.active = now_;
  c.readable = false;  // the registration tells
  ++open_;
}

void Worker::destroy(Connection& c) {
  ::close(c.fd);
  --open_;
  connections_[static_cast<std::size_t>(c.fd)].reset();
}

/// Receives, serves and sends until nothing moves any more; then the next event is due.
void Worker::drive(Connection& c) {
  for (int turn = 0; turn < kTurns && !c.dead; ++turn) {
    const bool received = receive(c);
    const bool stepped = !c.dead && step(c);
    const bool sent = !c.dead && transmit(c);
    if (received || stepped || sent) {
      c.active = now_;
      continue;
    }
    // A client that sends no more and wants nothing more is done with.
    if (c.finished && c.state != State::wait && c.unsent() == 0 && c.fill == 0) c.dead = true;
    if (c.dead) break;
    return;
  }
  if (c.dead) return destroy(c);
  again_.push_back({now_, c.fd, c.id});
}

bool Worker::receive(Connection& c) {
  if (!c.readable || c.finished || c.in.size() >= kBlock || c.unsent() >= kBlock) return false;
  const ssize_t got = ::recv(c.fd, scratch_.data(), scratch_.size(), 0);
  if (got > 0) {
    // A short read has emptied the socket; a FIN behind it makes an event of its own.
    c.readable = static_cast<std::size_t>(got) == scratch_.size();
    if (c.state != State::linger) c.in.append(scratch_.data(), static_cast<std::size_t>(got));
    return true;
  }
  c.readable = false;
  if (got == 0) c.finished = true;
  if (got < 0 && errno != EAGAIN && errno != EINTR) c.dead = true;
  if (got < 0 && errno == EINTR) c.readable = true;
  return got == 0;
}

bool Worker::transmit(Connection& c) {
  bool moved = false;
  while (c.writable) {
    if (c.unsent() == 0) {
      c.out.clear();
      c.sent = 0;
      if (c.fill == 0) return moved;
      const auto length = static_cast<std::size_t>((c.fill - 1) % kBlock + 1);
      c.out.append(filler(), kBlock - length, length);
      c.fill -= length;
    }
    const ssize_t n = ::send(c.fd, c.out.data() + c.sent, c.unsent(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      c.writable = false;
      c.dead = errno != EAGAIN;
      return moved;
    }
    c.sent += static_cast<std::size_t>(n);
    moved = true;
    if (c.fill > 0 && c.unsent() == 0) return moved;  // a large answer takes turns with others
  }
  return moved;
}

bool Worker::step(Connection& c) {
  switch (c.state) {
    case State::head:
      return step_head(c);
    case State::discard:
      return step_discard(c);
    case State::echo:
      return step_echo(c);
    case State::send:
      return answered(c);
    case State::wait:
    case State::linger:
      return false;
  }
  return false;
}

bool Worker::step_head(Connection& c) {
  if (c.in.starts_with("\r\n")) c.in.erase(0, 2);
  const auto end = c.in.find("\r\n\r\n");
  if (end == c.in.npos || end > kMaxHead) {
    const bool moved = c.in.size() >= kMaxHead;
    if (moved) refuse(c, 431);
    return moved;
  }
  c.fresh = false;
  c.request = {};
  c.work = server_.options.work;
  const int status = read_head(std::string_view(c.in).substr(0, end), c.request);
  c.in.erase(0, end + 4);
  if (status != 0) {
    refuse(c, status);
    return true;
  }
  route(c);
  return true;
}

/// A request that cannot be read: nothing after it can be, either.
void Worker::refuse(Connection& c, int status) {
  c.request.keep_alive = false;
  answer_text(c, status, reason(status));
}

void Worker::route(Connection& c) {
  const std::string& path = c.request.path;
  const bool known =
      path == "/" || path == "/echo" || path == "/pid" || path == "/healthz" || path == "/readyz";
  if (!known) c.work.status = 404;
  if (path == "/healthz" || path == "/readyz" || path == "/pid" || !known) {
    c.work.cpu = c.work.wait = 0ns;
  }
  if (known && !read_query(c.request.query, c.work)) return refuse(c, 400);
  c.body.start(c.request);
  if (path == "/echo") return begin_work(c);
  if (c.request.expect_continue && c.in.empty()) c.out += "HTTP/1.1 100 Continue\r\n\r\n";
  c.state = State::discard;
}

bool Worker::step_discard(Connection& c) {
  std::string_view in = c.in, piece;
  auto next = c.body.next(in, piece);
  while (next == Body::Next::piece) next = c.body.next(in, piece);
  const bool moved = in.size() < c.in.size() || next != Body::Next::more;
  c.in.erase(0, c.in.size() - in.size());
  if (next == Body::Next::bad) refuse(c, 400);
  if (next == Body::Next::done) begin_work(c);
  return moved;
}

void Worker::begin_work(Connection& c) {
  burn(c.work.cpu);
  if (c.work.wait <= 0ns) return after_work(c);
  c.state = State::wait;
  timers_.push({Clock::now() + c.work.wait, c.fd, c.id});
}

void Worker::after_work(Connection& c) {
  const std::string& path = c.request.path;
  if (path == "/echo") {
    if (c.request.expect_continue && c.in.empty()) c.out += "HTTP/1.1 100 Continue\r\n\r\n";
    std::optional<std::uint64_t> length;
    if (!c.request.chunked) length = c.request.length.value_or(0);
    answer_head(c, c.work.status, length);
    c.state = State::echo;
  } else if (path == "/pid") {
    answer_text(c, c.work.status, std::to_string(pid_));
  } else if (path == "/healthz") {
    answer_text(c, c.work.status, "ok");
  } else if (path == "/readyz") {
    const bool ready = !server_.draining && Clock::now() >= server_.ready_at;
    answer_text(c, ready ? c.work.status : 503, ready ? "ready" : "not ready");
  } else if (path == "/") {
    const bool empty = c.work.status == 204 || c.work.status == 304;
    answer_head(c, c.work.status, empty ? 0 : c.work.size);
    c.state = State::send;
    if (empty || c.request.head) return;
    c.fill = c.work.size;
    if (c.fill > kBlock / 4) return;
    c.out.append(filler(), kBlock - c.fill, c.fill);  // one send for a small answer
    c.fill = 0;
  } else {
    answer_text(c, 404, "no such path; there are / /echo /healthz /readyz /pid");
  }
}

bool Worker::step_echo(Connection& c) {
  std::string_view in = c.in, piece;
  bool moved = false;
  while (c.unsent() < kBlock) {
    const auto next = c.body.next(in, piece);
    if (next == Body::Next::more) break;
    moved = true;
    if (next == Body::Next::bad) {
      c.dead = true;  // the answer has begun: cut it short, so that nobody takes it for whole
      return true;
    }
    if (next == Body::Next::done) {
      if (c.request.chunked && !c.request.head) c.out += "0\r\n\r\n";
      c.state = State::send;
      break;
    }
    if (c.request.head) continue;
    char size[20];
    if (c.request.chunked)
      c.out.append(size, static_cast<std::size_t>(
                             std::snprintf(size, sizeof size, "%zx\r\n", piece.size())));
    c.out += piece;
    if (c.request.chunked) c.out += "\r\n";
  }
  moved = moved || in.size() < c.in.size();
  c.in.erase(0, c.in.size() - in.size());
  return moved;
}

void Worker::answer_text(Connection& c, int status, std::string_view text) {
  answer_head(c, status, text.size() + 1);
  c.state = State::send;
  if (c.request.head) return;
  c.out += text;
  c.out += '\n';
}

/// Without a length the answer is chunked.
void Worker::answer_head(Connection& c, int status, std::optional<std::uint64_t> length) {
  if (server_.draining) c.request.keep_alive = false;
  char head[320];
  int n =
      std::snprintf(head, sizeof head,
                    "HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Type: text/plain\r\nX-Replica: %d\r\n",
                    status, reason(status), date(), pid_);
  c.out.append(head, static_cast<std::size_t>(n));
  if (length && status != 204) {
    c.out.append("Content-Length: ").append(std::to_string(*length)).append("\r\n");
  } else if (!length) {
    c.out += "Transfer-Encoding: chunked\r\n";
  }
  if (!c.request.keep_alive) {
    c.out += "Connection: close\r\n";
  } else if (!c.request.http11) {
    c.out += "Connection: keep-alive\r\n";
  }
  c.out += "\r\n";
}

/// The answer is complete: the next request, or the end. While the answer is still being sent
/// the next request's head waits.
bool Worker::answered(Connection& c) {
  if (c.unsent() > 0 || c.fill > 0) return false;
  if (c.request.keep_alive) {
    c.state = State::head;
    return true;
  }
  // Closing with unread input would reset the connection and take the answer with it.
  ::shutdown(c.fd, SHUT_WR);
  c.state = State::linger;
  c.in.clear();
  return true;
}

void Worker::fire_timers() {
  while (!timers_.empty() && timers_.top().at <= now_) {
    const Timer timer = timers_.top();
    timers_.pop();
    Connection* c = connections_[static_cast<std::size_t>(timer.fd)].get();
    if (!c || c->id != timer.id || c->state != State::wait) continue;
    after_work(*c);
    drive(*c);
  }
}

/// Closes what has been idle, or stuck, for too long.
void Worker::sweep() {
  swept_ = now_;
  if (!listening_ && !drained_) watch_listener();
  for (const auto& held : connections_) {
    if (!held || held->state == State::wait) continue;
    Connection& c = *held;
    Nanos patience = server_.options.keep_alive;
    if (c.state == State::linger) patience = kLinger;
    if (drained_ && c.state == State::head && c.in.empty()) {
      patience = std::min<Nanos>(patience, c.fresh ? kFirstRequest : kLastRequest);
    }
    if (now_ - c.active >= patience) destroy(c);
  }
}

/// Takes the backlog, stops listening, closes what is idle (but not at once what was busy a
/// moment ago). What is open is answered.
void Worker::drain() {
  accept_some(INT32_MAX);
  if (listening_) ::epoll_ctl(epoll_, EPOLL_CTL_DEL, server_.listener, nullptr);
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, wake_, nullptr);
  listening_ = false;
  drained_ = true;
  if (server_.accepting.fetch_sub(1) == 1) ::close(server_.listener);
  for (std::size_t at = 0; at < connections_.size(); ++at) {
    if (!connections_[at]) continue;
    connections_[at]->readable = true;  // a request that is on its way is no idleness
    drive(*connections_[at]);
  }
  sweep();
}

const char* Worker::date() {
  const std::time_t now = std::time(nullptr);
  if (now != date_of_) {
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    std::strftime(date_, sizeof date_, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    date_of_ = now;
  }
  return date_;
}

// ---------------------------------------------------------------------------------------------
// Starting and stopping

[[noreturn]] void die(const std::string& what) {
  std::fprintf(stderr, "cpp-service: %s: %s\n", what.c_str(), std::strerror(errno));
  std::exit(1);
}

int listen_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) usage_error("--socket: longer than 107 bytes");
  std::memcpy(address.sun_path, path.data(), path.size());
  struct stat found {};
  if (::stat(path.c_str(), &found) == 0 && S_ISSOCK(found.st_mode)) ::unlink(path.c_str());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (fd < 0 || ::bind(fd, generic, sizeof address) != 0 || ::listen(fd, 4096) != 0) {
    die("cannot listen on " + path);
  }
  return fd;
}

int listen_tcp(std::string host, int port) {
  if (host == "localhost") host = "127.0.0.1";
  sockaddr_in6 v6{};
  sockaddr_in v4{};
  v6.sin6_family = AF_INET6;
  v4.sin_family = AF_INET;
  v6.sin6_port = v4.sin_port = htons(static_cast<std::uint16_t>(port));
  const bool is_v4 = ::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1;
  if (!is_v4 && ::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) != 1) {
    usage_error("--host: found \"" + host + "\", expected an IP address");
  }
  const auto* generic =
      is_v4 ? reinterpret_cast<const sockaddr*>(&v4) : reinterpret_cast<const sockaddr*>(&v6);
  const int fd = ::socket(generic->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (fd < 0 || ::bind(fd, generic, is_v4 ? sizeof v4 : sizeof v6) != 0 ||
      ::listen(fd, 4096) != 0) {
    die("cannot listen on " + host + ":" + std::to_string(port));
  }
  return fd;
}

int bound_port(int fd) {
  sockaddr_in6 address{};  // the port stands at the same place for both families
  socklen_t length = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  return ntohs(address.sin6_port);
}

void sleep_for(Nanos time) {
  if (time > 0ns) std::this_thread::sleep_for(time);
}

/// The first SIGTERM or SIGINT drains, the second ends.
void await_signals(int signals, int wake, Server& server) {
  signalfd_siginfo info;
  while (::read(signals, &info, sizeof info) == sizeof info) {
    if (server.draining.exchange(true)) ::_exit(1);
    const std::uint64_t one = 1;
    if (::write(wake, &one, sizeof one) < 0) ::_exit(1);
  }
}

int serve(Server& server) {
  const Options& options = server.options;
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  // Unblocked while it loads: a service that has taken no request may just end.
  sleep_for(options.start_delay);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  server.tcp = options.socket.empty();
  server.listener =
      server.tcp ? listen_tcp(options.host, options.port) : listen_unix(options.socket);
  server.ready_at = Clock::now() + options.ready_delay;
  if (server.tcp) {
    std::fprintf(stderr, "cpp-service: listening on %s:%d\n", options.host.c_str(),
                 bound_port(server.listener));
  } else {
    std::fprintf(stderr, "cpp-service: listening on unix:%s\n", options.socket.c_str());
  }

  const int wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  const int signals = ::signalfd(-1, &stop, SFD_CLOEXEC);
  server.accepting = options.threads;
  std::vector<std::thread> threads;
  for (int i = 0; i < options.threads; ++i) {
    threads.emplace_back([&server, wake] { Worker(server, wake).run(); });
  }
  std::thread(await_signals, signals, wake, std::ref(server)).detach();
  for (std::thread& thread : threads) thread.join();
  if (!server.tcp) ::unlink(options.socket.c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  // Outlives the thread that waits for signals, which is left behind at the end.
  static Server server;
  server.options = read_options(argc, argv);
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  std::fflush(stdout);
  ::_exit(serve(server));
}
