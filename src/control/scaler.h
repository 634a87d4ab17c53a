#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/time.h"
#include "control/load_meter.h"
#include "control/recorder.h"
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
  std::string state_directory;
};

/// One autoscaler, live: collects an observation, decides, records, acts; and tells the gateway
/// which replicas take traffic. Lives on the io_context's one thread.
class Scaler {
 public:
  /// Binds the gateway's address and goes on from where the journal says it was.
  /// Errors: those of the address (conflict, unavailable, invalid), placed in the document.
  static Result<std::unique_ptr<Scaler>> start(World& world, const policy::Autoscaler& policy);
  ~Scaler();

  /// The new policy holds from the next decision on, which is made at once. On an error (the new
  /// address is taken) the old policy goes on.
  Result<void> update(const policy::Autoscaler& policy);

  /// Something waits at the gateway and has no room: decide now.
  void demand() { tick(); }

  /// No more decisions; drains and stops the replicas; `done` when the last is gone.
  void stop(std::function<void()> done);

  const policy::Autoscaler& policy() const { return policy_; }
  std::optional<gateway::ServiceId> service() const { return service_; }

 private:
  Scaler(World& world, const policy::Autoscaler& policy);
  Result<void> open_gateway();
  Result<void> restore();
  target::Hooks hooks();

  void tick();
  void look_again_in(Millis wait);
  decide::Observation collect();
  decide::ReplicaSeen seen(const target::Replica& replica, Instant now);
  void act(const decide::Observation& observation, const decide::Decision& decision);

  void publish_backends();
  void drain(const target::Replica& replica, std::function<void()> done);

  World& world_;
  policy::Autoscaler policy_;
  std::optional<gateway::ServiceId> service_;
  std::unique_ptr<target::Process> target_;
  boost::asio::steady_timer timer_;
  // A backend is one run of one replica: a replica that crashed comes back as another backend,
  // so nothing the gateway remembers of the dead process can reach the new one.
  std::map<target::ReplicaId, gateway::Backend> backends_;
  gateway::ReplicaId next_backend_ = 1;
  std::map<target::ReplicaId, UsageMeter> usage_;
  LoadMeter load_;
  decide::Memory memory_;
  Replicas current_;
  bool stopping_ = false;
};

}  // namespace headroom::control
