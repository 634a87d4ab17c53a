#pragma once

#include <functional>
#include <memory>

#include <boost/asio/steady_timer.hpp>

#include "target/attempt.h"

namespace headroom::target {

/// Runs a probe over and over with Kubernetes' meaning of its fields, and says when its
/// thresholds are crossed. Starts with its construction, ends with its destruction.
class Prober {
 public:
  struct Manner {
    /// Until the first success, try again within milliseconds rather than each period, so that
    /// readiness is seen when it comes. Failures still count once per period.
    bool eager = false;
    bool once = false;  // stop at the first success
  };
  /// `crossed(true)` after successThreshold successes in a row (not again before a failure was
  /// reported), `crossed(false)` after each failureThreshold failures in a row.
  using Crossed = std::function<void(bool healthy, const std::string& why)>;

  Prober(boost::asio::io_context& io, policy::Probe probe, ProbeTarget target, Manner manner,
         Crossed crossed);

 private:
  void wait(std::chrono::steady_clock::duration delay);
  void run();
  void done(const Outcome& outcome);
  void succeeded(const std::string& why);
  void failed(const Outcome& outcome);
  std::chrono::steady_clock::duration eager_delay(bool refused) const;

  boost::asio::io_context& io_;
  const policy::Probe probe_;
  const ProbeTarget target_;
  Manner manner_;
  const Crossed crossed_;
  boost::asio::steady_timer timer_;
  std::unique_ptr<Attempt> attempt_;
  std::chrono::steady_clock::time_point started_, ran_, count_from_;
  int successes_ = 0, failures_ = 0;
  bool healthy_ = false;
  // A timer that has fired calls even if it is cancelled then: its handler holds this weakly.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace headroom::target
