#include "control/loop.h"

#include <algorithm>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "base/log.h"

namespace headroom::control {

Loop::~Loop() {
  if (shutting_.joinable()) shutting_.join();
}

Result<void> Loop::apply(const std::vector<policy::Autoscaler>& wanted) {
  if (stopping_) return {};
  std::optional<Error> errors;
  const auto note = [&errors](const std::string& name, const Error& error) {
    const auto what = name + ": " + error.what;
    if (errors) {
      errors->what += "\n" + what;
    } else {
      errors = Error{error.code, what, error.where};
    }
  };
  // What is no longer wanted goes first: its address may be what a new one listens on.
  for (auto it = scalers_.begin(); it != scalers_.end();) {
    if (std::ranges::find(wanted, it->first, &policy::Autoscaler::name) != wanted.end()) {
      ++it;
      continue;
    }
    it->second->leaves("it is no longer in the document");
    retire(std::move(it->second));
    world_.board.remove(it->first);
    it = scalers_.erase(it);
  }
  for (const auto& policy : wanted) {
    const auto known = scalers_.find(policy.name);
    if (known != scalers_.end()) {
      if (auto done = known->second->update(policy); !done) {
        note(policy.name, done.error());
        known->second->refused(done.error().what);
      }
      continue;
    }
    auto started = Scaler::start(world_, policy);
    if (!started) {
      note(policy.name, started.error());
      world_.recorder.event(policy.name, journal::Event::Kind::policy,
                            "not started: " + started.error().what);
      continue;
    }
    scalers_.emplace(policy.name, std::move(*started));
  }
  if (errors) return fail(std::move(*errors));
  return {};
}

void Loop::refused(const std::string& why) {
  for (const auto& [name, scaler] : scalers_) scaler->refused(why);
}

void Loop::write_samples() {
  for (const auto& [name, scaler] : scalers_) scaler->write_samples();
}

void Loop::accepted() {
  for (const auto& [name, scaler] : scalers_) scaler->accepted();
}

Result<void> Loop::adopt(const std::vector<policy::Autoscaler>& policies,
                         std::vector<HandedScaler> handed) {
  for (std::size_t n = 0; n < policies.size(); ++n) {
    auto started = Scaler::start(world_, policies[n], &handed[n]);
    if (!started) return fail(started.error());
    scalers_.emplace(policies[n].name, std::move(*started));
  }
  return {};
}

void Loop::begin() {
  for (const auto& [name, scaler] : scalers_) scaler->begin();
}

std::vector<HandedScaler> Loop::hand_over() const {
  std::vector<HandedScaler> handed;
  for (const auto& [name, scaler] : scalers_) handed.push_back(scaler->hand_over());
  return handed;
}

void Loop::let_go(Millis deadline, std::function<void()> done) {
  stopping_ = true;
  all_gone_ = std::move(done);
  world_.gateway.let_go();  // first: what is sent to the successor must not come back here
  for (const auto& [name, scaler] : scalers_) scaler->let_go();
  shut_gateway(deadline);
}

void Loop::retire(std::unique_ptr<Scaler> scaler) {
  auto* const raw = scaler.get();
  retired_.push_back(std::move(scaler));
  raw->stop([this, raw] {
    // Not from within its own call; and not while a predecessor may use what goes with it.
    boost::asio::post(world_.io, [this, raw] {
      world_.predecessor.when_gone([this, raw] {
        std::erase_if(retired_, [raw](const auto& each) { return each.get() == raw; });
        tell_when_all_gone();
      });
    });
  });
}

Result<Scaler*> Loop::find(const std::string& name) const {
  const auto found = scalers_.find(name);
  if (found != scalers_.end()) return found->second.get();
  return fail({Code::unavailable, fmt::format("there is no autoscaler \"{}\"", name), {}});
}

Result<void> Loop::hold(const std::string& name, std::optional<Replicas> replicas,
                        std::optional<Millis> time) {
  const auto scaler = find(name);
  if (!scaler) return fail(scaler.error());
  return (*scaler)->hold(replicas, time);
}

Result<void> Loop::release(const std::string& name) {
  const auto scaler = find(name);
  if (!scaler) return fail(scaler.error());
  return (*scaler)->release();
}

Result<target::Written> Loop::written(const std::string& name, target::ReplicaId replica,
                                      std::uint64_t after) const {
  const auto scaler = find(name);
  if (!scaler) return fail(scaler.error());
  auto written = (*scaler)->written(replica, after);
  if (written) return *std::move(written);
  return fail({Code::unavailable, fmt::format("there is no replica {}", replica), {}});
}

Scaler* Loop::find(gateway::ServiceId service) const {
  for (const auto& [name, scaler] : scalers_) {
    if (scaler->service() == service) return scaler.get();
  }
  for (const auto& scaler : retired_) {
    if (scaler->service() == service) return scaler.get();
  }
  return nullptr;
}

void Loop::demand(gateway::ServiceId service) {
  if (auto* const scaler = find(service)) scaler->demand();
}

void Loop::kill() {
  scalers_.clear();
  retired_.clear();
}

Millis Loop::longest_drain() const {
  Millis longest = 0s;
  const auto count = [&longest](const Scaler& scaler) {
    const auto& gateway = scaler.policy().gateway;
    if (gateway) longest = std::max(longest, gateway->drain);
  };
  for (const auto& [name, scaler] : scalers_) count(*scaler);
  for (const auto& scaler : retired_) count(*scaler);
  return longest;
}

Millis Loop::longest_grace() const {
  Millis longest = 0s;
  const auto count = [&longest](const Scaler& scaler) {
    longest = std::max(longest, scaler.policy().target.process.termination_grace_period);
  };
  for (const auto& [name, scaler] : scalers_) count(*scaler);
  for (const auto& scaler : retired_) count(*scaler);
  return longest;
}

void Loop::stop(Millis deadline, std::function<void()> done) {
  if (stopping_) return;
  stopping_ = true;
  all_gone_ = std::move(done);
  world_.board.set_stopping();  // first: who asks is sent elsewhere before he is refused
  for (const auto& [name, scaler] : scalers_) {
    scaler->leaves("Headroom ends");
    scaler->demand();  // which shows it
  }
  // Replicas go on answering, and a request that waits at zero still starts one, until the
  // gateway has nothing left open; only then are they stopped.
  shut_gateway(deadline);
}

void Loop::shut_gateway(Millis deadline) {
  shutting_ = std::thread([this, deadline] {
    auto unanswered = world_.gateway.shutdown(deadline);
    boost::asio::post(world_.io, [this, deadline, unanswered = std::move(unanswered)] {
      tell_unanswered(unanswered, deadline);
      retire_all();
    });
  });
}

void Loop::tell_unanswered(const std::map<gateway::ServiceId, gateway::Unanswered>& all,
                           Millis after) {
  for (const auto& [service, requests] : all) {
    if (auto* const scaler = find(service)) scaler->tell_unanswered(requests, after);
  }
}

void Loop::retire_all() {
  world_.traffic_ended = true;
  for (auto& [name, scaler] : scalers_) retire(std::move(scaler));
  scalers_.clear();
  // Those on their way out already need not wait for what no longer comes.
  for (const auto& scaler : retired_) scaler->demand();
  tell_when_all_gone();
}

void Loop::tell_when_all_gone() {
  if (!stopping_ || !scalers_.empty() || !retired_.empty() || !all_gone_) return;
  std::exchange(all_gone_, {})();
}

}  // namespace headroom::control
