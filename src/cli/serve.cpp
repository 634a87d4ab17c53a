#include "cli/serve.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <thread>
#include <tuple>
#include <utility>

#include <boost/algorithm/string/replace.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/listeners.h"
#include "base/log.h"
#include "base/notify.h"
#include "cli/handover.h"
#include "cli/paths.h"
#include "cli/runnable.h"
#include "cli/verbs.h"
#include "control/clock.h"
#include "control/loop.h"
#include "control/predecessor.h"
#include "control/recorder.h"
#include "control/watch_file.h"
#include "decide/words.h"
#include "gateway/gateway.h"
#include "journal/journal.h"
#include "otlp/exporter.h"
#include "server/server.h"
#include "target/guard.h"
#include "target/guardian.h"

namespace headroom::cli {
namespace {

using std::chrono::steady_clock;

/// A connection is a descriptor, and the usual soft limit of 1,024 is there for select() only.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

constexpr Millis kLastWords = 3s;  // to send what is left to the collector

void ignore_broken_pipes() {
  // A handler and not SIG_IGN, which the replicas would inherit.
  struct sigaction action {};
  action.sa_handler = [](int) {};
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGPIPE, &action, nullptr);
}

/// What tells one state of a file from another without reading it.
struct Print {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  timespec changed{};

  static Print of(const std::string& file) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) return {};
    return {status.st_dev, status.st_ino, status.st_size, status.st_ctim};
  }
  auto key() const { return std::tuple(device, inode, size, changed.tv_sec, changed.tv_nsec); }
  bool operator==(const Print& other) const { return key() == other.key(); }
};

std::vector<std::string> written(const std::vector<policy::Autoscaler>& autoscalers) {
  std::vector<std::string> documents;
  for (const auto& each : autoscalers) documents.push_back(policy::write_document(each));
  return documents;
}

/// One line each, so that every one has its time and level.
void log_lines(std::string_view text) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    log::error("{}", text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::string in_one_line(const Error& error) {
  return boost::replace_all_copy(to_string(error), "\n", "; ");
}

/// Without destructors: they would wait for what may never come.
[[noreturn]] void end_at_once(int code) {
  log::finish(log::kLastWords);
  ::_exit(code);
}

class Server {
 public:
  explicit Server(ServeOptions options)
      : options_(std::move(options)), io_(1), signals_(io_), print_(Print::of(options_.file)) {}
  ~Server() {
    admin_.reset();  // it asks the loop
    // The replicas go before the gateway they are known to.
    if (loop_) loop_->kill();
    loop_.reset();
  }

  Result<void> start(const std::vector<policy::Autoscaler>& wanted);
  void run() {
    io_.run();
    if (exporter_) exporter_->stop(kLastWords);
  }
  bool has_predecessor() const { return has_predecessor_; }

 private:
  Result<void> open_guardian();
  Result<void> open_journal();
  Result<void> open_exporter(std::optional<std::int64_t> told);
  Result<void> open_admin(server::Server::Sockets sockets);
  Result<void> open_loop(std::vector<control::HandedScaler> handed);
  Result<void> begin(const std::vector<policy::Autoscaler>& wanted, Fd before);
  void tell_manager();
  void on_signal(int signal);
  void wait_for_signal();
  Result<void> apply(const std::vector<policy::Autoscaler>& wanted);
  void reload();
  void upgrade();
  void upgrade_later();
  void upgrade_soon();
  void hand_over();
  void give_up(const Error& error);
  Result<void> take_journal_back();
  void reopen_journal(Millis pause = 200ms);
  void let_go();
  void end_if_done();
  void stop(int signal);
  [[noreturn]] void kill(int signal);

  ServeOptions options_;
  boost::asio::io_context io_;
  std::optional<target::Guardian> guardian_;
  std::optional<Notify> notify_;
  Listeners listeners_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer notify_timer_{io_};
  control::Predecessor predecessor_{io_};
  boost::asio::posix::stream_descriptor successor_{io_};
  boost::asio::steady_timer upgrade_timer_{io_};
  boost::asio::steady_timer journal_timer_{io_};
  std::optional<control::LiveClock> clock_;
  std::optional<control::Recorder> recorder_;
  control::Board board_;
  std::shared_ptr<gateway::Tracing> tracing_;  // null: nothing is traced
  std::unique_ptr<otlp::Exporter> exporter_;
  std::unique_ptr<gateway::Gateway> gateway_;
  std::unique_ptr<control::Loop> loop_;
  std::unique_ptr<server::Server> admin_;
  std::optional<control::FileWatch> watch_;
  Print print_;
  std::vector<std::string> documents_;
  bool stopping_ = false;
  bool has_predecessor_ = false;
  bool half_done_ = false;      // of what has to be before a predecessor ends
  bool upgrade_waits_ = false;  // for the predecessor's end
  bool succeeded_ = false;      // by another: only what is open is answered
};

/// First, because it may fork: it must hold no lock of the journal and meet no thread.
Result<void> Server::open_guardian() {
  guardian_ = target::Guardian::inherited();
  if (!guardian_) {
    auto guardian = target::Guardian::start();
    if (!guardian) return fail(guardian.error());
    guardian_.emplace(std::move(*guardian));
  }
  log::start_thread();
  // Out of the environment, before replicas inherit it. What a service manager knows is the
  // guardian: it listens to that, and names it.
  notify_.emplace([this](const std::string& what) { guardian_->tell_manager(what); });
  listeners_ = Listeners::from_environment(guardian_->pid());
  guardian_->when_gone(io_, [this] {
    log::error("the guardian was killed: ending the replicas");
    if (loop_) loop_->kill();
    end_at_once(kFailed);
  });
  return {};
}

/// Of a Headroom that was just killed somebody may still be at work, ending its replicas.
Result<journal::Journal> open_when_free(const std::string& path, journal::Journal::Mode mode) {
  constexpr int kTries = 20;
  for (int n = 0;; ++n) {
    auto journal = journal::Journal::open(path, mode);
    if (journal || journal.error().code != Code::conflict || n == kTries) return journal;
    std::this_thread::sleep_for(100ms);
  }
}

/// With a predecessor nothing in it is changed before all is ours: it may have to go on with it,
/// and may be of an earlier version.
Result<void> Server::open_journal() {
  using Mode = journal::Journal::Mode;
  if (auto made = make_folder_of(options_.journal); !made) return made;
  auto journal = open_when_free(options_.journal, has_predecessor_ ? Mode::stand_by : Mode::write);
  if (!journal) return fail(journal.error());
  const auto newest = journal->newest();
  if (!newest) return fail(newest.error());
  clock_.emplace(*newest);
  recorder_.emplace(std::move(*journal));
  return {};
}

Result<void> Server::open_exporter(std::optional<std::int64_t> told) {
  if (!options_.otlp) return {};
  if (options_.otlp->traces) {
    tracing_ = std::make_shared<gateway::Tracing>(options_.otlp->sample);
  }
  auto exporter = otlp::Exporter::start(
      *options_.otlp, {tracing_, board_, options_.journal, HEADROOM_VERSION, told});
  if (!exporter) return fail(exporter.error());
  exporter_ = std::move(*exporter);
  return {};
}

Result<void> Server::open_admin(server::Server::Sockets sockets) {
  const auto& from = options_.admin;
  server::Options options{.required = !from.address.empty(),
                          .token_file = from.token_file,
                          .certificate = from.certificate,
                          .key = from.key,
                          .hosts = from.hosts,
                          .version = HEADROOM_VERSION};
  if (!from.address.empty()) options.address = from.address;
  if (!sockets.tcp) {
    if (const auto address = resolve(options.address)) sockets.tcp = listeners_.take(*address);
  }
  auto admin = server::Server::start(
      options,
      {.board = board_,
       .journal = options_.journal,
       .loop = io_,
       .hold = [this](const std::string& name, std::optional<Replicas> replicas,
                      std::optional<Millis> time) { return loop_->hold(name, replicas, time); },
       .release = [this](const std::string& name) { return loop_->release(name); },
       .written = [this](const std::string& name, target::ReplicaId replica,
                         std::uint64_t after) { return loop_->written(name, replica, after); },
       .metrics =
           [this](server::MetricSink& sink) {
             if (exporter_) exporter_->measure(sink);
           }},
      std::move(sockets));
  if (!admin) return fail(admin.error());
  admin_ = std::move(*admin);
  return {};
}

Result<void> Server::open_loop(std::vector<control::HandedScaler> handed) {
  const auto folder = std::filesystem::path(options_.journal).parent_path().string();
  loop_ = std::make_unique<control::Loop>(
      control::World{io_, *clock_, *recorder_, *gateway_, *guardian_, board_,
                     folder.empty() ? "." : folder, listeners_, predecessor_});
  std::vector<policy::Autoscaler> running;
  for (const auto& each : handed) {
    auto read = policy::read_documents(each.document, "the running document", environment());
    if (!read) return fail(read.error());
    running.push_back(std::move(read->front()));
  }
  return loop_->adopt(running, std::move(handed));
}

/// What a successor does from here on cannot be given back: its errors are for the log, and what
/// ran goes on.
Result<void> Server::begin(const std::vector<policy::Autoscaler>& wanted, Fd before) {
  if (before) {
    if (auto ours = confirm(before.get()); !ours) return ours;
    guardian_->take_over();
    say_over(before.get());
    predecessor_.watch(std::move(before));
    gateway_->open();
    if (auto begun = recorder_->begin(); !begun) {
      log::error("{}", to_string(begun.error()));
      reopen_journal();
    }
    loop_->begin();
  }
  auto applied = apply(wanted);
  if (!applied && !has_predecessor_) return applied;
  if (!applied) log_lines(to_string(applied.error()));
  return {};
}

/// What could not be applied is tried again when the document is read the next time.
Result<void> Server::apply(const std::vector<policy::Autoscaler>& wanted) {
  auto applied = loop_->apply(wanted);
  documents_ = applied ? written(wanted) : std::vector<std::string>();
  board_.set_refused(applied ? "" : in_one_line(applied.error()));
  return applied;
}

Result<void> Server::start(const std::vector<policy::Autoscaler>& wanted) {
  if (auto opened = open_guardian(); !opened) return opened;
  Fd before = guardian_->predecessor();
  has_predecessor_ = static_cast<bool>(before);
  Handover handed;
  if (before) {
    auto taken = take_over(before.get());
    if (!taken) return fail(taken.error());
    handed = std::move(*taken);
    for (auto& socket : handed.passed) listeners_.add(std::move(socket));
    log::set_level(handed.level);
  }
  if (auto opened = open_journal(); !opened) return opened;
  if (auto opened = open_exporter(handed.told); !opened) return opened;

  const auto demand = [this](gateway::ServiceId service) {
    boost::asio::post(io_, [this, service] {
      if (loop_) loop_->demand(service);
    });
  };
  auto gateway = gateway::Gateway::start({.threads = options_.threads,
                                          .demand = demand,
                                          .tracing = tracing_,
                                          .deaf = has_predecessor_});
  if (!gateway) return fail(gateway.error());
  gateway_ = std::move(*gateway);

  boost::system::error_code error;
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR2}) signals_.add(signal, error);
  target::guard::unblock_late_signals();
  wait_for_signal();
  if (auto opened = open_loop(std::move(handed.scalers)); !opened) return opened;
  // With a predecessor's sockets before the word to go, because it may fail; without after all
  // that it shows is there.
  if (has_predecessor_) {
    if (auto opened = open_admin(std::move(handed.admin)); !opened) return opened;
  }
  if (auto begun = begin(wanted, std::move(before)); !begun) return begun;
  if (!has_predecessor_) {
    if (auto opened = open_admin({}); !opened) return opened;
  }
  admin_->answer();  // what runs is on the board by now
  for (const auto& address : listeners_.left()) {
    log::warn(
        "socket activation: {}: no service and no --admin of ours has that address; who connects "
        "waits until one has",
        address);
  }
  if (!options_.file.empty()) {
    const auto look = [this] {
      if (!(Print::of(options_.file) == print_)) reload();
    };
    watch_.emplace(io_, options_.file, look);
    boost::asio::post(io_, look);  // it may have changed while we started
  }
  log::info("journal: {}", options_.journal);
  notify_->ready();
  tell_manager();
  return {};
}

void Server::wait_for_signal() {
  signals_.async_wait([this](boost::system::error_code error, int signal) {
    if (error) return;
    on_signal(signal);
    wait_for_signal();
  });
}

/// From the loop's thread: that this comes says that it is alive.
void Server::tell_manager() {
  std::int64_t ready = 0;
  const auto all = board_.all();
  for (const auto& each : all) ready += each->seen.ready();
  notify_->status(fmt::format("{}, {} ready{}{}", decide::counted(std::ssize(all), "autoscaler"),
                              decide::counted(ready, "replica"),
                              !board_.refused().empty() ? "; the document is refused" : "",
                              stopping_ ? "; stopping" : ""));
  if (notify_->watchdog()) notify_->alive();
  notify_timer_.expires_after(std::min<Millis>(notify_->watchdog().value_or(1s), 1s));
  notify_timer_.async_wait([this](boost::system::error_code error) {
    if (!error) tell_manager();
  });
}

void Server::on_signal(int signal) {
  if (succeeded_) return;  // it comes from a terminal, and to our successor, too
  if (signal == SIGHUP) {
    notify_->reloading();
    if (admin_) admin_->reread();
    if (options_.file.empty()) {
      log::info("SIGHUP: there is no file to read again");
    } else {
      if (watch_) watch_->refresh();
      reload();
    }
    notify_->ready();
    return;
  }
  if (signal == SIGUSR2) return upgrade();
  if (stopping_) kill(signal);
  stop(signal);
}

/// Another worker, from the program that is on disk now. Until it says hello, all goes on as ever.
void Server::upgrade() {
  static constexpr Millis kPatience = 60s;  // to read its document
  if (stopping_ || successor_.is_open()) {
    log::warn("SIGUSR2: {}", stopping_ ? "stopping" : "an upgrade is under way");
    return;
  }
  if (predecessor_.lives()) return upgrade_later();
  auto socket = guardian_->start_successor();
  if (!socket && socket.error().code == Code::conflict) return upgrade_soon();
  if (!socket) {
    log::error("upgrade: {}; what ran goes on", to_string(socket.error()));
    return;
  }
  log::info("SIGUSR2: starting the program anew, to hand over to it");
  successor_.assign(socket->release());
  successor_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                        [this](boost::system::error_code error) {
                          upgrade_timer_.expires_at(steady_clock::time_point::max());
                          if (!error) hand_over();
                        });
  upgrade_timer_.expires_after(kPatience);
  upgrade_timer_.async_wait([this](boost::system::error_code error) {
    if (error || upgrade_timer_.expiry() > steady_clock::now()) return;
    give_up({Code::unavailable, "the new program is silent for " + span_of(kPatience), {}});
  });
}

/// The one before us still answers on replicas that are ours, and would have no heir.
void Server::upgrade_later() {
  log::info("SIGUSR2: the Headroom before this one still answers; the upgrade waits for its end");
  if (std::exchange(upgrade_waits_, true)) return;
  predecessor_.when_gone([this] {
    upgrade_waits_ = false;
    upgrade_soon();
  });
}

/// The guardian has yet to reap the one before us.
void Server::upgrade_soon() {
  upgrade_timer_.expires_after(50ms);
  upgrade_timer_.async_wait([this](boost::system::error_code error) {
    if (!error) upgrade();
  });
}

void Server::give_up(const Error& error) {
  log::error("upgrade: {}; what ran goes on", to_string(error));
  guardian_->abandon_successor();
  boost::system::error_code ignored;
  successor_.close(ignored);
}

/// All in one go, on the loop's thread: nothing is decided, read or reaped meanwhile. The gateway
/// answers as ever.
void Server::hand_over() {
  const int socket = successor_.native_handle();
  const auto version = read_hello(socket);
  if (!version) return give_up(version.error());
  if (stopping_) return give_up({Code::conflict, "we are stopping", {}});
  static_cast<void>(take_journal_back());  // where it is not, close() says what that means
  loop_->write_samples();
  if (auto closed = recorder_->close(); !closed) return give_up(closed.error());
  Handover all{loop_->hand_over(), {}, {}, listeners_.hand_over(), log::level()};
  if (admin_) all.admin = admin_->sockets();
  if (exporter_) all.told = exporter_->let_go();
  if (notify_->watchdog()) notify_->alive();
  const auto handed = cli::hand_over(socket, all);
  if (handed) {
    log::info("upgrade: Headroom {} → {}; the new one goes on, this one answers what is open",
              HEADROOM_VERSION, *version);
    return let_go();
  }
  give_up(handed.error());
  if (exporter_) exporter_->go_on();
  reopen_journal();
}

Result<void> Server::take_journal_back() {
  if (recorder_->is_open()) return {};
  auto journal = journal::Journal::open(options_.journal, journal::Journal::Mode::write);
  if (!journal) return fail(journal.error());
  recorder_->reopened(std::move(*journal));
  return {};
}

/// The one that was given up may still have it for a moment, or have left it as we cannot use it.
void Server::reopen_journal(Millis pause) {
  const auto back = take_journal_back();
  if (back) return;
  if (pause >= 1s) {
    log::warn("{}; decisions wait; the next try is in {}", to_string(back.error()),
              to_string(pause));
  }
  journal_timer_.expires_after(pause);
  const auto next = std::clamp<Millis>(2 * pause, 1s, 30s);
  journal_timer_.async_wait([this, next](boost::system::error_code error) {
    if (!error && !succeeded_) reopen_journal(next);
  });
}

/// Ends when all that was open is answered, and the successor has said its last word: who is
/// without it has no heir.
void Server::let_go() {
  succeeded_ = true;
  if (admin_) admin_->let_go();
  admin_.reset();
  watch_.reset();
  notify_timer_.cancel();
  journal_timer_.cancel();
  successor_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                        [this](boost::system::error_code) {
                          if (is_over(successor_.native_handle())) return end_if_done();
                          log::error("upgrade: the new one has died: ending");
                          loop_->kill();
                          end_at_once(kFailed);
                        });
  loop_->let_go(loop_->longest_drain(), [this] { end_if_done(); });
}

/// Called twice.
void Server::end_if_done() {
  if (!std::exchange(half_done_, true)) return;
  log::info("upgrade: all that was open is answered");
  io_.stop();
}

void Server::reload() {
  if (stopping_) return;
  print_ = Print::of(options_.file);
  const auto wanted = read_runnable(options_.file);
  if (!wanted) {
    const auto why = in_one_line(wanted.error());
    log_lines(to_string(wanted.error()));
    loop_->refused(why);
    board_.set_refused(why);
    log::error("{}: not taken; what ran before goes on", options_.file);
    return;
  }
  if (written(*wanted) == documents_) {
    board_.set_refused("");
    loop_->accepted();
    log::info("{}: read again, nothing changed", options_.file);
    return;
  }
  if (auto applied = apply(*wanted); !applied) {
    log_lines(to_string(applied.error()));
    log::error("{}: not all of it taken; SIGHUP tries again", options_.file);
    return;
  }
  log::info("{}: changed, taken", options_.file);
}

void Server::stop(int signal) {
  constexpr Millis kSomeMore = 10s;
  stopping_ = true;
  notify_->stopping(loop_->longest_drain() + loop_->longest_grace() + kSomeMore);
  tell_manager();
  log::info("{}: answering what is open, then stopping; once more kills",
            signal == SIGINT ? "SIGINT" : "SIGTERM");
  loop_->stop(loop_->longest_drain(), [this] {
    log::info("stopped");
    notify_timer_.cancel();
    io_.stop();
  });
}

void Server::kill(int signal) {
  log::warn("second signal: killing the replicas");
  loop_->kill();
  // The gateway may be waiting for answers that will not come: nothing here may wait for it.
  end_at_once(128 + signal);
}

}  // namespace

policy::Environment environment() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

int report(const Error& error) {
  if (log::format() == log::Format::text) {
    log::finish(log::kLastWords);  // what came before it stands before it
    return complain(error);
  }
  log_lines(to_string(error));
  return error.code == Code::invalid ? kUsage : kFailed;
}

int serve(const ServeOptions& options, const std::vector<policy::Autoscaler>& wanted) {
  raise_descriptor_limit();
  ignore_broken_pipes();
  Server server(options);
  if (auto started = server.start(wanted); !started) {
    const int code = report(started.error());
    // What was handed over is the predecessor's still: nothing of it may be ended here.
    if (server.has_predecessor()) end_at_once(code);
    return code;
  }
  server.run();
  return kOk;
}

}  // namespace headroom::cli
