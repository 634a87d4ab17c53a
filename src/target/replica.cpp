#include "target/replica.h"

#include <algorithm>
#include <cstring>

#include <boost/asio/post.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>

#include "base/text.h"
#include "target/expand.h"
#include "target/proc.h"

namespace headroom::target {
namespace {

using boost::system::error_code;
using std::chrono::steady_clock;

constexpr auto kFirstBackOff = 100ms;
constexpr auto kLongestBackOff = 60s;
constexpr auto kStable = 10s;  // ready for this long: the crashes before are forgotten
constexpr auto kLookAgain = 20ms;

steady_clock::duration back_off_after(int crashes) {
  const int doublings = std::clamp(crashes - 1, 0, 10);
  return std::min<steady_clock::duration>(kFirstBackOff * (1 << doublings), kLongestBackOff);
}

std::string span(steady_clock::duration time) {
  return span_of(std::chrono::duration_cast<Millis>(time));
}

std::string how_it_ended(int code, int status) {
  if (code == CLD_EXITED) return fmt::format("{} {}", name_of(Trouble::exited), status);
  const char* name = ::sigabbrev_np(status);
  return fmt::format("{} SIG{}{}", name_of(Trouble::killed),
                     name == nullptr ? std::to_string(status) : name,
                     code == CLD_DUMPED ? " (core dumped)" : "");
}

std::string lines_of(const std::vector<std::string>& paths) {
  std::string all;
  for (const auto& path : paths) all += path + "\n";
  return all;
}

}  // namespace

Runner::Runner(Surroundings& surroundings, Owner& owner, ReplicaId id, policy::Process spec,
               int generation)
    : around_(surroundings),
      owner_(owner),
      spec_(std::move(spec)),
      generation_(generation),
      output_(surroundings.io, spec_.output,
              {.autoscaler = surroundings.name,
               .replica = id,
               .directory = surroundings.state_directory}),
      exited_(surroundings.io),
      start_timer_(surroundings.io),
      stop_timer_(surroundings.io),
      restart_timer_(surroundings.io) {
  view_.id = id;
}

Runner::~Runner() {
  if (view_.pid != 0) {
    kill();
    // One that hangs in the kernel must not hang us; init will reap it.
    pollfd dead{exited_.native_handle(), POLLIN, 0};
    ::poll(&dead, 1, 2000);
    around_.guardian.reap(view_.pid);
    around_.guardian.forget(view_.pid);
    output_.finish();
  }
  if (!socket_.empty()) ::unlink(socket_.c_str());
}

std::string Runner::label() const { return fmt::format("replica {}", view_.id); }

std::string Runner::last_output() const {
  const auto brief = output_.tail().brief();
  return brief.empty() ? "it wrote nothing" : "last output: " + brief;
}

void Runner::enter(Replica::State state) {
  view_.state = state;
  view_.state_since = steady_clock::now();
}

template <class Then>
void Runner::after(boost::asio::steady_timer& timer, steady_clock::duration delay, Then then) {
  timer.expires_after(delay);
  timer.async_wait([weak = weak_from_this(), &timer, at = timer.expiry(), then](error_code error) {
    const auto self = weak.lock();
    // One that had fired before it was cancelled or set anew calls all the same.
    if (!error && self && timer.expiry() == at) then();
  });
}

/// A port or a socket.
Result<void> Runner::give_address() {
  if (wants_socket(spec_)) {
    socket_ = around_.run.socket_path(view_.id);
    ::unlink(socket_.c_str());
    const auto address = unix_address(socket_);
    if (!address) return fail(address.error());
    view_.address = *address;
    return {};
  }
  // A new one for each life: the old may be held by connections that are still closing.
  auto port = take_port();
  if (!port) return fail(port.error());
  port_ = std::move(*port);
  view_.address = loopback(port_.number());
  return {};
}

/// With the variables that tell the replica of its address.
Environment Runner::environment() const {
  Environment given{{kRunVariable, run_token()},
                    {kReplicaVariable, fmt::format("{}/{}", around_.name, view_.id)}};
  if (socket_.empty()) {
    given.emplace("PORT", std::to_string(port_.number()));
  } else {
    given.emplace("SOCKET", socket_);
  }
  return replica_environment(own_environment(), given, spec_);
}

Result<Started> Runner::spawn_process() {
  if (auto given = give_address(); !given) return fail(given.error());
  environment_ = environment();
  return around_.spawner.start(make_command(spec_.command, environment_, spec_.working_directory));
}

void Runner::start() {
  view_.started = steady_clock::now();
  view_.startup.reset();
  stopping_ = false;
  reason_.clear();
  enter(Replica::State::starting);
  auto started = spawn_process();
  if (started) return launched(std::move(*started));
  boost::asio::post(around_.io, [weak = weak_from_this(), what = started.error().what] {
    const auto self = weak.lock();
    if (!self || self->leaving_) return;
    ++self->view_.restarts;
    self->reason_ = fmt::format("{} {}: {}", self->label(), name_of(Trouble::not_started), what);
    self->back_off();
  });
}

void Runner::launched(Started started) {
  auto& child = started.child;
  view_.pid = child.pid;
  cgroup_ = std::move(started.cgroup);
  around_.guardian.watch(child.pid, lines_of(cgroup_.directories()), socket_);
  output_.attach(std::move(child.out), std::move(child.err));
  exited_.assign(child.pidfd.release());
  wait_for_exit();
  limit_start();
  begin_probes();
}

void Runner::limit_start() {
  if (spec_.start_timeout <= 0ms) return;
  const auto left = view_.started + spec_.start_timeout - steady_clock::now();
  after(start_timer_, std::max<steady_clock::duration>(left, 0ms),
        [this] { restart_because(Trouble::late, " " + span_of(spec_.start_timeout)); });
}

void Runner::adopt(HandedReplica handed) {
  view_.pid = handed.pid;
  view_.state = handed.ready ? Replica::State::ready : Replica::State::starting;
  view_.started = handed.started;
  view_.state_since = handed.state_since;
  view_.startup = handed.startup;
  view_.restarts = handed.restarts;
  cpu_before_ = cpu_seen_ = handed.cpu_before;
  socket_ = handed.socket;
  if (socket_.empty()) {
    port_ = take_port(handed.port);
    view_.address = loopback(handed.port);
  } else if (const auto address = unix_address(socket_)) {
    view_.address = *address;
  }
  environment_ = environment();
  cgroup_ = around_.spawner.existing(handed.cgroups);
  around_.guardian.watch(view_.pid, lines_of(cgroup_.directories()), socket_);
  output_.adopt(std::move(handed.output));
  exited_.assign(handed.pidfd.release());
  wait_for_exit();
  if (!view_.startup) {
    limit_start();
    return begin_probes();
  }
  // Its start is over, though it may be unready now.
  ready_since_ = view_.started + *view_.startup;
  // Without a probe it was ready once and for all.
  if (spec_.readiness_probe) begin_readiness();
  begin_liveness();
}

HandedReplica Runner::hand_over() const {
  return {
      .id = view_.id,
      .pid = view_.pid,
      .pidfd = Fd(::fcntl(const_cast<Runner*>(this)->exited_.native_handle(), F_DUPFD_CLOEXEC, 3)),
      .ready = view_.state == Replica::State::ready,
      .started = view_.started,
      .state_since = view_.state_since,
      .startup = view_.startup,
      .restarts = view_.restarts,
      .port = port_.number(),
      .socket = socket_,
      .cpu_before = cpu_before_,
      .cgroups = cgroup_.directories(),
      .output = output_.hand_over()};
}

void Runner::let_go() {
  around_.guardian.forget(view_.pid);
  view_.pid = 0;
  socket_.clear();
  leave();
}

ProbeTarget Runner::probe_target() const {
  return {view_.address, [this](const std::vector<std::string>& argv) {
            return make_command(argv, environment_, spec_.working_directory);
          }};
}

void Runner::begin_probes() {
  const auto begin_others = [this] {
    begin_readiness();
    begin_liveness();
  };
  if (!spec_.startup_probe) return begin_others();
  startup_.emplace(around_.io, *spec_.startup_probe, probe_target(),
                   Prober::Manner{.eager = true, .once = true},
                   [this, begin_others](bool healthy, const std::string& why) {
                     if (!healthy) return restart_because(Trouble::startup_probe, ": " + why);
                     begin_others();
                   });
}

void Runner::begin_liveness() {
  if (!spec_.liveness_probe) return;
  liveness_.emplace(around_.io, *spec_.liveness_probe, probe_target(), Prober::Manner{},
                    [this](bool healthy, const std::string& why) {
                      if (!healthy) restart_because(Trouble::liveness_probe, ": " + why);
                    });
}

void Runner::begin_readiness() {
  // Without a probe: ready once the port accepts, and from then on.
  const auto probe = spec_.readiness_probe.value_or(policy::Probe{.tcp_socket = {{}}});
  readiness_.emplace(around_.io, probe, probe_target(),
                     Prober::Manner{.eager = true, .once = !spec_.readiness_probe.has_value()},
                     [this](bool healthy, const std::string& why) { readiness(healthy, why); });
}

void Runner::readiness(bool healthy, const std::string& why) {
  const auto self = shared_from_this();
  if (healthy && view_.state == Replica::State::starting) {
    start_timer_.cancel();
    enter(Replica::State::ready);
    ready_since_ = view_.state_since;
    if (!view_.startup) {
      view_.startup = std::chrono::ceil<Millis>(view_.state_since - view_.started);
    }
    owner_.ready(*this);
  } else if (!healthy && view_.state == Replica::State::ready) {
    enter(Replica::State::starting);
    owner_.unready(*this);
    owner_.said(fmt::format("{} {}: {}", label(), name_of(Trouble::unready), why));
  }
}

/// Stops it so that it starts again: exited() sees to that.
void Runner::restart_because(Trouble trouble, const std::string& more) {
  if (stopping_ || leaving_ || view_.pid == 0) return;
  const auto self = shared_from_this();
  // Said now: the stop itself may take the whole grace period.
  owner_.said(
      fmt::format("{} is stopped: {}{}; {}", label(), name_of(trouble), more, last_output()));
  reason_ = fmt::format("{} {}", label(), name_of(Trouble::stopped));
  const bool was_ready = view_.state == Replica::State::ready;
  enter(Replica::State::starting);
  if (was_ready) owner_.unready(*this);
  terminate();
}

void Runner::leave() {
  if (leaving_) return;
  leaving_ = true;
  enter(Replica::State::draining);
  start_timer_.cancel();
  restart_timer_.cancel();
  startup_.reset();
  readiness_.reset();
  liveness_.reset();
}

void Runner::stop() {
  leave();
  if (stopping_) return;
  if (view_.pid != 0) return terminate();
  stopping_ = true;
  boost::asio::post(around_.io, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->owner_.gone(*self);
  });
}

void Runner::terminate() {
  stopping_ = true;
  start_timer_.cancel();
  kill_at_ = steady_clock::now() + spec_.termination_grace_period;
  if (spec_.termination_grace_period <= 0ms) return kill();
  ::kill(-view_.pid, SIGTERM);
  after(stop_timer_, spec_.termination_grace_period, [this] { kill(); });
}

void Runner::kill() {
  if (view_.pid == 0) return;
  ::kill(-view_.pid, SIGKILL);
  if (cgroup_) {
    kill_cgroups(cgroup_.directories());
  } else {
    // Those that left the group are found by what they inherited.
    kill_marked({fmt::format("{}={}", kRunVariable, run_token()),
                 fmt::format("{}={}/{}", kReplicaVariable, around_.name, view_.id)});
  }
}

void Runner::wait_for_exit() {
  exited_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                     [weak = weak_from_this(), pid = view_.pid](error_code error) {
                       const auto self = weak.lock();
                       if (!error && self && self->view_.pid == pid) self->exited();
                     });
}

/// The leader is a zombie now, which keeps its number, and so its group's, from being reused.
void Runner::exited() {
  startup_.reset();
  readiness_.reset();
  liveness_.reset();
  start_timer_.cancel();
  if (stopping_) return group_left();
  clean_up_after_exit();
}

/// A shell that ends at SIGTERM must not take the grace period away from what it started.
void Runner::group_left() {
  const auto groups = see_groups();
  const auto group = groups.find(view_.pid);
  const bool living = group != groups.end() && group->second.living > 0;
  if (!living || steady_clock::now() >= kill_at_) return clean_up_after_exit();
  after(stop_timer_, kLookAgain, [this] { group_left(); });
}

void Runner::clean_up_after_exit() {
  stop_timer_.cancel();
  kill();
  if (const auto used = used_now()) cpu_seen_ = std::max(cpu_seen_, cpu_before_ + used->cpu);
  cpu_before_ = cpu_seen_;
  const auto info = around_.guardian.reap(view_.pid);
  status_code_ = info.si_code;
  status_ = info.si_status;
  error_code ignored;
  exited_.close(ignored);
  around_.guardian.forget(view_.pid);
  view_.pid = 0;
  output_.finish();
  port_ = {};
  if (!socket_.empty()) ::unlink(socket_.c_str());
  remove_cgroup(100);
  ended();
}

/// What was killed needs a moment to leave. Not bound to our life: we may be gone before.
void Runner::remove_cgroup(int tries_left) {
  if (!cgroup_ || remove_cgroups(cgroup_.directories())) {
    cgroup_ = {};
    return;
  }
  struct Removal : std::enable_shared_from_this<Removal> {
    Removal(boost::asio::io_context& io, std::vector<std::string> of, int tries)
        : timer(io), directories(std::move(of)), left(tries) {}
    void run() {
      timer.expires_after(kLookAgain);
      timer.async_wait([self = shared_from_this()](error_code error) {
        if (error || self->left-- == 0) return;
        kill_cgroups(self->directories);
        if (!remove_cgroups(self->directories)) self->run();
      });
    }
    boost::asio::steady_timer timer;
    std::vector<std::string> directories;
    int left;
  };
  std::make_shared<Removal>(around_.io, cgroup_.directories(), tries_left)->run();
  cgroup_ = {};
}

void Runner::ended() {
  const auto self = shared_from_this();
  const auto now = steady_clock::now();
  const bool was_stable = ready_since_ && now - *ready_since_ >= kStable;
  ready_since_.reset();
  if (leaving_) return owner_.gone(*this);
  stopping_ = false;  // what ended that way; it may yet be told to stop for good
  view_.restarts = was_stable ? 1 : view_.restarts + 1;
  if (reason_.empty()) {
    reason_ = fmt::format("{} {} after {}; {}", label(), how_it_ended(status_code_, status_),
                          span(now - view_.started), last_output());
  }
  back_off();
}

void Runner::back_off() {
  const auto delay = back_off_after(view_.restarts);
  enter(Replica::State::backing_off);
  after(restart_timer_, delay, [this] { start(); });
  owner_.unready(*this);
  owner_.said(fmt::format("{}; starts again in {}", reason_, span(delay)));
}

/// Of this life; nothing where it cannot be read.
std::optional<Usage> Runner::used_now() const {
  if (view_.pid == 0) return std::nullopt;
  Usage used;
  const auto cpu = cgroup_.cpu();
  const auto memory = cgroup_.memory();
  if (cpu) used.cpu = *cpu;
  if (memory) used.memory_bytes = *memory;
  if (cpu && memory) return used;
  const auto groups = see_groups();
  const auto group = groups.find(view_.pid);
  if (group == groups.end()) return std::nullopt;
  if (!cpu) used.cpu = group->second.cpu;
  if (!memory) used.memory_bytes = group->second.memory_bytes;
  return used;
}

Result<Usage> Runner::usage() const {
  auto used = used_now();
  if (!used) {
    return fail({Code::unavailable, fmt::format("{} is not running: no usage", label())});
  }
  // /proc forgets a child that nobody waited for: what was seen once stays.
  cpu_seen_ = std::max(cpu_seen_, cpu_before_ + used->cpu);
  used->cpu = cpu_seen_;
  return *used;
}

}  // namespace headroom::target
