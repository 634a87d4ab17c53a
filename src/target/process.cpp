#include "target/process.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <ranges>
#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "target/replica.h"

namespace headroom::target {
namespace {

std::atomic<ReplicaId> last_id{0};

constexpr std::size_t kEndedKept = 32;

bool same_process(const policy::Process& a, const policy::Process& b) {
  return a.command == b.command && a.env == b.env && a.working_directory == b.working_directory;
}

/// Leftovers first, then our own, so that the one cannot take the other for its own.
RunDirectory open_run(const std::string& state_directory) {
  RunDirectory::clean_up(state_directory);
  return RunDirectory(state_directory);
}

}  // namespace

struct Process::Impl : Runner::Owner, std::enable_shared_from_this<Process::Impl> {
  Impl(boost::asio::io_context& io, const std::string& name, const policy::Process& given,
       Guardian& guardian, const std::string& state_directory, Hooks to_call)
      : around{io,
               name,
               state_directory,
               guardian,
               open_run(state_directory),
               Spawner(Cgroups::open(name, guardian.pid()), guardian.pid())},
        spec(given),
        hooks(std::move(to_call)) {
    around.run.remember(around.spawner.cgroups().parents);
  }
  Impl(boost::asio::io_context& io, const std::string& name, const policy::Process& given,
       Guardian& guardian, const std::string& state_directory, HandedProcess& handed, Hooks to_call)
      : around{io,
               name,
               state_directory,
               guardian,
               RunDirectory(std::move(handed.directory)),
               Spawner(Cgroups(handed.cgroups), guardian.pid())},
        spec(given),
        hooks(std::move(to_call)) {}
  ~Impl() override;

  void ready(Runner& runner) override;
  void unready(Runner& runner) override;
  void gone(Runner& runner) override;
  void said(const std::string& what) override;

  using Order = std::vector<Runner*>;
  void reconcile();
  void settle();
  void adopt(HandedReplica handed);
  Order staying() const;
  void start_one();
  void remove(Runner& runner);
  void sort_for_removal(Order& runners) const;
  std::int64_t outstanding(const Runner& runner) const;
  template <class Call>
  void tell(Call call);
  const Tail* tail(ReplicaId id) const;

  Surroundings around;
  policy::Process spec;
  Hooks hooks;
  std::map<ReplicaId, std::shared_ptr<Runner>> runners;
  std::deque<std::pair<ReplicaId, Tail>> ended;  // who reads along shall miss no last words
  int wanted = 0;
  int generation = 0;
  bool stopped = false;
  std::function<void()> when_stopped;
};

Process::Impl::~Impl() {
  // All at once, then wait for each: the Runners' destructors reap.
  for (const auto& [id, runner] : runners) runner->kill();
  runners.clear();
}

/// Hooks are called from the io_context, after whatever is going on: they may call us.
template <class Call>
void Process::Impl::tell(Call call) {
  boost::asio::post(around.io, [weak = weak_from_this(), call = std::move(call)] {
    if (const auto self = weak.lock()) call(*self);
  });
}

void Process::Impl::ready(Runner& runner) {
  tell([replica = runner.view()](Impl& self) {
    if (self.hooks.ready) self.hooks.ready(replica);
  });
  reconcile();
}

void Process::Impl::unready(Runner& runner) {
  tell([replica = runner.view()](Impl& self) {
    if (self.hooks.unready) self.hooks.unready(replica);
  });
  reconcile();
}

void Process::Impl::gone(Runner& runner) {
  const auto id = runner.view().id;
  ended.emplace_back(id, runner.tail());
  if (ended.size() > kEndedKept) ended.pop_front();
  runners.erase(id);  // its handler still holds it
  tell([id](Impl& self) {
    if (self.hooks.gone) self.hooks.gone(id);
  });
  reconcile();
}

void Process::Impl::said(const std::string& what) {
  tell([what](Impl& self) {
    if (self.hooks.said) self.hooks.said(what);
  });
}

const Tail* Process::Impl::tail(ReplicaId id) const {
  const auto running = runners.find(id);
  if (running != runners.end()) return &running->second->tail();
  const auto gone = std::ranges::find(ended, id, &std::pair<ReplicaId, Tail>::first);
  return gone != ended.end() ? &gone->second : nullptr;
}

std::int64_t Process::Impl::outstanding(const Runner& runner) const {
  return hooks.outstanding ? hooks.outstanding(runner.view().id) : 0;
}

Process::Impl::Order Process::Impl::staying() const {
  Order order;
  for (const auto& [id, runner] : runners) {
    if (!runner->leaving()) order.push_back(runner.get());
  }
  return order;
}

/// Those that serve nobody yet, newest first; then the idlest.
void Process::Impl::sort_for_removal(Order& order) const {
  struct Rank {
    bool ready;
    std::int64_t outstanding;
    ReplicaId newest_first;
    auto operator<=>(const Rank&) const = default;
  };
  std::map<const Runner*, Rank> ranks;
  for (const Runner* runner : order) {
    const bool is_ready = runner->view().state == Replica::State::ready;
    ranks[runner] = {is_ready, is_ready ? outstanding(*runner) : 0, ~runner->view().id};
  }
  std::ranges::sort(order, {}, [&](const Runner* runner) { return ranks[runner]; });
}

void Process::Impl::adopt(HandedReplica handed) {
  const auto id = handed.id;
  const auto runner =
      std::make_shared<Runner>(around, *this, id, spec, handed.stale ? 0 : generation);
  runners.emplace(id, runner);
  runner->adopt(std::move(handed));
}

void Process::Impl::start_one() {
  const auto id = ++last_id;
  const auto runner = std::make_shared<Runner>(around, *this, id, spec, generation);
  runners.emplace(id, runner);
  runner->start();
}

void Process::Impl::remove(Runner& runner) {
  const bool drains = runner.served() && hooks.drain;
  runner.leave();
  if (!drains) return runner.stop();
  // The owner may call this from another thread, or after we are gone.
  auto drained = [weak = weak_from_this(), executor = around.io.get_executor(),
                  id = runner.view().id] {
    boost::asio::post(executor, [weak, id] {
      const auto self = weak.lock();
      if (!self) return;
      const auto found = self->runners.find(id);
      if (found != self->runners.end()) found->second->stop();
    });
  };
  tell([replica = runner.view(), drained](Impl& self) { self.hooks.drain(replica, drained); });
}

/// Starts and removes until what stays is what is wanted. While replicas of an old generation
/// are left, one more than wanted may run, so that each goes only when its successor is ready.
void Process::Impl::reconcile() {
  const auto is_old = [this](const Runner* runner) { return runner->generation() != generation; };
  // Old ones that serve nobody are replaced at once: perhaps they never will.
  for (Runner* runner : staying()) {
    if (is_old(runner) && runner->view().state != Replica::State::ready) remove(*runner);
  }
  auto stay = staying();
  sort_for_removal(stay);
  Order old;
  std::ranges::copy_if(stay, std::back_inserter(old), is_old);
  const auto fresh_ready = std::ranges::count_if(stay, [&](const Runner* runner) {
    return !is_old(runner) && runner->view().state == Replica::State::ready;
  });
  const auto serving = static_cast<std::ptrdiff_t>(old.size()) + fresh_ready;
  auto surplus =
      std::clamp<std::ptrdiff_t>(serving - wanted, 0, static_cast<std::ptrdiff_t>(old.size()));
  for (std::ptrdiff_t n = 0; n < surplus; ++n) {
    Runner* const runner = old[static_cast<std::size_t>(n)];
    remove(*runner);
    std::erase(stay, runner);
  }
  const bool rolling = surplus < static_cast<std::ptrdiff_t>(old.size()) && wanted > 0;
  const auto allowed = static_cast<std::size_t>(wanted) + (rolling ? 1 : 0);
  for (std::size_t n = stay.size(); n < allowed; ++n) start_one();
  for (std::size_t n = allowed; n < stay.size(); ++n) remove(*stay[n - allowed]);
  settle();
}

void Process::Impl::settle() {
  if (!stopped || !runners.empty() || !when_stopped) return;
  tell([done = std::exchange(when_stopped, nullptr)](Impl&) { done(); });
}

Process::Process(boost::asio::io_context& io, const std::string& name, const policy::Process& spec,
                 Guardian& guardian, const std::string& state_directory, Hooks hooks)
    : impl_(std::make_shared<Impl>(io, name, spec, guardian, state_directory, std::move(hooks))) {}

Process::Process(boost::asio::io_context& io, const std::string& name, const policy::Process& spec,
                 Guardian& guardian, const std::string& state_directory, HandedProcess handed,
                 Hooks hooks)
    : impl_(std::make_shared<Impl>(io, name, spec, guardian, state_directory, handed,
                                   std::move(hooks))) {
  if (last_id < handed.last_id) last_id = handed.last_id;
  impl_->generation = 1;  // stale ones are of an older
  for (auto& replica : handed.replicas) impl_->adopt(std::move(replica));
  impl_->wanted = static_cast<int>(impl_->runners.size());
}

Process::~Process() = default;

HandedProcess Process::hand_over() const {
  HandedProcess handed{.last_id = last_id,
                       .cgroups = impl_->around.spawner.cgroups(),
                       .directory = impl_->around.run.hand_over(),
                       .replicas = {}};
  for (const auto& [id, runner] : impl_->runners) {
    if (!runner->stays()) continue;
    handed.replicas.push_back(runner->hand_over());
    handed.replicas.back().stale = runner->generation() != impl_->generation;
  }
  return handed;
}

void Process::let_go() {
  std::erase_if(impl_->runners, [](const auto& each) {
    const bool stays = each.second->stays();
    if (stays) each.second->let_go();
    return stays || each.second->view().pid == 0;  // one that waits for its next start, too
  });
  impl_->around.run.let_go();
  impl_->around.spawner.let_go();
  impl_->stopped = true;
  impl_->wanted = 0;
}

void Process::scale(Replicas n) {
  if (impl_->stopped) return;
  impl_->wanted = std::max(0, n.count);
  impl_->reconcile();
}

void Process::update(const policy::Process& spec) {
  if (!same_process(impl_->spec, spec)) ++impl_->generation;
  impl_->spec = spec;
  if (!impl_->stopped) impl_->reconcile();
}

void Process::stop(std::function<void()> done) {
  impl_->stopped = true;
  impl_->wanted = 0;
  impl_->when_stopped = std::move(done);
  impl_->reconcile();
}

std::vector<Replica> Process::replicas() const {
  std::vector<Replica> all;
  for (const auto& [id, runner] : impl_->runners) all.push_back(runner->view());
  return all;
}

Result<Usage> Process::usage(ReplicaId id) const {
  const auto found = impl_->runners.find(id);
  if (found != impl_->runners.end()) return found->second->usage();
  return fail({Code::unavailable, fmt::format("there is no replica {}", id)});
}

std::optional<Written> Process::written(ReplicaId id, std::uint64_t after) const {
  const auto* const tail = impl_->tail(id);
  if (tail == nullptr) return std::nullopt;
  auto written = tail->since(after);
  written.gone = !impl_->runners.contains(id);
  return written;
}

std::string Process::output(ReplicaId id) const {
  const auto* const tail = impl_->tail(id);
  return tail == nullptr ? "" : tail->text();
}

}  // namespace headroom::target
