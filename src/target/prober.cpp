#include "target/prober.h"

#include <algorithm>

namespace headroom::target {

using std::chrono::steady_clock;

Prober::Prober(boost::asio::io_context& io, policy::Probe probe, ProbeTarget target, Manner manner,
               Crossed crossed)
    : io_(io),
      probe_(std::move(probe)),
      target_(std::move(target)),
      manner_(manner),
      crossed_(std::move(crossed)),
      timer_(io),
      started_(steady_clock::now()),
      count_from_(started_ + probe_.initial_delay) {
  wait(probe_.initial_delay);
}

void Prober::wait(steady_clock::duration delay) {
  timer_.expires_after(delay);
  timer_.async_wait([this, alive = std::weak_ptr(alive_)](boost::system::error_code error) {
    if (!error && !alive.expired()) run();
  });
}

void Prober::run() {
  ran_ = steady_clock::now();
  attempt_ = attempt(io_, probe_, target_, [this](const Outcome& outcome) { done(outcome); });
}

void Prober::done(const Outcome& outcome) {
  if (outcome.ok) return succeeded(outcome.why);
  failed(outcome);
}

void Prober::succeeded(const std::string& why) {
  manner_.eager = false;
  failures_ = 0;
  ++successes_;
  if (!manner_.once)
    wait(std::max(steady_clock::duration(0), ran_ + probe_.period - steady_clock::now()));
  if (healthy_ || successes_ < probe_.success_threshold) return;
  healthy_ = true;
  const auto call = crossed_;  // it may end us
  call(true, why);
}

void Prober::failed(const Outcome& outcome) {
  successes_ = 0;
  const auto now = steady_clock::now();
  const auto next = std::max(steady_clock::duration(0), ran_ + probe_.period - now);
  if (!manner_.eager) {
    wait(next);
  } else {
    wait(std::min<steady_clock::duration>(eager_delay(outcome.refused), probe_.period));
    if (now < count_from_) return;
    count_from_ = now + probe_.period;
  }
  if (++failures_ < probe_.failure_threshold) return;
  failures_ = 0;
  healthy_ = false;
  const auto call = crossed_;
  call(false, outcome.why);
}

/// A replica is looked at closely while it is likely to come up soon, then ever less.
steady_clock::duration Prober::eager_delay(bool refused) const {
  const auto age = steady_clock::now() - started_ - probe_.initial_delay;
  if (probe_.exec) return age < 1s ? 50ms : age < 10s ? 250ms : 1000ms;
  if (age >= 10s) return 100ms;
  if (age >= 1s) return 10ms;
  return refused ? 1ms : 2ms;
}

}  // namespace headroom::target
