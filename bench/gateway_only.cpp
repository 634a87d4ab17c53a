// gateway-only: the gateway with fixed backends and nothing else (no processes, no deciding, no
// journal), so that the data path can be measured alone beside other proxies.

#include <csignal>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

#include "gateway/gateway.h"

namespace headroom::bench {
namespace {

struct Flags {
  std::string listen = "127.0.0.1:8080";
  std::vector<std::string> backends;
  int threads = 1;
  int limit = 0;
  bool stats = false;
};

int failed(const Error& error) {
  fmt::print(stderr, "gateway-only: {}\n", to_string(error));
  return 1;
}

void print(const gateway::Snapshot& snapshot) {
  fmt::print("arrived {} completed {} waiting {} outstanding {} rejected {} retries {}\n",
             snapshot.arrived, snapshot.completed, snapshot.waiting, snapshot.outstanding,
             snapshot.rejected, snapshot.retries);
  for (std::size_t i = 0; i < std::size(snapshot.failed); ++i) {
    if (snapshot.failed[i] == 0) continue;
    fmt::print("failed {} {}\n", name(static_cast<gateway::Failure>(i)), snapshot.failed[i]);
  }
}

int serve(const Flags& flags, const sigset_t& stop) {
  auto gateway = gateway::Gateway::start({.threads = flags.threads, .demand = {}});
  if (!gateway) return failed(gateway.error());
  gateway::Settings settings;
  settings.name = "bench";
  std::vector<gateway::Backend> backends;
  for (const std::string& text : flags.backends) {
    const auto address = resolve(text);
    if (!address) return failed(address.error());
    backends.push_back({.id = backends.size() + 1, .address = *address, .limit = flags.limit});
  }
  const auto listen = resolve(flags.listen);
  if (!listen) return failed(listen.error());
  settings.listen = *listen;
  const auto service = (*gateway)->add(settings);
  if (!service) return failed(service.error());
  (*gateway)->set_backends(*service, std::move(backends));
  fmt::print(stderr, "gateway-only: listening on {}\n", to_string((*gateway)->listening(*service)));

  int signal = 0;
  ::sigwait(&stop, &signal);
  (*gateway)->shutdown(5s);
  if (flags.stats) print((*gateway)->snapshot(*service));
  return 0;
}

int run(int argc, char** argv) {
  CLI::App app{"gateway-only: the gateway with fixed backends, to be measured alone",
               "gateway-only"};
  Flags flags;
  app.add_option("--listen", flags.listen, "where clients connect")->capture_default_str();
  app.add_option("--backend", flags.backends, "HOST:PORT or unix:/path; may be repeated")
      ->required()
      ->allow_extra_args(false)
      ->type_name("ADDRESS");
  app.add_option("--threads", flags.threads, "I/O threads; 0: the cores, at most 4")
      ->capture_default_str();
  app.add_option("--limit", flags.limit, "requests at once per backend; 0: none")
      ->capture_default_str();
  app.add_flag("--stats", flags.stats, "print what was counted when stopped");
  app.footer("\nexample: gateway-only --listen 127.0.0.1:8080 --backend 127.0.0.1:9000\n");
  CLI11_PARSE(app, argc, argv);
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  sigset_t stop;  // blocked before the gateway starts its threads, which inherit that
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  return serve(flags, stop);
}

}  // namespace
}  // namespace headroom::bench

int main(int argc, char** argv) { return headroom::bench::run(argc, argv); }
