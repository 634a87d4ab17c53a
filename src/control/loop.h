#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "control/scaler.h"

namespace headroom::control {

/// All the autoscalers of one Headroom.
class Loop {
 public:
  explicit Loop(World world) : world_(std::move(world)) {}

  /// Makes what runs the same as `wanted`: starts the new, updates the changed, drains and stops
  /// those no longer there. All of it that can be done is done; the first error is returned.
  Result<void> apply(const std::vector<policy::Autoscaler>& wanted);

  /// From any thread.
  void demand(gateway::ServiceId service);

  /// Answers what is open (at most `deadline`), then stops the replicas; `done` when all is gone.
  void stop(Millis deadline, std::function<void()> done);

 private:
  void retire(std::unique_ptr<Scaler> scaler);

  World world_;
  std::map<std::string, std::unique_ptr<Scaler>> scalers_;
  std::vector<std::unique_ptr<Scaler>> retired_;  // stopping
};

}  // namespace headroom::control
