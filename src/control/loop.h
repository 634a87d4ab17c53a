#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "control/scaler.h"

namespace headroom::control {

/// All the autoscalers of one Headroom. Lives on the io_context's one thread; its end SIGKILLs
/// the replicas that are left.
class Loop {
 public:
  explicit Loop(World world) : world_(std::move(world)) {}
  ~Loop();

  /// Makes what runs the same as `wanted`: starts the new, updates the changed, drains and stops
  /// those no longer there. All of it that can be done is done; every error is in the message,
  /// one per line, with the code of the first.
  Result<void> apply(const std::vector<policy::Autoscaler>& wanted);

  /// The documents that were to come could not be read: it is an event of each that runs.
  void refused(const std::string& why);
  /// They are read again, and say what runs.
  void accepted();
  /// The journal is about to be closed.
  void write_samples();

  /// Takes what a predecessor hands over, by the documents that its replicas run by, and decides
  /// nothing: it can be given back. Then begin(), and apply() for what is new in the documents.
  Result<void> adopt(const std::vector<policy::Autoscaler>& policies,
                     std::vector<HandedScaler> handed);
  void begin();
  /// For a successor. Nothing changes until let_go(), which must follow at once.
  std::vector<HandedScaler> hand_over() const;
  /// Decides no more, and answers what is open (at most `deadline`); `done` when all is gone that
  /// is not the successor's.
  void let_go(Millis deadline, std::function<void()> done);

  /// An operator's word: so many replicas (none: as many as there are) for that time (none: until
  /// release()), whatever the policy would say; it is journalled, and outlasts a restart.
  /// Errors: unavailable (no autoscaler of that name), invalid (more than its maximum).
  Result<void> hold(const std::string& name, std::optional<Replicas> replicas,
                    std::optional<Millis> time);
  /// Takes it back. Errors: unavailable; conflict (nothing is held).
  Result<void> release(const std::string& name);

  /// What a replica wrote: see target::Process::written(). Errors: unavailable (no such one).
  Result<target::Written> written(const std::string& name, target::ReplicaId replica,
                                  std::uint64_t after) const;

  /// Something waits in a service of the gateway, and no replica has room.
  void demand(gateway::ServiceId service);

  /// Answers what is open (at most `deadline`), then stops the replicas; `done` when all is gone.
  void stop(Millis deadline, std::function<void()> done);

  /// SIGKILLs every replica, now.
  void kill();

  /// What stop() needs at most to have everything answered, by the policies' drain times.
  Millis longest_drain() const;
  /// What their replicas may take from then on to end, by the policies' grace periods.
  Millis longest_grace() const;

 private:
  Result<Scaler*> find(const std::string& name) const;
  Scaler* find(gateway::ServiceId service) const;  // one that stops, too; null: none
  void retire(std::unique_ptr<Scaler> scaler);
  void shut_gateway(Millis deadline);
  void tell_unanswered(const std::map<gateway::ServiceId, gateway::Unanswered>& all, Millis after);
  void retire_all();
  void tell_when_all_gone();

  World world_;
  std::map<std::string, std::unique_ptr<Scaler>> scalers_;
  std::vector<std::unique_ptr<Scaler>> retired_;  // stopping
  std::function<void()> all_gone_;
  bool stopping_ = false;
  std::thread shutting_;  // waits for the gateway, which blocks
};

}  // namespace headroom::control
