#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/listeners.h"
#include "base/time.h"
#include "control/clock.h"
#include "control/handed.h"
#include "control/load_meter.h"
#include "control/predecessor.h"
#include "control/recorder.h"
#include "control/status.h"
#include "control/usage_meter.h"
#include "decide/decide.h"
#include "gateway/gateway.h"
#include "policy/autoscaler.h"
#include "target/process.h"

namespace headroom::control {

/// What the scalers share. All of it outlives them.
struct World {
  boost::asio::io_context& io;
  const Clock& clock;
  Recorder& recorder;
  gateway::Gateway& gateway;
  target::Guardian& guardian;
  Board& board;
  std::string state_directory;
  Listeners& listeners;  // a service manager's
  Predecessor& predecessor;
  bool traffic_ended = false;  // the gateway was shut down: nothing is open, and nothing comes
};

/// One autoscaler, live: collects an observation, decides, records, acts; and tells the gateway
/// which replicas take traffic. Lives on the io_context's one thread.
class Scaler {
 public:
  /// Binds the gateway's address and goes on from where the journal says it was.
  /// With `handed`: on the predecessor's socket, and with its replicas; it decides nothing before
  /// begin(), so that all can be given back.
  /// Errors: those of the address (conflict, unavailable, invalid), named as in the document.
  static Result<std::unique_ptr<Scaler>> start(World& world, const policy::Autoscaler& policy,
                                               HandedScaler* handed = nullptr);
  ~Scaler();

  /// The new policy holds from the next decision on, which is made at once. On an error (the new
  /// address is taken) the old policy goes on.
  Result<void> update(const policy::Autoscaler& policy);
  /// The document that was to come could not be read, or cannot hold: an event says why.
  void refused(const std::string& why);
  /// It is read again, and says what runs: an event, where it was refused before.
  void accepted();
  /// It is about to be stopped: an event says why.
  void leaves(const char* why);

  /// See Loop's; no autoscaler's name is said in the errors.
  Result<void> hold(std::optional<Replicas> replicas, std::optional<Millis> time);
  Result<void> release();
  std::optional<target::Written> written(target::ReplicaId replica, std::uint64_t after) const {
    return target_->written(replica, after);
  }

  /// An event says which requests the end found unanswered after that time; none, where none.
  void tell_unanswered(const gateway::Unanswered& requests, Millis after);

  /// Something waits at the gateway and has no room: decide now.
  void demand() { tick(); }

  /// Decides from now on.
  void begin();

  /// The journal knows all of it up to now, as it is about to be closed.
  void write_samples();
  /// What a successor goes on with; nothing changes until let_go(), which must follow at once.
  HandedScaler hand_over() const;
  /// Decides no more; its replicas are a successor's. What the gateway still has open is answered:
  /// where no replica is ready, by way of the successor.
  void let_go();

  /// Stops listening, goes on until nothing waits (at most the policy's drain time), then drains
  /// and stops the replicas; `done` when the last is gone.
  void stop(std::function<void()> done);

  const policy::Autoscaler& policy() const { return policy_; }
  std::optional<gateway::ServiceId> service() const { return service_; }

 private:
  /// One run of one replica, as the gateway knows it: a replica that crashed comes back as
  /// another backend, so nothing the gateway remembers of the dead process reaches the new one.
  struct Run {
    gateway::Backend backend;
    pid_t pid = 0;
    bool ready = false;
  };

  Scaler(World& world, const policy::Autoscaler& policy);
  Result<void> open_gateway(Fd handed);
  void adopt();
  Result<void> restore();
  std::string taken_over() const;
  std::string started() const;
  void tell_stopped(const char* how);
  void resume();

  target::Hooks hooks();
  void on_ready(const target::Replica& replica);
  void on_unready(const target::Replica& replica);
  void on_drain(const target::Replica& replica, std::function<void()> done);
  void on_gone(target::ReplicaId id);
  std::int64_t outstanding(target::ReplicaId id) const;
  void publish_backends();

  void tick();
  void look_again_in(Millis wait);
  decide::Observation collect();
  decide::ReplicaSeen seen(const target::Replica& replica, Instant now);
  void act(const decide::Decision& decision, std::optional<std::int64_t> entry);
  void show(decide::Observation observation, decide::Decision decision,
            std::optional<std::int64_t> entry);
  void show_the_end();
  void publish(std::shared_ptr<Status> status);
  ReplicaStatus status_of(const target::Replica& replica, Instant now) const;
  void settle_soon();
  void settle();
  void note(const std::string& outcome);
  void tell(journal::Event::Kind kind, const std::string& what);
  void sample(const Status& status);
  void hold_against(Status& status);
  void stop_target();

  World& world_;
  policy::Autoscaler policy_;
  std::optional<gateway::ServiceId> service_;
  boost::asio::steady_timer timer_;
  std::map<target::ReplicaId, Run> runs_;
  gateway::ReplicaId next_backend_ = 1;
  std::map<target::ReplicaId, UsageMeter> usage_;
  StepMeter steps_;
  ObjectiveMeter objective_;
  const Instant begun_ = world_.clock.now();
  const std::int64_t begun_unix_ms_ = unix_millis();
  Lately<std::uint64_t> failures_{Status::kRecent, 5s};
  std::uint64_t failed_before_ = 0;  // in lives before this one, as far as it is recent
  std::uint64_t decisions_ = 0, ups_ = 0, downs_ = 0;  // of this life
  LoadMeter load_;
  std::optional<gateway::Snapshot> traffic_;  // at the newest look
  decide::Memory memory_;
  Replicas current_;
  bool adopted_ = false;     // the replicas were a predecessor's
  bool restored_ = false;    // the journal said what to go on from
  bool told_begun_ = false;  // an event says that it began, none that it has stopped
  bool refused_ = false;     // what its document says now is not what runs

  /// The last change of the count that is not reached yet, and its entry in the journal.
  struct Pending {
    std::optional<std::int64_t> entry;
    std::chrono::steady_clock::time_point since;
  };
  std::optional<Pending> pending_;

  bool shown_ = true;  // on the board
  std::function<void()> stopped_;
  std::chrono::steady_clock::time_point stop_at_;  // then the replicas stop, whatever waits
  enum class Phase { running, closing, stopping, succeeded } phase_ = Phase::running;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for calls that come late
  std::unique_ptr<target::Process> target_;                     // last: its end calls hooks
};

}  // namespace headroom::control
