// headroom-load: sends requests to a URL and counts every answer and every failure by kind.

#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

#include "base/address.h"
#include "base/time.h"
#include "load/client.h"

namespace headroom::bench {
namespace {

constexpr const char* kFooter = R"(
URL: http://HOST:PORT[/PATH], or unix:/path/to.sock

A request's latency counts from the moment it was due by the schedule, sent or not: a server that
stalls is charged for all who had to wait. A connection that the server closes while it is idle is
no failure; a request lost on a reused one is.

Exit code: 0 no failures, 1 some (no answer, or a status from 400 on), 2 usage.

example: headroom-load http://localhost:8080 --schedule 0s:0,5s:2000,10s:2000,12s:0 --post-share 0.2
         headroom-load http://localhost:8080 --closed 64 --requests 100000
         headroom-load http://localhost:8080 --idle 10000
)";

struct Flags {
  std::string url, path, post_path, schedule, duration, timeout = "10s", output = "text", timeline;
  std::vector<std::string> headers;
  double rate = 0, post_share = 0;
  int connections = 1024, closed = 0, idle = 0;
  std::uint64_t requests = 0;
  std::size_t body_size = 100;
  bool quiet = false, replicas_seen = false;
};

void declare(CLI::App& app, Flags& flags) {
  app.add_option("url", flags.url, "where to")->required()->type_name("URL");
  app.add_option("--schedule", flags.schedule,
                 "requests per second at points of time, straight "
                 "lines between them")
      ->type_name("TIME:RATE,...");
  app.add_option("--rate", flags.rate, "steady requests per second, for --duration")
      ->check(CLI::Range(0.001, 1e7));
  app.add_option("--duration", flags.duration, "how long (with --rate, --closed, --idle)");
  app.add_option("--closed", flags.closed,
                 "this many connections, each sends its next request when it has its answer")
      ->check(CLI::Range(1, 100000));
  app.add_option("--requests", flags.requests, "how many requests (with --closed)");
  app.add_option("--idle", flags.idle,
                 "open this many connections, one request on each, and keep them open")
      ->check(CLI::Range(1, 100000));
  app.add_option("--connections", flags.connections, "at most this many connections")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  app.add_option("--timeout", flags.timeout, "for an answer, from when the request was due")
      ->capture_default_str();
  app.add_option("--path", flags.path, "path and query (default: the URL's, else /)");
  app.add_option("--post-share", flags.post_share, "share of POST requests; the rest are GET")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--post-path", flags.post_path, "path and query of POST (default: as --path)");
  app.add_option("--body-size", flags.body_size, "bytes in a POST")
      ->check(CLI::Range(0, 64 << 20))
      ->capture_default_str();
  app.add_option("-H,--header", flags.headers, "a further field, \"Name: value\"; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--timeline", flags.timeline,
                 "write a CSV file: sent, answered, failed and "
                 "distinct X-Replica for each 100 ms");
  app.add_flag("--replicas-seen", flags.replicas_seen,
               "say when each distinct X-Replica was first seen");
  app.add_option("-o,--output", flags.output, "text or json")
      ->check(CLI::IsMember({"text", "json"}));
  app.add_flag("-q,--quiet", flags.quiet, "no line per second on stderr");
  app.footer(kFooter);
}

struct Target {
  Address address;
  std::string host, path;
};

Result<Target> read_url(std::string_view url) {
  Target target{.host = "localhost", .path = "/"};
  std::string_view where = url;
  if (!url.starts_with("unix:")) {
    if (!url.starts_with("http://")) {
      return fail(
          {Code::invalid, fmt::format("URL: found \"{}\", expected http:// or unix:", url)});
    }
    where = url.substr(7);
    const auto slash = where.find('/');
    if (slash != where.npos) target.path = where.substr(slash);
    where = where.substr(0, slash);
    target.host = where;
  }
  const bool has_port = where.find(':', where.rfind(']') + 1) != where.npos;
  auto address = resolve(has_port ? std::string(where) : std::string(where) + ":80");
  if (!address) return fail(address.error());
  target.address = *address;
  return target;
}

Result<Nanos> nanos(const std::string& text) {
  const auto read = parse_duration(text);
  if (!read) return fail(read.error());
  return std::chrono::nanoseconds{*read}.count();
}

void write_requests(const Flags& flags, const Target& target, Plan& plan) {
  std::string fields = fmt::format("Host: {}\r\nUser-Agent: headroom-load\r\n", target.host);
  for (const std::string& header : flags.headers) fields += header + "\r\n";
  const std::string path = flags.path.empty() ? target.path : flags.path;
  plan.get = fmt::format("GET {} HTTP/1.1\r\n{}\r\n", path, fields);
  plan.post = fmt::format("POST {} HTTP/1.1\r\n{}Content-Length: {}\r\n\r\n{}",
                          flags.post_path.empty() ? path : flags.post_path, fields, flags.body_size,
                          std::string(flags.body_size, 'x'));
}

Result<Plan> make_plan(const Flags& flags) {
  auto target = read_url(flags.url);
  if (!target) return fail(target.error());
  Plan plan{.address = target->address,
            .post_share = flags.post_share,
            .requests = flags.requests,
            .connections = flags.connections,
            .quiet = flags.quiet};
  write_requests(flags, *target, plan);
  auto timeout = nanos(flags.timeout);
  if (!timeout) return fail(timeout.error());
  plan.timeout = *timeout;
  if (!flags.duration.empty()) {
    auto duration = nanos(flags.duration);
    if (!duration) return fail(duration.error());
    plan.duration = *duration;
  }
  const int ways =
      !flags.schedule.empty() + (flags.rate > 0) + (flags.closed > 0) + (flags.idle > 0);
  if (ways != 1)
    return fail({Code::invalid, "expected one of --schedule, --rate, --closed, --idle"});
  if (flags.closed > 0 || flags.idle > 0) {
    plan.mode = flags.idle > 0 ? Plan::Mode::idle : Plan::Mode::closed;
    plan.connections = std::max(flags.closed, flags.idle);
    if (flags.closed > 0 && plan.requests == 0 && plan.duration == 0) {
      return fail({Code::invalid, "--closed: expected --requests or --duration beside it"});
    }
  } else if (flags.rate > 0) {
    if (plan.duration == 0) return fail({Code::invalid, "--rate: expected --duration beside it"});
    plan.schedule = Schedule::steady(flags.rate, static_cast<double>(plan.duration) / 1e9);
    plan.duration = 0;  // the schedule's own end, so that its last request is sent
  } else {
    auto schedule = Schedule::parse(flags.schedule);
    if (!schedule) return fail(schedule.error());
    plan.schedule = *schedule;
  }
  return plan;
}

int usage(std::string_view what) {
  fmt::print(stderr, "headroom-load: {}\n", what);
  return 2;
}

int run(int argc, char** argv) {
  CLI::App app{"headroom-load: load by a schedule, every answer and failure counted",
               "headroom-load"};
  Flags flags;
  declare(app, flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  auto plan = make_plan(flags);
  if (!plan) return usage(plan.error().what);
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);

  Tally tally;
  Client client(std::move(*plan), tally);
  if (auto ran = client.run(); !ran) return usage(ran.error().what);
  if (flags.output == "json") {
    tally.print_json(stdout, client.seconds());
  } else {
    tally.print(stdout, client.seconds(), flags.replicas_seen);
  }
  if (!flags.timeline.empty() && !tally.write_timeline(flags.timeline)) {
    return usage(fmt::format("--timeline: cannot write {}", flags.timeline));
  }
  return tally.clean() ? 0 : 1;
}

}  // namespace
}  // namespace headroom::bench

int main(int argc, char** argv) { return headroom::bench::run(argc, argv); }
