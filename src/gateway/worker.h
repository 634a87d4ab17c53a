#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/fd.h"
#include "gateway/buffers.h"
#include "gateway/cidr.h"
#include "gateway/connection.h"
#include "gateway/gateway.h"
#include "gateway/meter.h"
#include "gateway/service.h"
#include "gateway/trace.h"
#include "gateway/wheel.h"

namespace headroom::gateway {

/// A replica as one thread sees it: its connections.
struct LocalReplica {
  LocalReplica(WorkerService* of, std::shared_ptr<Replica> all)
      : service(of), shared(std::move(all)) {}

  WorkerService* const service;
  const std::shared_ptr<Replica> shared;
  Link idle;  // the newest first
  int idle_count = 0;
  Link open;             // all, idle ones too
  bool current = false;  // may get new requests
};

/// The share of retries among requests (B4): the last ten seconds, by the second.
class RetryBudget {
 public:
  void request(Time now) { ++at(now).requests; }
  bool allow(Time now, const Settings::Retries& limits);

 private:
  static constexpr std::int64_t kSeconds = 10;
  struct Second {
    std::int64_t second = -1;
    std::uint32_t requests = 0, retries = 0;
  };
  Second& at(Time now);
  std::array<Second, kSeconds> seconds_;
};

/// A service as one thread sees it.
struct WorkerService {
  struct Listener : Source {
    explicit Listener(WorkerService* of) : Source(Kind::listener), service(of) {}
    WorkerService* const service;
  };

  std::shared_ptr<Service> shared;
  std::shared_ptr<const Settings> settings;
  std::vector<Cidr> trusted;
  Listener listener{this};
  std::shared_ptr<Fd> socket;  // all threads accept from one: a second Headroom cannot share it
  bool accepting = false;
  bool closing = false;  // answers say Connection: close
  bool patient = false;  // and who is idle may ask once more
  bool ends_idle() const { return closing && !patient; }
  std::unordered_map<ReplicaId, std::unique_ptr<LocalReplica>> replicas;
  std::vector<LocalReplica*> candidates;
  bool panic = false;  // too few would remain: ejection is ignored (B6)
  Time panic_counted{};
  Link clients;
  RetryBudget budget;
  Counters counters;
};

/// What the workers of one gateway share.
struct Common {
  std::function<void(ServiceId)> demand;
  std::atomic<bool> deaf{false};     // accepts nothing yet
  std::string via;                   // this instance's name in Via: requests that loop are refused
  std::atomic<int> connections{0};   // both sides, all threads
  int most_connections = 0;          // 80 % of the descriptors
  std::shared_ptr<Tracing> tracing;  // null: no request is traced
  std::vector<std::unique_ptr<Worker>> workers;
};

/// One I/O thread: an epoll loop over its clients, its connections to replicas and its mailbox.
/// All but post() and the readers of counters run on it.
class Worker {
 public:
  explicit Worker(Common& common, int index);
  ~Worker();

  void start();
  void stop();  // joins the thread; cuts what is open

  /// Runs `what` on this thread, soon. From any thread.
  void post(std::function<void()> what);

  // What control asks for; on this thread.
  void add(std::shared_ptr<WorkerService> service);
  /// All that are not closing, unless it is deaf.
  void listen_again();
  /// `socket` is null where the listener stays.
  void reconfigure(ServiceId service, std::shared_ptr<const Settings> settings,
                   std::shared_ptr<Fd> socket);
  void set_backends(ServiceId service, const Replicas& replicas);
  void gone(ServiceId service, ReplicaId replica);
  /// `patient`: idle clients may send one more request each.
  void close_listener(ServiceId service, bool patient);
  /// Idle ones are closed, others cut; how many requests that were.
  enum class Which : std::uint8_t { idle, idle_and_tunnels, all };
  std::uint64_t close_clients(ServiceId service, Which which);
  /// 503 for what waits for a replica; how many requests that were.
  std::uint64_t refuse_waiting(ServiceId service);
  void close_tunnels(ServiceId service, ReplicaId replica);
  void cut(ServiceId service, ReplicaId replica);
  struct Drain {
    ServiceId service = 0;
    std::shared_ptr<Replica> replica;
    std::chrono::steady_clock::time_point deadline;
    std::shared_ptr<std::atomic<int>> unconfirmed;  // threads that may still give it a request
    std::function<void(std::uint64_t cut)> done;
    enum class Phase : std::uint8_t { requests, tunnels, cut } phase = Phase::requests;
  };
  void drain(Drain drain) { drains_.push_back(std::move(drain)); }

  int clients() const { return clients_.load(std::memory_order_relaxed); }

 private:
  // worker.cpp: the loop.
  void run();
  void turn();
  bool arm_timer();
  void on_event(std::uint32_t events, Source& source);
  void enqueue(Connection& connection);
  void run_queue();
  void process(Connection& connection);
  void on_deadline(Connection& connection);
  void housekeep();
  void housekeep_drains();
  void read_mailbox();
  void bury();
  void set_deadline(Connection& connection, Time deadline) {
    wheel_.set(connection.timer, deadline);
  }
  bool watch(Connection& connection, std::uint32_t events);
  std::string_view date();
  WorkerService* find(ServiceId id);

  // accept.cpp: new clients, and the limit of connections.
  void accept(WorkerService& service);
  void adopt(WorkerService& service, int fd, const Address& peer);
  void listen(WorkerService& service, bool on);
  bool close_oldest_idle();

  // client.cpp: a client between requests, and answers of our own.
  void on_client(Client& client);
  void next_request(Client& client);
  bool receive_head(Client& client, std::string_view& input);
  void refuse(Client& client, const http1::Outcome& outcome);
  struct Answer {
    int code;
    const char* error;    // RFC 9209's error type
    const char* details;  // our word for it
    bool retry_after = false;
  };
  void answer(Client& client, const Answer& answer, bool keep_alive, bool head, bool http10);
  bool send_to(Client& client, std::string_view bytes);
  bool flush(Client& client);
  void become_idle(Client& client);
  void linger(Client& client);
  void discard(Client& client);
  void close(Client& client);
  void on_client_deadline(Client& client);

  // exchange.cpp: one request, from its head to its last byte.
  Exchange& open(Client& client, const http1::Request& request, const Buffer& head);
  void begin(Client& client, const http1::Request& request, Buffer head, std::string_view rest);
  bool pump(Exchange& exchange);
  bool send_request(Exchange& exchange, bool& yielded);
  bool read_answer(Exchange& exchange, bool& yielded);
  bool may_hold_more(Exchange& exchange);
  bool read_body(Exchange& exchange);
  bool take_body(Exchange& exchange, std::string_view input, std::size_t& used);
  bool respond(Exchange& exchange, std::string_view input);
  bool respond_head(Exchange& exchange, std::string_view& input, std::size_t& written);
  bool respond_chunks(Exchange& exchange, std::string_view input, std::size_t& written);
  bool respond_body(Exchange& exchange, std::string_view input, std::size_t written);
  bool answer_ended(Exchange& exchange);
  void finish(Exchange& exchange);
  void fail(Exchange& exchange, Failure failure);
  void end(Exchange& exchange, bool keep_upstream);
  void reply_and_end(Exchange& exchange, Failure failure, const Answer& answer);
  void plan_deadline(Exchange& exchange);
  void on_exchange_deadline(Exchange& exchange);

  // traced.cpp: what a sampled request leaves. The branch is all that others pay.
  bool sample(Exchange& exchange, const http1::Request& request);
  void enter(Exchange& exchange, Exchange::Phase phase) {
    if (exchange.sampled) [[unlikely]]
      enter(exchange, phase, now_);
  }
  void enter(Exchange& exchange, Exchange::Phase phase, Time at);
  void trace(Exchange& exchange, int status, Failure failure);

  // tunnel.cpp
  bool open_tunnel(Exchange& exchange);
  bool pump_tunnel(Exchange& exchange);
  bool carry(Exchange& exchange, bool to_replica);

  // upstream.cpp: connections to replicas, and what goes wrong with them.
  void assign(Exchange& exchange, LocalReplica& replica);
  Upstream* kept(Exchange& exchange, LocalReplica& replica);
  Upstream* connect(LocalReplica& replica, Micros timeout, int& error);
  void wait_writable(Upstream& upstream);
  void await_answer(Exchange& exchange);
  void on_upstream(Upstream& upstream);
  void keep(Upstream& upstream, const Exchange& exchange);
  void close(Upstream& upstream);
  void leave(Exchange& exchange);
  void upstream_failed(Exchange& exchange, Failure failure);
  bool retry(Exchange& exchange);
  void try_again(Exchange& exchange, bool unheard, bool stale);
  void resume_paused();
  void again(Exchange& exchange, LocalReplica& replica);
  void on_upstream_deadline(Upstream& upstream);

  // balance.cpp: which replica, and who waits.
  LocalReplica* choose(WorkerService& service, const Replica* avoid);
  bool usable(WorkerService& service, Replica& replica);
  void count_panic(WorkerService& service);
  void leave_alone(Replica& replica, Micros time);
  void failed(WorkerService& service, Replica& replica, Failure failure);
  void succeeded(Replica& replica);
  bool hold(Exchange& exchange, bool in_front);
  void unhold(Exchange& exchange);
  void release(WorkerService& service, std::shared_ptr<Replica>& slot);
  void pump_hold(WorkerService& service);
  void granted(Exchange& exchange, std::uint32_t generation);

  Exchange& take_exchange();

  static constexpr std::size_t kScratch = 64 << 10;

  Common& common_;
  const int index_;
  Tracer* const tracer_;  // null: nothing is traced
  Fd epoll_, wake_, alarm_;
  Source mailbox_source_{Source::Kind::mailbox}, alarm_source_{Source::Kind::alarm};
  std::thread thread_;
  std::atomic<bool> stopping_{false};
  std::atomic<int> clients_{0};

  std::mutex mailbox_mutex_;
  std::vector<std::function<void()>> mailbox_;

  Time now_{};
  Time armed_ = kNever;  // when alarm_ goes off
  Wheel wheel_;
  Buffers buffers_;
  std::unique_ptr<char[]> in_, out_;
  std::vector<Connection*> queue_, running_;
  std::vector<Connection*> dead_;
  std::vector<std::pair<Exchange*, std::uint32_t>> grants_;
  struct Pause {
    Exchange* exchange;
    std::uint32_t generation;
    Time until;
  };
  std::deque<Pause> pauses_;  // before another try at the same replica
  std::vector<std::unique_ptr<Exchange>> exchanges_;
  std::vector<Exchange*> free_exchanges_;
  std::unordered_map<ServiceId, std::shared_ptr<WorkerService>> services_;
  std::vector<Drain> drains_;
  Link idle_clients_;
  Time demanded_{}, housekept_{};
  std::int64_t waiting_ = 0;  // of this thread's requests
  bool paused_ = false;       // accepting, for want of descriptors
  bool forget_ = false;       // a replica that left has no connection any more
  std::int64_t date_second_ = -1;
  char date_[32] = {};
  std::minstd_rand random_;
};

}  // namespace headroom::gateway
