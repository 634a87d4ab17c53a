#include "control/scaler.h"

#include <algorithm>
#include <boost/asio/post.hpp>

#include "base/log.h"
#include "control/clock.h"

namespace headroom::control {
namespace {

// While replicas run, load can rise without anything waiting, and only a look shows it.
constexpr Millis kLookWhileRunning = 250ms;

Result<gateway::Settings> settings_of(const policy::Autoscaler& policy, Millis usual_startup) {
  const auto& from = *policy.gateway;
  auto listen = resolve(from.listen);
  if (!listen) return fail(listen.error());
  gateway::Settings to;
  to.name = policy.name;
  to.listen = *listen;
  to.trusted_proxies = from.trusted_proxies;
  to.forwarded = from.forwarded;
  to.half_close = from.half_close;
  to.hold = {from.hold.max_requests, from.hold.max_bytes, from.hold.timeout, from.hold.no_wake,
             std::max<Millis>(1s, usual_startup)};
  const auto& t = from.timeouts;
  to.timeouts = {t.head,      t.body_idle, t.connect,       t.response_head, t.response_idle,
                 t.send_idle, t.idle,      t.upstream_idle, t.tunnel_idle,   t.request};
  const auto& l = from.limits;
  to.limits = {l.request_line, l.head, l.fields, l.body, l.connections};
  to.retries = {from.retries.attempts, from.retries.budget_percent, from.retries.budget_minimum};
  return to;
}

Instant loop_time(std::chrono::steady_clock::time_point at, Instant now) {
  const auto age = std::chrono::steady_clock::now() - at;
  return now - std::chrono::duration_cast<Millis>(age);
}

}  // namespace

Scaler::Scaler(World& world, const policy::Autoscaler& policy)
    : world_(world), policy_(policy), timer_(world.io) {}

Scaler::~Scaler() = default;

Result<std::unique_ptr<Scaler>> Scaler::start(World& world, const policy::Autoscaler& policy) {
  std::unique_ptr<Scaler> scaler(new Scaler(world, policy));
  if (auto opened = scaler->open_gateway(); !opened) return fail(opened.error());
  scaler->target_ =
      std::make_unique<target::Process>(world.io, policy.name, policy.target.process,
                                        world.guardian, world.state_directory, scaler->hooks());
  if (auto restored = scaler->restore(); !restored) return fail(restored.error());
  scaler->tick();
  return scaler;
}

Result<void> Scaler::open_gateway() {
  if (!policy_.gateway) return {};
  const auto usual = world_.recorder.journal().usual_startup(policy_.name);
  auto settings = settings_of(policy_, usual && *usual ? **usual : 1s);
  if (!settings) return fail(settings.error());
  auto service = world_.gateway.add(*settings);
  if (!service) return fail(service.error());
  service_ = *service;
  log::info("{}: listening on {}", policy_.name, to_string(world_.gateway.listening(*service)));
  return {};
}

/// Goes on where the journal left off, so that a restart under load does not begin at the minimum.
Result<void> Scaler::restore() {
  auto restored = world_.recorder.journal().restore(policy_.name);
  if (!restored) return fail(restored.error());
  Replicas wanted = policy_.min_replicas;
  if (*restored) {
    memory_ = std::move((*restored)->memory);
    wanted = std::clamp((*restored)->replicas, policy_.min_replicas, policy_.max_replicas);
    log::info("{}: goes on with {} replicas, as the journal says", policy_.name, wanted.count);
  }
  current_ = wanted;
  target_->scale(wanted);
  return {};
}

target::Hooks Scaler::hooks() {
  return {
      .ready =
          [this](const target::Replica& replica) {
            if (replica.startup && !backends_.contains(replica.id)) {
              world_.recorder.startup(policy_.name, *replica.startup);
            }
            const auto limit =
                policy_.concurrency ? policy_.concurrency->container_concurrency : 0;
            backends_.try_emplace(replica.id,
                                  gateway::Backend{next_backend_++, replica.address, limit});
            publish_backends();
          },
      .unready =
          [this](const target::Replica& replica) {
            const auto backend = backends_.extract(replica.id);
            if (backend.empty()) return;
            publish_backends();
            if (service_ && replica.state == target::Replica::State::backing_off) {
              world_.gateway.gone(*service_, backend.mapped().id);
            }
          },
      .drain = [this](const target::Replica& replica,
                      std::function<void()> done) { drain(replica, std::move(done)); },
      .gone =
          [this](target::ReplicaId id) {
            usage_.erase(id);
            const auto backend = backends_.extract(id);
            if (backend.empty() || !service_) return;
            publish_backends();
            world_.gateway.gone(*service_, backend.mapped().id);
          },
      .said = [this](const std::string& what) { log::warn("{}: {}", policy_.name, what); },
      .outstanding =
          [this](target::ReplicaId id) -> std::int64_t {
        const auto backend = backends_.find(id);
        if (backend == backends_.end() || !service_) return 0;
        return world_.gateway.outstanding(*service_, backend->second.id);
      },
  };
}

void Scaler::publish_backends() {
  if (!service_) return;
  std::vector<gateway::Backend> ready;
  for (const auto& [id, backend] : backends_) ready.push_back(backend);
  world_.gateway.set_backends(*service_, std::move(ready));
}

void Scaler::drain(const target::Replica& replica, std::function<void()> done) {
  const auto backend = backends_.extract(replica.id);
  if (backend.empty() || !service_) return done();
  publish_backends();
  world_.gateway.drain(*service_, backend.mapped().id, policy_.gateway->drain,
                       [this, done = std::move(done)] { boost::asio::post(world_.io, done); });
}

void Scaler::look_again_in(Millis wait) {
  timer_.expires_after(wait);
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error) tick();
  });
}

/// The way of one number: observe, decide, record, act.
void Scaler::tick() {
  if (stopping_) return;
  const auto observation = collect();
  const auto decision = decide::decide(policy_, observation, memory_);
  world_.recorder.record(policy_.name, observation, decision, memory_);
  act(observation, decision);
  const bool running = !observation.replicas.empty() || decision.replicas.count > 0;
  look_again_in(running ? std::min(decision.look_again, kLookWhileRunning) : decision.look_again);
}

decide::Observation Scaler::collect() {
  const Instant now = world_.clock.now();
  decide::Observation observation;
  observation.now = now;
  observation.unix_millis = unix_millis();
  observation.current = current_;
  for (const auto& replica : target_->replicas()) observation.replicas.push_back(seen(replica, now));
  if (service_) {
    const auto counters = world_.gateway.snapshot(*service_);
    observation.load = load_.add({now, counters.arrived, counters.concurrency_seconds,
                                  counters.waiting, counters.outstanding + counters.tunnels});
  }
  return observation;
}

decide::ReplicaSeen Scaler::seen(const target::Replica& replica, Instant now) {
  using Seen = decide::ReplicaSeen::State;
  auto& meter = usage_[replica.id];
  if (replica.pid > 0 && meter.due(now)) {
    if (const auto usage = target_->usage(replica.id)) {
      meter.add(now, usage->cpu, usage->memory_bytes);
    }
  }
  decide::ReplicaSeen seen;
  seen.id = replica.id;
  switch (replica.state) {
    case target::Replica::State::ready: seen.state = Seen::ready; break;
    case target::Replica::State::draining: seen.state = Seen::draining; break;
    case target::Replica::State::starting:
    case target::Replica::State::backing_off: seen.state = Seen::starting; break;
  }
  seen.started = loop_time(replica.started, now);
  seen.state_since = loop_time(replica.state_since, now);
  seen.cpu = meter.cpu();
  seen.memory = meter.memory();
  return seen;
}

void Scaler::act(const decide::Observation& observation, const decide::Decision& decision) {
  if (decision.replicas == observation.current) return;
  log::info("{}: {} → {} replicas: {}", policy_.name, observation.current.count,
            decision.replicas.count, decision.reason());
  current_ = decision.replicas;
  target_->scale(current_);
}

Result<void> Scaler::update(const policy::Autoscaler& policy) {
  if (policy.gateway.has_value() != policy_.gateway.has_value()) {
    return fail({Code::invalid, "gateway: cannot be added or removed while running; restart"});
  }
  if (policy.gateway) {
    auto settings = settings_of(policy, 1s);
    if (!settings) return fail(settings.error());
    if (auto done = world_.gateway.reconfigure(*service_, *settings); !done) return done;
  }
  policy_ = policy;
  for (auto& [id, backend] : backends_) {
    backend.limit = policy.concurrency ? policy.concurrency->container_concurrency : 0;
  }
  publish_backends();
  target_->update(policy.target.process);
  tick();
  return {};
}

void Scaler::stop(std::function<void()> done) {
  stopping_ = true;
  timer_.cancel();
  target_->stop(std::move(done));
}

}  // namespace headroom::control
