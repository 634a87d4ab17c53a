#include "control/scaler.h"

#include <algorithm>

#include <boost/asio/post.hpp>

#include "base/log.h"
#include "control/unanswered.h"
#include "decide/words.h"
#include "journal/life.h"
#include "policy/changes.h"
#include "policy/knative.h"
#include "policy/read.h"

namespace headroom::control {
namespace {

// While replicas run, load can rise without anything waiting, and only a look shows it.
constexpr Millis kLookWhileRunning = 250ms;
constexpr Millis kLookWhileClosing = 20ms;

using Event = journal::Event::Kind;

Result<gateway::Settings> settings_of(const policy::Autoscaler& policy, Millis usual_startup) {
  const auto& from = *policy.gateway;
  auto listen = resolve(from.listen);
  if (!listen) return fail({listen.error().code, "gateway.listen: " + listen.error().what, {}});
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

std::int32_t request_limit(const policy::Autoscaler& policy) {
  return policy.concurrency ? policy.concurrency->container_concurrency : 0;
}

Millis since(std::chrono::steady_clock::time_point at) {
  return std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now() - at);
}

/// The first few, and how many more there are.
std::string some_of(std::vector<std::string> changes) {
  constexpr std::size_t kShown = 6;
  const auto more = changes.size() - std::min(changes.size(), kShown);
  if (more > 0) {
    changes.resize(kShown);
    changes.push_back(fmt::format("{} more", more));
  }
  return fmt::format("{}", fmt::join(changes, ", "));
}

/// Sums what is known of the replicas' use; none where nothing is.
std::optional<double> sum_of(const std::vector<ReplicaStatus>& replicas,
                             decide::Reading ReplicaStatus::*what) {
  std::optional<double> sum;
  for (const auto& replica : replicas) {
    const auto& reading = replica.*what;
    if (reading) sum = sum.value_or(0) + static_cast<double>(reading->value.milli) / 1000;
  }
  return sum;
}

/// What a service manager made for the address, if it did.
gateway::Listener passed_for(const Address& address, Listeners& listeners) {
  auto socket = listeners.lend(address);
  const bool kept = static_cast<bool>(socket);
  return {std::move(socket), kept};
}

}  // namespace

Scaler::Scaler(World& world, const policy::Autoscaler& policy)
    : world_(world), policy_(policy), timer_(world.io) {}

Scaler::~Scaler() {
  if (told_begun_) tell_stopped(" at once");
  // Ended without a stop: the address must not stay taken.
  if (service_ && phase_ == Phase::running) world_.gateway.close(*service_);
}

Result<std::unique_ptr<Scaler>> Scaler::start(World& world, const policy::Autoscaler& policy,
                                              HandedScaler* handed) {
  std::unique_ptr<Scaler> scaler(new Scaler(world, policy));
  auto opened = scaler->open_gateway(handed ? std::move(handed->listener) : Fd());
  if (!opened) return fail(opened.error());
  const auto& process = policy.target.process;
  if (handed) {
    scaler->target_ = std::make_unique<target::Process>(
        world.io, policy.name, process, world.guardian, world.state_directory,
        std::move(handed->process), scaler->hooks());
    scaler->adopt();
  } else {
    scaler->target_ = std::make_unique<target::Process>(
        world.io, policy.name, process, world.guardian, world.state_directory, scaler->hooks());
  }
  if (auto restored = scaler->restore(); !restored) return fail(restored.error());
  if (!handed) scaler->begin();
  return scaler;
}

std::string Scaler::taken_over() const {
  return fmt::format("{}, with {}, {} ready", journal::kTakenOver,
                     decide::replicas({static_cast<std::int32_t>(target_->replicas().size())}),
                     runs_.size());
}

std::string Scaler::started() const {
  return fmt::format("{} with {}{}{}", journal::kStarted, decide::replicas(current_),
                     restored_ ? ", as the journal says" : "",
                     world_.recorder.was_cut_off(policy_.name)
                         ? "; the Headroom before did not stop: it was killed, or crashed"
                         : "");
}

void Scaler::begin() {
  tell(Event::policy, adopted_ ? taken_over() : started());
  told_begun_ = true;
  resume();
  target_->scale(current_);
  tick();
}

Result<void> Scaler::open_gateway(Fd handed) {
  if (!policy_.gateway) return {};
  auto settings = settings_of(policy_, world_.recorder.usual_startup(policy_.name));
  if (!settings) return fail(settings.error());
  auto listener = passed_for(settings->listen, world_.listeners);
  if (handed) listener.socket = std::move(handed);
  auto service = world_.gateway.add(*settings, std::move(listener));
  if (!service) return fail({service.error().code, "gateway.listen: " + service.error().what, {}});
  service_ = *service;
  log::info("{}: listening on {}", policy_.name, to_string(world_.gateway.listening(*service)));
  return {};
}

/// The predecessor's replicas: what is ready is so from the beginning.
void Scaler::adopt() {
  for (const auto& replica : target_->replicas()) {
    if (replica.state != target::Replica::State::ready) continue;
    runs_[replica.id] = {
        {next_backend_++, replica.address, request_limit(policy_)}, replica.pid, true};
  }
  adopted_ = true;
  publish_backends();
}

HandedScaler Scaler::hand_over() const {
  return {.document = policy::write_document(policy_),
          .listener = service_ ? world_.gateway.listener(*service_) : Fd(),
          .process = target_->hand_over()};
}

void Scaler::let_go() {
  phase_ = Phase::succeeded;
  told_begun_ = false;  // the successor's to tell
  shown_ = false;
  timer_.cancel();
  publish_backends();
  target_->let_go();
}

/// Goes on where the journal left off, so that a restart under load does not begin at the minimum.
Result<void> Scaler::restore() {
  auto restored = world_.recorder.restore(policy_.name);
  if (!restored) return fail(restored.error());
  Replicas wanted = policy_.min_replicas;
  if (*restored) {
    memory_ = std::move((*restored)->memory);
    wanted = std::clamp((*restored)->replicas, policy_.min_replicas, policy_.max_replicas);
    restored_ = true;
  }
  current_ = wanted;
  return {};
}

/// What was late or failed a moment ago is so though another process saw it.
void Scaler::resume() {
  const auto now = world_.clock.now();
  const auto unix_now = unix_millis();
  for (const auto& sample : world_.recorder.samples(
           policy_.name, unix_now - ObjectiveMeter::kRecent.count(), unix_now)) {
    const Instant at = now - Millis(unix_now - sample.unix_ms);
    if (sample.objective_ms && sample.objective_percentile) {
      objective_.resume(
          at,
          {Millis(static_cast<std::int64_t>(*sample.objective_ms)), *sample.objective_percentile},
          {static_cast<std::uint64_t>(sample.judged), static_cast<std::uint64_t>(sample.within)});
    }
    steps_.resume(sample);
    failures_.add(at, failed_before_);
    failed_before_ += static_cast<std::uint64_t>(sample.failed);
  }
}

target::Hooks Scaler::hooks() {
  return {
      .ready = [this](const target::Replica& replica) { on_ready(replica); },
      .unready = [this](const target::Replica& replica) { on_unready(replica); },
      .drain = [this](const target::Replica& replica,
                      std::function<void()> done) { on_drain(replica, std::move(done)); },
      .gone = [this](target::ReplicaId id) { on_gone(id); },
      .said =
          [this](const std::string& what) {
            tell(Event::trouble, what);
            note("not reached yet: " + what);
          },
      .outstanding = [this](target::ReplicaId id) { return outstanding(id); },
  };
}

void Scaler::tell(Event kind, const std::string& what) {
  if (kind == Event::trouble) {
    log::warn("{}: {}", policy_.name, what);
  } else {
    log::info("{}: {}", policy_.name, what);
  }
  world_.recorder.event(policy_.name, kind, what);
}

void Scaler::tell_unanswered(const gateway::Unanswered& requests, Millis after) {
  const auto what = said_of(requests, {after, policy_.gateway->drain});
  if (!what.empty()) tell(Event::trouble, what);
}

void Scaler::on_ready(const target::Replica& replica) {
  auto& run = runs_[replica.id];
  if (run.pid == replica.pid) {
    tell(Event::ready, fmt::format("replica {} ready again", replica.id));
  } else {
    run.backend = {next_backend_++, replica.address, request_limit(policy_), replica.id};
    run.pid = replica.pid;
    const Millis took = replica.startup.value_or(since(replica.started));
    tell(Event::ready, fmt::format("replica {} ready after {}", replica.id, span_of(took)));
    world_.recorder.startup(policy_.name, took);
  }
  run.ready = true;
  publish_backends();
  settle_soon();
}

void Scaler::on_unready(const target::Replica& replica) {
  const auto run = runs_.find(replica.id);
  if (run == runs_.end()) return;
  run->second.ready = false;
  publish_backends();
  if (replica.state != target::Replica::State::backing_off) return;
  // The process is gone, and the next one under this name starts with a clean slate.
  if (service_) world_.gateway.gone(*service_, run->second.backend.id);
  runs_.erase(run);
  usage_.erase(replica.id);
}

void Scaler::on_drain(const target::Replica& replica, std::function<void()> done) {
  // Two may have requests on it: we, and the Headroom before us.
  const auto finish = [this, &io = world_.io, id = replica.id, alive = std::weak_ptr(alive_),
                       limit = policy_.gateway ? policy_.gateway->drain : 0ms,
                       done = std::move(done)](std::uint64_t cut) {
    boost::asio::post(io, [this, id, alive, limit, done, cut] {
      if (!alive.lock()) return;
      if (cut > 0) {
        tell(Event::trouble,
             fmt::format("replica {}: {}", id, said_of({.cut = cut}, {limit, limit})));
      }
      world_.predecessor.when_gone([alive, done] {
        if (alive.lock()) done();
      });
    });
  };
  const auto run = runs_.find(replica.id);
  if (run == runs_.end() || !service_) return finish(0);
  run->second.ready = false;
  if (world_.traffic_ended) return finish(0);
  publish_backends();
  tell(Event::draining,
       fmt::format("replica {} drains, {} open", replica.id, outstanding(replica.id)));
  world_.gateway.drain(*service_, run->second.backend.id, policy_.gateway->drain, finish);
}

void Scaler::on_gone(target::ReplicaId id) {
  usage_.erase(id);
  tell(Event::gone, fmt::format("replica {} gone", id));
  settle_soon();
  const auto run = runs_.extract(id);
  if (run.empty() || !service_ || world_.traffic_ended) return;
  publish_backends();
  world_.gateway.gone(*service_, run.mapped().backend.id);
}

std::int64_t Scaler::outstanding(target::ReplicaId id) const {
  const auto run = runs_.find(id);
  if (run == runs_.end() || !service_) return 0;
  return world_.gateway.outstanding(*service_, run->second.backend.id);
}

void Scaler::publish_backends() {
  if (!service_ || world_.traffic_ended) return;
  std::vector<gateway::Backend> ready;
  for (const auto& [id, run] : runs_) {
    if (run.ready) ready.push_back(run.backend);
  }
  // What waits here is the successor's to wake somebody for.
  if (ready.empty() && phase_ == Phase::succeeded) {
    ready.push_back({~gateway::ReplicaId{0}, world_.gateway.listening(*service_)});
  }
  world_.gateway.set_backends(*service_, std::move(ready));
}

void Scaler::look_again_in(Millis wait) {
  timer_.expires_after(wait);
  timer_.async_wait([this, alive = std::weak_ptr(alive_)](boost::system::error_code error) {
    if (!error && alive.lock()) tick();
  });
}

/// The way of one number: observe, decide, record, act.
void Scaler::tick() {
  if (phase_ == Phase::stopping && shown_) return show_the_end();
  if (phase_ == Phase::stopping || phase_ == Phase::succeeded) return;
  auto observation = collect();
  if (phase_ == Phase::closing) {
    const bool waits = observation.load && observation.load->waiting > 0;
    const bool over = std::chrono::steady_clock::now() >= stop_at_;
    if (waits && over) {
      tell_unanswered({.refused = world_.gateway.refuse_waiting(*service_)},
                      policy_.gateway->drain);
    }
    if (!waits || over) return stop_target();
  }
  auto decision = decide::decide(policy_, observation, memory_);
  const auto entry = world_.recorder.record(policy_.name, observation, decision, memory_);
  ++decisions_;
  if (decision.replicas > decision.current) ++ups_;
  if (decision.replicas < decision.current) ++downs_;
  act(decision, entry);
  Millis wait = decision.look_again;
  // At zero nobody need look, unless what is shown is not over.
  const auto& load = observation.load;
  const bool busy = load && (load->waiting > 0 || load->concurrency > 0 || load->rate > 0);
  if (busy || failures_.grown() > 0 || !observation.replicas.empty() ||
      decision.replicas.count > 0) {
    wait = std::min(wait, kLookWhileRunning);
  }
  show(std::move(observation), std::move(decision), entry);
  look_again_in(phase_ == Phase::closing ? kLookWhileClosing : wait);
}

decide::Observation Scaler::collect() {
  decide::Observation observation;
  observation.now = world_.clock.now();
  observation.unix_millis = unix_millis();
  observation.current = current_;
  const auto& requests = policy_.target.process.resources.requests;
  observation.templates = {
      {.containers = {{policy_.name, {{"cpu", requests.cpu}, {"memory", requests.memory}}}}}};
  for (const auto& replica : target_->replicas()) {
    observation.replicas.push_back(seen(replica, observation.now));
  }
  observation.status = {static_cast<std::int32_t>(observation.replicas.size())};
  if (service_) {
    const auto& counters = traffic_.emplace(world_.gateway.snapshot(*service_));
    observation.load = load_.add({observation.now, counters.arrived, counters.concurrency_seconds,
                                  counters.waiting, counters.outstanding + counters.tunnels});
  }
  return observation;
}

decide::ReplicaSeen Scaler::seen(const target::Replica& replica, Instant now) {
  auto& meter = usage_[replica.id];
  if (replica.pid > 0 && meter.due(now)) {
    if (const auto usage = target_->usage(replica.id)) {
      meter.add(now, usage->cpu, usage->memory_bytes);
    }
  }
  using State = target::Replica::State;
  decide::ReplicaSeen seen;
  seen.id = replica.id;
  seen.deleting = replica.state == State::draining;
  seen.started = now - since(replica.started);
  seen.ready =
      decide::Readiness{replica.state == State::ready ? decide::Truth::yes : decide::Truth::no,
                        now - since(replica.state_since)};
  seen.cpu = meter.cpu(now);
  seen.memory = meter.memory(now);
  seen.restarts = replica.restarts;
  return seen;
}

void Scaler::act(const decide::Decision& decision, std::optional<std::int64_t> entry) {
  if (!decision.rescales()) return;
  if (pending_) {
    note(fmt::format("not reached in {}: the next decision came first",
                     span_of(since(pending_->since))));
  }
  log::info("{}: {}: {}", policy_.name, decide::change_of(decision), decision.reason());
  current_ = decision.replicas;
  pending_ = Pending{entry, std::chrono::steady_clock::now()};
  target_->scale(current_);
}

ReplicaStatus Scaler::status_of(const target::Replica& replica, Instant now) const {
  ReplicaStatus status{.id = replica.id,
                       .state = replica.state,
                       .pid = replica.pid,
                       .age = since(replica.started),
                       .startup = replica.startup,
                       .restarts = replica.restarts,
                       .cpu = tl::unexpected(decide::Absent{}),
                       .memory = tl::unexpected(decide::Absent{}),
                       .outstanding = outstanding(replica.id)};
  if (const auto meter = usage_.find(replica.id); meter != usage_.end()) {
    status.cpu = meter->second.cpu(now);
    status.memory = meter->second.memory(now);
  }
  return status;
}

void Scaler::show(decide::Observation observation, decide::Decision decision,
                  std::optional<std::int64_t> entry) {
  auto status = std::make_shared<Status>();
  status->name = policy_.name;
  status->minimum = policy_.min_replicas;
  status->maximum = policy_.max_replicas;
  if (policy_.concurrency || policy_.metrics.empty()) {
    const auto by_load = policy::settings_of(policy_.concurrency.value_or(policy::Concurrency{}));
    status->target = by_load.target;
    status->by_rate = by_load.rps;
  }
  if (service_) status->listening = to_string(world_.gateway.listening(*service_));
  status->hold = memory_.hold;
  status->decisions = decisions_;
  status->ups = ups_;
  status->downs = downs_;
  status->entry = entry;
  status->seen = std::move(observation);
  status->decided = std::move(decision);
  publish(std::move(status));
}

/// Nothing is decided any more, but what was open and the replicas end: until the last is gone the
/// board says so.
void Scaler::show_the_end() {
  const auto last = world_.board.find(policy_.name);
  if (!last) return;
  auto status = std::make_shared<Status>(*last);
  status->seen = collect();
  publish(std::move(status));
  look_again_in(kLookWhileRunning);
}

/// With what was counted until now, and the replicas that there are now: those, too, that the
/// decision has started since the look.
void Scaler::publish(std::shared_ptr<Status> status) {
  status->traffic = traffic_;
  status->watched = status->seen.now - begun_;
  status->begun_unix_ms = begun_unix_ms_;
  status->ending = phase_ != Phase::running || world_.board.stopping();
  status->replicas.clear();
  for (const auto& replica : target_->replicas()) {
    status->replicas.push_back(status_of(replica, status->seen.now));
  }
  world_.board.set_late(world_.recorder.waiting());
  hold_against(*status);
  sample(*status);
  status->latency = steps_.latency();
  if (status->objective) {
    status->objective->at_percentile_ms =
        steps_.latency_at(status->objective->wanted.percentile / 100);
  }
  if (shown_) world_.board.put(std::move(status));
}

void Scaler::hold_against(Status& status) {
  if (!traffic_) return;
  failures_.add(status.seen.now, failed_before_ + traffic_->service_failures());
  status.failed_recently = failures_.grown();
  objective_.add(status.seen.now, policy_.objective, *traffic_);
  if (!policy_.objective) return;
  status.objective = {.wanted = *policy_.objective,
                      .at_percentile_ms = std::nullopt,
                      .all = objective_.all(),
                      .recent = objective_.recent()};
}

void Scaler::sample(const Status& status) {
  Look look{.unix_ms = status.seen.unix_millis,
            .wanted = status.decided.replicas.count,
            .ready = status.seen.ready(),
            .cpu = sum_of(status.replicas, &ReplicaStatus::cpu),
            .memory = sum_of(status.replicas, &ReplicaStatus::memory)};
  if (status.seen.load) {
    look.waiting = status.seen.load->waiting;
    look.concurrency = status.seen.load->concurrency;
    look.rate = status.seen.load->rate;
  }
  if (status.traffic) {
    look.failed = status.traffic->service_failures();
    look.duration = status.traffic->duration;
  }
  if (status.target > 0) look.target = status.target;
  look.by_rate = status.by_rate;
  const auto judged = objective_.all();
  look.judged = judged.requests;
  look.within = judged.within;
  if (policy_.objective) {
    look.objective_ms = static_cast<double>(policy_.objective->latency.count());
    look.objective_percentile = policy_.objective->percentile;
  }
  for (const auto& step : steps_.add(look)) world_.recorder.sample(policy_.name, step);
}

void Scaler::write_samples() {
  if (const auto step = steps_.so_far()) world_.recorder.sample(policy_.name, *step);
}

Result<void> Scaler::hold(std::optional<Replicas> replicas, std::optional<Millis> time) {
  if (replicas && *replicas > policy_.max_replicas) {
    return fail({Code::invalid,
                 fmt::format("{} is more than its maximum of {}; raise maxReplicas first",
                             replicas->count, policy_.max_replicas.count),
                 {}});
  }
  memory_.hold = decide::Hold{.replicas = replicas.value_or(current_),
                              .until = std::nullopt,
                              .pause = !replicas.has_value()};
  if (time) memory_.hold->until = world_.clock.now() + *time;
  tell(Event::operator_word,
       fmt::format("{} at {} {}", replicas ? "pinned" : "paused", memory_.hold->replicas.count,
                   time ? "for " + span_of(*time) : "until resumed"));
  tick();
  return {};
}

Result<void> Scaler::release() {
  if (!memory_.hold) return fail({Code::conflict, "nothing is held", {}});
  memory_.hold.reset();
  tell(Event::operator_word, "resumed");
  tick();
  return {};
}

/// Called from within the target's hooks, where its list of replicas may be half changed.
void Scaler::settle_soon() {
  boost::asio::post(world_.io, [this, alive = std::weak_ptr(alive_)] {
    if (alive.lock()) settle();
  });
}

void Scaler::settle() {
  if (phase_ == Phase::stopping) tick();
  if (!pending_) return;
  const auto replicas = target_->replicas();
  const auto ready =
      std::ranges::count(replicas, target::Replica::State::ready, &target::Replica::state);
  if (ready != current_.count || std::ssize(replicas) != current_.count) return;
  note(fmt::format("reached after {}", span_of(since(pending_->since))));
  pending_.reset();
}

void Scaler::note(const std::string& outcome) {
  if (pending_ && pending_->entry) world_.recorder.outcome(*pending_->entry, outcome);
}

Result<void> Scaler::update(const policy::Autoscaler& policy) {
  if (policy.gateway.has_value() != policy_.gateway.has_value()) {
    return fail({Code::invalid, "gateway: cannot be added or removed while running; restart", {}});
  }
  if (policy.gateway) {
    auto settings = settings_of(policy, world_.recorder.usual_startup(policy.name));
    if (!settings) return fail(settings.error());
    auto passed = passed_for(settings->listen, world_.listeners);
    if (auto done = world_.gateway.reconfigure(*service_, *settings, std::move(passed)); !done) {
      return fail({done.error().code, "gateway.listen: " + done.error().what, {}});
    }
  }
  if (policy != policy_) {
    tell(Event::policy,
         "its document changed, taken: " + some_of(policy::changes(policy_, policy)));
    refused_ = false;
  }
  accepted();
  policy_ = policy;
  for (auto& [id, run] : runs_) run.backend.limit = request_limit(policy);
  publish_backends();
  target_->update(policy.target.process);
  tick();
  return {};
}

void Scaler::refused(const std::string& why) {
  // Who read it has said so in the log.
  world_.recorder.event(policy_.name, Event::policy,
                        fmt::format("its document is refused, what ran before goes on: {}", why));
  refused_ = true;
}

void Scaler::accepted() {
  if (std::exchange(refused_, false)) {
    tell(Event::policy, "its document is right again, and says what runs");
  }
}

/// So that the next start does not take it for killed.
void Scaler::tell_stopped(const char* how) {
  told_begun_ = false;
  tell(Event::policy, fmt::format("{}{}", journal::kStopped, how));
}

void Scaler::leaves(const char* why) { tell(Event::policy, fmt::format("stops: {}", why)); }

void Scaler::stop(std::function<void()> done) {
  shown_ = world_.traffic_ended;  // one that leaves alone is off the board already
  if (phase_ == Phase::succeeded) {
    stopped_ = std::move(done);
    return stop_target();
  }
  stopped_ = [this, done = std::move(done)] {
    write_samples();
    tell_stopped("");
    done();
  };
  phase_ = Phase::closing;
  stop_at_ = std::chrono::steady_clock::now();
  if (service_ && !world_.traffic_ended) {
    world_.gateway.close(*service_);
    stop_at_ += policy_.gateway->drain;
  }
  tick();
}

void Scaler::stop_target() {
  phase_ = Phase::stopping;
  timer_.cancel();
  target_->stop(stopped_);
  tick();
}

}  // namespace headroom::control
