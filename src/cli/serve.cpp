#include "cli/serve.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <tuple>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/notify.h"
#include "cli/paths.h"
#include "cli/runnable.h"
#include "cli/verbs.h"
#include "control/clock.h"
#include "control/loop.h"
#include "control/recorder.h"
#include "control/watch_file.h"
#include "gateway/gateway.h"
#include "journal/journal.h"
#include "server/server.h"
#include "target/guardian.h"

namespace headroom::cli {
namespace {

/// A connection is a descriptor, and the usual soft limit of 1,024 is there for select() only.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

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
  void run() { io_.run(); }

 private:
  Result<void> open_journal();
  Result<void> open_admin();
  void tell_manager();
  void on_signal(int signal);
  void wait_for_signal();
  void reload();
  void stop(int signal);
  [[noreturn]] void kill(int signal);

  ServeOptions options_;
  Notify notify_;  // before anything inherits the environment
  boost::asio::io_context io_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer notify_timer_{io_};
  std::optional<target::Guardian> guardian_;
  std::optional<control::LiveClock> clock_;
  std::optional<control::Recorder> recorder_;
  control::Board board_;
  std::unique_ptr<gateway::Gateway> gateway_;
  std::unique_ptr<control::Loop> loop_;
  std::unique_ptr<server::Server> admin_;
  std::optional<control::FileWatch> watch_;
  Print print_;
  std::vector<std::string> documents_;
  bool stopping_ = false;
};

Result<void> Server::open_journal() {
  if (auto made = make_folder_of(options_.journal); !made) return made;
  auto journal = journal::Journal::open(options_.journal, journal::Journal::Mode::write);
  if (!journal) return fail(journal.error());
  const auto newest = journal->newest();
  if (!newest) return fail(newest.error());
  clock_.emplace(*newest);
  recorder_.emplace(std::move(*journal));
  return {};
}

Result<void> Server::open_admin() {
  const auto& from = options_.admin;
  server::Options options{.required = !from.address.empty(),
                          .token_file = from.token_file,
                          .certificate = from.certificate,
                          .key = from.key,
                          .hosts = from.hosts,
                          .version = HEADROOM_VERSION};
  if (!from.address.empty()) options.address = from.address;
  auto admin = server::Server::start(
      options,
      {.board = board_,
       .journal = options_.journal,
       .loop = io_,
       .hold = [this](const std::string& name, std::optional<Replicas> replicas,
                      std::optional<Millis> time) { return loop_->hold(name, replicas, time); },
       .release = [this](const std::string& name) { return loop_->release(name); },
       .written = [this](const std::string& name, target::ReplicaId replica,
                         std::uint64_t after) { return loop_->written(name, replica, after); }});
  if (!admin) return fail(admin.error());
  admin_ = std::move(*admin);
  return {};
}

Result<void> Server::start(const std::vector<policy::Autoscaler>& wanted) {
  // First, because it forks: it must hold no lock of the journal and meet no thread.
  auto guardian = target::Guardian::start();
  if (!guardian) return fail(guardian.error());
  guardian_.emplace(std::move(*guardian));
  if (auto opened = open_journal(); !opened) return opened;

  const auto demand = [this](gateway::ServiceId service) {
    boost::asio::post(io_, [this, service] {
      if (loop_) loop_->demand(service);
    });
  };
  auto gateway = gateway::Gateway::start({.threads = options_.threads, .demand = demand});
  if (!gateway) return fail(gateway.error());
  gateway_ = std::move(*gateway);

  const auto folder = std::filesystem::path(options_.journal).parent_path().string();
  loop_ = std::make_unique<control::Loop>(control::World{
      io_, *clock_, *recorder_, *gateway_, *guardian_, board_, folder.empty() ? "." : folder});
  boost::system::error_code error;
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) signals_.add(signal, error);
  wait_for_signal();
  if (auto applied = loop_->apply(wanted); !applied) return applied;
  documents_ = written(wanted);
  if (auto opened = open_admin(); !opened) return opened;
  if (!options_.file.empty())
    watch_.emplace(io_, options_.file, [this] {
      if (!(Print::of(options_.file) == print_)) reload();
    });
  log::info("journal: {}", options_.journal);
  notify_.ready();
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
  std::size_t ready = 0;
  const auto all = board_.all();
  for (const auto& each : all) ready += static_cast<std::size_t>(each->seen.ready());
  notify_.status(fmt::format("{} autoscaler{}, {} replica{} ready{}", all.size(),
                             all.size() == 1 ? "" : "s", ready, ready == 1 ? "" : "s",
                             stopping_ ? "; stopping" : ""));
  if (notify_.watchdog()) notify_.alive();
  notify_timer_.expires_after(std::min<Millis>(notify_.watchdog().value_or(5s), 5s));
  notify_timer_.async_wait([this](boost::system::error_code error) {
    if (!error) tell_manager();
  });
}

void Server::on_signal(int signal) {
  if (signal == SIGHUP) {
    notify_.reloading();
    if (admin_) admin_->reread();
    if (options_.file.empty()) {
      log::info("SIGHUP: there is no file to read again");
    } else {
      reload();
    }
    notify_.ready();
    return;
  }
  if (stopping_) kill(signal);
  stop(signal);
}

void Server::reload() {
  if (stopping_) return;
  print_ = Print::of(options_.file);
  const auto wanted = read_runnable(options_.file);
  if (!wanted) {
    log_lines(to_string(wanted.error()));
    log::error("{}: not taken; what ran before goes on", options_.file);
    return;
  }
  auto documents = written(*wanted);
  if (documents == documents_) {
    log::info("{}: read again, nothing changed", options_.file);
    return;
  }
  documents_ = std::move(documents);
  log::info("{}: changed, taken", options_.file);
  if (auto applied = loop_->apply(*wanted); !applied) log_lines(to_string(applied.error()));
}

void Server::stop(int signal) {
  stopping_ = true;
  notify_.stopping();
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
  ::_exit(128 + signal);
}

}  // namespace

policy::Environment environment() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

int serve(const ServeOptions& options, const std::vector<policy::Autoscaler>& wanted) {
  raise_descriptor_limit();
  ignore_broken_pipes();
  Server server(options);
  if (auto started = server.start(wanted); !started) return complain(started.error());
  server.run();
  return kOk;
}

}  // namespace headroom::cli
