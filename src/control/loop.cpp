#include "control/loop.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <thread>

#include "base/log.h"
#include "control/clock.h"

namespace headroom::control {

Result<void> Loop::apply(const std::vector<policy::Autoscaler>& wanted) {
  Result<void> outcome;
  const auto note = [&outcome](const std::string& name, const Error& error) {
    if (outcome) outcome = fail({error.code, name + ": " + error.what, error.where});
  };
  // What is no longer wanted goes first: its address may be what a new one listens on.
  for (auto it = scalers_.begin(); it != scalers_.end();) {
    const auto still = std::ranges::find(wanted, it->first, &policy::Autoscaler::name);
    if (still != wanted.end()) {
      ++it;
      continue;
    }
    log::info("{}: no longer in the document, stopping", it->first);
    retire(std::move(it->second));
    it = scalers_.erase(it);
  }
  for (const auto& policy : wanted) {
    const auto known = scalers_.find(policy.name);
    if (known != scalers_.end()) {
      if (auto updated = known->second->update(policy); !updated) note(policy.name, updated.error());
      continue;
    }
    auto started = Scaler::start(world_, policy);
    if (!started) {
      note(policy.name, started.error());
      continue;
    }
    scalers_.emplace(policy.name, std::move(*started));
  }
  return outcome;
}

void Loop::retire(std::unique_ptr<Scaler> scaler) {
  retired_.push_back(std::move(scaler));
  auto* const raw = retired_.back().get();
  raw->stop([this, raw] {
    // Not from within its own call.
    boost::asio::post(world_.io, [this, raw] {
      std::erase_if(retired_, [raw](const auto& each) { return each.get() == raw; });
    });
  });
}

void Loop::demand(gateway::ServiceId service) {
  boost::asio::post(world_.io, [this, service] {
    for (const auto& [name, scaler] : scalers_) {
      if (scaler->service() == service) scaler->demand();
    }
  });
}

void Loop::stop(Millis deadline, std::function<void()> done) {
  // Replicas go on answering, and a request that waits at zero still starts one, until the
  // gateway has nothing left open; only then are they stopped.
  std::thread([this, deadline, done = std::move(done)]() mutable {
    world_.gateway.shutdown(deadline);
    boost::asio::post(world_.io, [this, done = std::move(done)] {
      auto left = std::make_shared<std::size_t>(scalers_.size() + 1);
      const auto one_less = [left, done] {
        if (--*left == 0) done();
      };
      for (const auto& [name, scaler] : scalers_) scaler->stop(one_less);
      one_less();
    });
  }).detach();
}

}  // namespace headroom::control
