#include "target/spawner.h"

#include <future>
#include <memory>

#include <pthread.h>
#include <signal.h>

#include "base/time.h"

namespace headroom::target {

Spawner::Spawner(Cgroups cgroups, pid_t parent)
    : cgroups_(std::move(cgroups)), handed_(cgroups_.hand_over()), parent_(parent) {
  // The thread must not take the signals that others wait for.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Spawner::end_thread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Spawner::let_go() {
  end_thread();
  remove_cgroups(next_.directories());
}

Spawner::~Spawner() {
  if (!thread_.joinable()) return;
  end_thread();
  // What was killed needs a moment to leave its cgroup.
  for (int tries = 0; tries < 100 && !Cgroups::clear(handed_.parents); ++tries) {
    std::this_thread::sleep_for(2ms);
  }
}

void Spawner::run() {
  prepare();
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (stopping_) break;
    const auto job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
    prepare();
    lock.lock();
  }
  cgroups_.leave();
}

void Spawner::prepare() {
  if (cgroups_.kind() == Cgroups::Kind::none || next_) return;
  next_ = cgroups_.make();
  if (cgroups_.kind() != Cgroups::Kind::v1) return;
  if (next_ && next_.enter()) return;
  cgroups_.leave();
  remove_cgroups(next_.directories());
  next_ = {};
}

Result<Started> Spawner::start(const Command& command) {
  // Shared: the thread may still be inside set_value() when we have the answer.
  const auto promise = std::make_shared<std::promise<Result<Started>>>();
  auto result = promise->get_future();
  {
    const std::lock_guard lock(mutex_);
    jobs_.emplace_back([this, promise, &command] {
      auto child =
          spawn(command, {.pipes = true, .cgroup = next_.directory_fd(), .parent = parent_});
      if (!child) return promise->set_value(fail(child.error()));
      Started started{std::move(*child), {}};
      if (cgroups_.kind() == Cgroups::Kind::v1 || started.child.in_cgroup) {
        started.cgroup = std::exchange(next_, {});
      }
      promise->set_value(std::move(started));
    });
  }
  changed_.notify_one();
  return result.get();
}

}  // namespace headroom::target
