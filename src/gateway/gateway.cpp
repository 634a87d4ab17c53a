#include <algorithm>
#include <cerrno>
#include <cstring>
#include <latch>
#include <map>
#include <random>

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/listeners.h"
#include "gateway/worker.h"

namespace headroom::gateway {
namespace {

constexpr int kThreadsAtMost = 4;
constexpr int kBacklog = 4096;
constexpr Millis kPatience = 5s;    // with clients that are idle, where a successor took over
constexpr Millis kLastAnswer = 1s;  // to read it, as long as a connection lingers
constexpr std::int32_t kLargestHead = 128 << 10;

/// A Unix socket that a dead process left behind is in the way; one that answers is not ours.
bool remove_stale(const Address& address) {
  if (address.family() != AF_UNIX) return false;
  const Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(probe.get(), address.get(), address.length) == 0 || errno != ECONNREFUSED)
    return false;
  const auto& path = reinterpret_cast<const sockaddr_un&>(address.storage).sun_path;
  struct stat info {};
  return ::lstat(path, &info) == 0 && S_ISSOCK(info.st_mode) && ::unlink(path) == 0;
}

/// What is accepted inherits it.
void pass_on_no_delay(int listener) {
  const int on = 1;
  ::setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Result<Fd> listen_on(const Address& address) {
  const auto refuse = [&](Code code, int error) {
    return fail(
        {code, fmt::format("cannot listen on {}: {}", to_string(address), std::strerror(error))});
  };
  Fd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return refuse(Code::unavailable, errno);
  const int on = 1, off = 0;
  if (address.family() != AF_UNIX) {
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    pass_on_no_delay(fd.get());
  }
  if (address.family() == AF_INET6) {
    ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  }
  bool bound = ::bind(fd.get(), address.get(), address.length) == 0;
  if (!bound && errno == EADDRINUSE && remove_stale(address)) {
    bound = ::bind(fd.get(), address.get(), address.length) == 0;
  }
  if (!bound || ::listen(fd.get(), kBacklog) != 0) {
    const int error = errno;
    if (error == EADDRINUSE) {
      return fail({Code::conflict,
                   fmt::format("cannot listen on {}: the address is in use by another process; "
                               "stop it or choose another address",
                               to_string(address))});
    }
    return refuse(error == EACCES ? Code::invalid : Code::unavailable, error);
  }
  return fd;
}

Result<void> check_settings(const Settings& settings) {
  for (const auto& block : settings.trusted_proxies) {
    if (auto cidr = parse_cidr(block); !cidr) {
      return fail({Code::invalid, "trustedProxies: " + cidr.error().what});
    }
  }
  if (settings.limits.head > kLargestHead || settings.limits.request_line > kLargestHead) {
    return fail({Code::invalid, fmt::format("limits: a head or request line of more than {} bytes "
                                            "is not supported",
                                            kLargestHead)});
  }
  return {};
}

class Live : public Gateway {
 public:
  explicit Live(Options options) {
    common_.demand = std::move(options.demand);
    common_.deaf = options.deaf;
    common_.tracing = std::move(options.tracing);
    rlimit descriptors{};
    ::getrlimit(RLIMIT_NOFILE, &descriptors);
    common_.most_connections =
        static_cast<int>(std::min<rlim_t>(descriptors.rlim_cur, 1 << 24) * 8 / 10);
    common_.via = fmt::format("headroom-{:08x}", std::random_device{}());
    const auto cores = static_cast<int>(std::thread::hardware_concurrency());
    const int threads =
        options.threads > 0 ? options.threads : std::clamp(cores, 1, kThreadsAtMost);
    for (int i = 0; i < threads; ++i)
      common_.workers.push_back(std::make_unique<Worker>(common_, i));
    for (auto& worker : common_.workers) worker->start();
  }

  ~Live() override {
    for (auto& worker : common_.workers) worker->stop();
  }

  Result<ServiceId> add(const Settings& settings, Listener listener) override {
    if (auto good = check_settings(settings); !good) return fail(good.error());
    const std::lock_guard lock(mutex_);
    auto socket = socket_for(settings.listen, std::move(listener.socket));
    if (!socket) return fail(socket.error());
    auto& entry = services_[next_service_];
    entry.shared = std::make_shared<Service>();
    entry.shared->id = next_service_;
    listen_at(entry, settings.listen, *std::move(socket), listener.kept);
    const auto shared_settings = std::make_shared<const Settings>(settings);
    for (auto& worker : common_.workers) {
      auto local = std::make_shared<WorkerService>();
      local->shared = entry.shared;
      local->settings = shared_settings;
      local->socket = entry.socket;
      for (const auto& block : settings.trusted_proxies)
        local->trusted.push_back(*parse_cidr(block));
      entry.locals.push_back(local);
      worker->post([&worker = *worker, local] { worker.add(local); });
    }
    return next_service_++;
  }

  Result<void> reconfigure(ServiceId id, const Settings& settings, Listener listener) override {
    if (auto good = check_settings(settings); !good) return good;
    const std::lock_guard lock(mutex_);
    auto& entry = services_.at(id);
    std::shared_ptr<Fd> socket;
    if (!(settings.listen == entry.asked)) {
      auto another = socket_for(settings.listen, std::move(listener.socket));
      if (!another) return fail(another.error());
      remove_file(entry);
      listen_at(entry, settings.listen, *std::move(another), listener.kept);
      socket = entry.socket;
    }
    const auto shared_settings = std::make_shared<const Settings>(settings);
    to_all([=](Worker& worker) { worker.reconfigure(id, shared_settings, socket); });
    return {};
  }

  void set_backends(ServiceId id, std::vector<Backend> backends) override {
    const std::lock_guard lock(mutex_);
    auto& entry = services_.at(id);
    Replicas current;
    for (const auto& backend : backends) {
      auto& replica = entry.replicas[backend.id];
      if (!replica) {
        replica = std::make_shared<Replica>(backend.id, backend.address, backend.name);
      }
      replica->limit.store(backend.limit);
      current.push_back(replica);
    }
    to_all([id, current](Worker& worker) { worker.set_backends(id, current); });
  }

  std::int64_t outstanding(ServiceId id, ReplicaId replica) const override {
    const std::lock_guard lock(mutex_);
    const auto& replicas = services_.at(id).replicas;
    const auto found = replicas.find(replica);
    return found == replicas.end() ? 0 : found->second->outstanding.load();
  }

  void drain(ServiceId id, ReplicaId replica, Millis deadline,
             std::function<void(std::uint64_t cut)> done) override {
    std::shared_ptr<Replica> draining;
    {
      const std::lock_guard lock(mutex_);
      auto& replicas = services_.at(id).replicas;
      if (const auto found = replicas.find(replica); found != replicas.end())
        draining = found->second;
    }
    if (!draining) return done(0);
    // Mailboxes are read in order: who has read this letter has read the new backends, too.
    auto unconfirmed = std::make_shared<std::atomic<int>>(static_cast<int>(common_.workers.size()));
    to_all([unconfirmed](Worker&) { unconfirmed->fetch_sub(1); });
    auto& first = *common_.workers.front();
    Worker::Drain drain{id, draining, std::chrono::steady_clock::now() + deadline, unconfirmed,
                        std::move(done)};
    first.post([&first, drain] { first.drain(drain); });
  }

  void gone(ServiceId id, ReplicaId replica) override {
    const std::lock_guard lock(mutex_);
    services_.at(id).replicas.erase(replica);
    to_all([id, replica](Worker& worker) { worker.gone(id, replica); });
  }

  void close(ServiceId id) override {
    // Returns when nobody listens any more: another service may want the address.
    to_all_and_wait([id](Worker& worker) {
      worker.close_listener(id, false);
      worker.close_clients(id, Worker::Which::idle_and_tunnels);
    });
    const std::lock_guard lock(mutex_);
    auto& entry = services_.at(id);
    if (!entry.socket) return;  // closed already: by now its file may be another's
    entry.socket.reset();
    remove_file(entry);
  }

  std::uint64_t refuse_waiting(ServiceId id) override {
    return sum_of_all([id](Worker& worker) { return worker.refuse_waiting(id); });
  }

  Snapshot snapshot(ServiceId id) const override {
    const std::lock_guard lock(mutex_);
    Snapshot sum;
    const auto now = steady_now();
    for (const auto& local : services_.at(id).locals) local->counters.add_to(sum, now);
    return sum;
  }

  Address listening(ServiceId id) const override {
    const std::lock_guard lock(mutex_);
    return services_.at(id).listening;
  }

  void open() override {
    common_.deaf = false;
    to_all([](Worker& worker) { worker.listen_again(); });
  }

  Fd listener(ServiceId id) const override {
    const std::lock_guard lock(mutex_);
    const auto& socket = services_.at(id).socket;
    return socket ? socket->duplicate() : Fd();
  }

  void let_go() override {
    succeeded_ = true;
    for (const auto id : ids()) {
      to_all_and_wait([id](Worker& worker) { worker.close_listener(id, true); });
      const std::lock_guard lock(mutex_);
      services_.at(id).socket.reset();
    }
  }

  std::map<ServiceId, Unanswered> shutdown(Millis deadline) override {
    const auto now = std::chrono::steady_clock::now();
    if (succeeded_) {
      wait_until_idle(now + std::min(deadline, kPatience));
      for (const auto id : ids()) close_clients(id, Worker::Which::idle);
    } else {
      for (const auto id : ids()) close(id);
    }
    wait_until_idle(now + deadline);
    return end_unanswered();
  }

 private:
  struct Entry {
    std::shared_ptr<Service> shared;
    Address asked, listening;
    std::shared_ptr<Fd> socket;                          // empty: closed
    bool kept = false;                                   // Listener's
    std::vector<std::shared_ptr<WorkerService>> locals;  // one per thread
    std::map<ReplicaId, std::shared_ptr<Replica>> replicas;
  };

  void to_all(const std::function<void(Worker&)>& what) const {
    for (const auto& worker : common_.workers) {
      worker->post([&worker = *worker, what] { what(worker); });
    }
  }

  void to_all_and_wait(const std::function<void(Worker&)>& what) const {
    const auto left = std::make_shared<std::latch>(std::ssize(common_.workers));
    to_all([left, what](Worker& worker) {
      what(worker);
      left->count_down();
    });
    left->wait();
  }

  std::uint64_t sum_of_all(const std::function<std::uint64_t(Worker&)>& what) const {
    std::atomic<std::uint64_t> sum{0};
    to_all_and_wait([&](Worker& worker) { sum += what(worker); });
    return sum;
  }

  std::vector<ServiceId> ids() const {
    const std::lock_guard lock(mutex_);
    std::vector<ServiceId> ids;
    for (const auto& [id, entry] : services_) ids.push_back(id);
    return ids;
  }

  bool busy() const {
    return std::ranges::any_of(common_.workers,
                               [](const auto& worker) { return worker->clients() > 0; });
  }

  void wait_until_idle(std::chrono::steady_clock::time_point until) const {
    while (busy() && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(2ms);
  }

  std::uint64_t close_clients(ServiceId id, Worker::Which which) const {
    return sum_of_all([id, which](Worker& worker) { return worker.close_clients(id, which); });
  }

  /// What waits goes first, on all threads: a slot that a request leaves when it is cut is not for
  /// another one to be cut on.
  std::map<ServiceId, Unanswered> end_unanswered() {
    std::map<ServiceId, Unanswered> unanswered;
    for (const auto id : ids()) {
      if (const auto refused = refuse_waiting(id); refused > 0) unanswered[id].refused = refused;
    }
    if (!unanswered.empty()) wait_until_idle(std::chrono::steady_clock::now() + kLastAnswer);
    for (const auto id : ids()) {
      if (const auto cut = close_clients(id, Worker::Which::all); cut > 0) unanswered[id].cut = cut;
    }
    return unanswered;
  }

  /// The one given, or one made. What a service manager passes can be had twice, where bind() would
  /// refuse: two services would share the connections between them.
  Result<Fd> socket_for(const Address& address, Fd given) const {
    if (!given) return listen_on(address);
    const auto at = to_string(local_address(given.get()));
    for (const auto& [id, entry] : services_) {
      if (!entry.socket || to_string(entry.listening) != at) continue;
      return fail({Code::conflict, fmt::format("cannot listen on {}: another service does, on the "
                                               "same passed socket; choose another address",
                                               at)});
    }
    return given;
  }

  static void listen_at(Entry& entry, const Address& asked, Fd socket, bool kept) {
    if (asked.family() != AF_UNIX) pass_on_no_delay(socket.get());
    entry.asked = asked;
    entry.listening = local_address(socket.get());
    entry.socket = std::make_shared<Fd>(std::move(socket));
    entry.kept = kept;
  }

  static void remove_file(const Entry& entry) {
    if (entry.listening.family() != AF_UNIX || entry.kept) return;
    ::unlink(reinterpret_cast<const sockaddr_un&>(entry.listening.storage).sun_path);
  }

  Common common_;
  mutable std::mutex mutex_;
  std::map<ServiceId, Entry> services_;
  ServiceId next_service_ = 1;
  std::atomic<bool> succeeded_{false};
};

}  // namespace

Result<std::unique_ptr<Gateway>> Gateway::start(Options options) {
  return std::unique_ptr<Gateway>(std::make_unique<Live>(std::move(options)));
}

}  // namespace headroom::gateway
