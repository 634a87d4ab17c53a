#pragma once

#include <memory>
#include <optional>
#include <string>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "target/expand.h"
#include "target/handed.h"
#include "target/output.h"
#include "target/ports.h"
#include "target/prober.h"
#include "target/process.h"
#include "target/run_directory.h"
#include "target/spawner.h"
#include "target/troubles.h"

namespace headroom::target {

/// What the replicas of one Process share.
struct Surroundings {
  boost::asio::io_context& io;
  std::string name;
  std::string state_directory;
  Guardian& guardian;
  RunDirectory run;
  Spawner spawner;
};

/// One replica from its first start until it is gone: starts the program, watches it, starts
/// it again when it ends unasked, stops it when told to.
class Runner : public std::enable_shared_from_this<Runner> {
 public:
  /// Called from handlers of the io_context only, never from inside a call to the Runner.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void ready(Runner& runner) = 0;
    virtual void unready(Runner& runner) = 0;
    virtual void gone(Runner& runner) = 0;
    virtual void said(const std::string& what) = 0;
  };

  Runner(Surroundings& surroundings, Owner& owner, ReplicaId id, policy::Process spec,
         int generation);
  ~Runner();  // SIGKILLs and reaps
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  void start();
  /// Instead: one that a predecessor started.
  void adopt(HandedReplica handed);
  /// Whether a successor may have it: it runs, and nobody ends it.
  bool stays() const { return view_.pid != 0 && !leaving_ && !stopping_; }
  HandedReplica hand_over() const;
  /// It is another's now.
  void let_go();
  /// Leaves for good. Not yet stopped where it may have requests: then stop() is to follow.
  void leave();
  /// SIGTERM to the group, the grace period, SIGKILL to the group; then Owner::gone().
  void stop();
  /// SIGKILL to all of it, without waiting.
  void kill();

  const Replica& view() const { return view_; }
  int generation() const { return generation_; }
  bool leaving() const { return leaving_; }
  /// Whether it had traffic in this life, and so may have some still.
  bool served() const { return view_.startup.has_value() && view_.pid != 0; }
  Result<Usage> usage() const;
  const Tail& tail() const { return output_.tail(); }

 private:
  Result<void> give_address();
  Environment environment() const;
  Result<Started> spawn_process();
  void launched(Started started);
  void limit_start();
  void begin_probes();
  void begin_readiness();
  void begin_liveness();
  ProbeTarget probe_target() const;
  void readiness(bool healthy, const std::string& why);
  void restart_because(Trouble trouble, const std::string& more);
  void terminate();
  void wait_for_exit();
  void exited();
  void group_left();
  void clean_up_after_exit();
  void remove_cgroup(int tries_left);
  void ended();
  void back_off();
  void enter(Replica::State state);
  std::string last_output() const;
  std::string label() const;
  std::optional<Usage> used_now() const;
  template <class Then>
  void after(boost::asio::steady_timer& timer, std::chrono::steady_clock::duration delay,
             Then then);

  Surroundings& around_;
  Owner& owner_;
  const policy::Process spec_;
  const int generation_;
  Replica view_;
  Output output_;

  Port port_;
  std::string socket_;
  Environment environment_;
  Cgroup cgroup_;
  boost::asio::posix::stream_descriptor exited_;
  boost::asio::steady_timer start_timer_, stop_timer_, restart_timer_;
  std::optional<Prober> startup_, readiness_, liveness_;

  bool leaving_ = false;
  bool stopping_ = false;  // SIGTERM was sent
  std::string reason_;     // why we are stopping it, where it shall start again
  int status_code_ = 0, status_ = 0;
  std::chrono::steady_clock::time_point kill_at_;
  std::optional<std::chrono::steady_clock::time_point> ready_since_;
  std::chrono::microseconds cpu_before_{0};  // of earlier lives
  mutable std::chrono::microseconds cpu_seen_{0};
};

}  // namespace headroom::target
