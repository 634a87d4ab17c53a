#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/log.h"
#include "cli/paths.h"
#include "cli/run_flags.h"
#include "cli/runnable.h"
#include "cli/serve.h"
#include "cli/verbs.h"
#include "policy/read.h"

namespace headroom::cli {
namespace {

constexpr const char* kRunExamples =
    "Examples:\n"
    "  headroom run -- ./server --port '$(PORT)'\n"
    "  headroom run --listen :8080 --min 0 --max 8 --concurrency 20 -- ./server '$(PORT)'\n"
    "  headroom run --cpu 70 --readiness-path /readyz --output logs -- ./server -p '$(PORT)'\n"
    "  headroom run --max 4 --print -- ./server '$(SOCKET)' > app.yaml\n"
    "  headroom run app.yaml\n"
    "\n"
    "Each replica gets a port of its own in PORT, and in place of $(PORT) in its command; where\n"
    "the command names $(SOCKET), a Unix socket instead. The quotes keep the shell out of it.\n"
    "\n"
    "With a file: it is read again when it changes and on SIGHUP; a bad one is refused and what\n"
    "ran goes on. SIGTERM or SIGINT: what is open is answered, then the replicas are stopped;\n"
    "a second one kills them. SIGUSR2: the program that is on disk now goes on with all of it, "
    "and\n"
    "no request is lost.\n"
    "\n"
    "Exit codes: 0 stopped as asked, 1 could not start (port in use, journal not writable),\n"
    "2 the flags or the document are wrong, 130 or 143 killed by a second signal.\n";

struct RunOptions {
  std::string file;
  std::string journal;
  RunFlags flags;
  int threads = 0;
  AdminOptions admin;
  otlp::Asked otlp;
  bool print = false;
  bool verbose = false;
  bool quiet = false;
  std::string log_format = "text";
};

/// Adds options of one group.
auto adder(CLI::App& verb, const char* group) {
  return [&verb, group](const char* name, auto& to, const char* about) {
    return verb.add_option(name, to, about)->group(group);
  };
}

void add_document_flags(CLI::App& verb, RunFlags& flags) {
  const auto add = adder(verb, "Document (what a file says)");
  add("--name", flags.name, "Of the autoscaler; default: the command's")->type_name("NAME");
  add("--listen", flags.listen, "Where clients connect; default :8080")->type_name("ADDRESS");
  add("--min", flags.min, "Least replicas; 0: none while nobody asks; default 1");
  add("--max", flags.max, "Most replicas; default: the cores");
  add("--concurrency", flags.concurrency, "Requests at once that a replica should have");
  add("--rps", flags.rps, "Requests per second that a replica should have");
  add("--limit", flags.limit, "Requests at once that a replica may have; more wait");
  add("--cpu", flags.cpu, "Percent of a core that a replica should use");
  add("--memory", flags.memory, "Percent of its memory request (256Mi) that a replica should use");
  add("--objective", flags.objective,
      "What latency is held against: 100ms@p99; shown and counted, it does not scale")
      ->type_name("LATENCY[@pPERCENTILE]");
  add("--cooldown", flags.cooldown, "To zero this long after the last request; default 5m")
      ->type_name("DURATION");
  add("--window", flags.window, "What concurrency and rate are averaged over; default 1m")
      ->type_name("DURATION");
  add("--readiness-path", flags.readiness_path,
      "GET says whether it may have traffic; default: it accepts connections")
      ->type_name("/PATH");
  add("--liveness-path", flags.liveness_path, "GET says whether it must be restarted")
      ->type_name("/PATH");
  add("--grace", flags.grace, "From SIGTERM to SIGKILL; default 30s")->type_name("DURATION");
  add("--start-timeout", flags.start_timeout, "To be ready; default 1m")->type_name("DURATION");
  add("--env", flags.env, "Into the replicas' environment; may be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  add("--output", flags.output,
      "What replicas print: inherit (default), none, or a folder for files")
      ->type_name("TO");
}

void add_admin_flags(CLI::App& verb, AdminOptions& admin) {
  const auto add = adder(verb, "Admin (docs/api.md)");
  add("--admin", admin.address,
      "Where the dashboard, the API and /metrics are; none: nowhere; default 127.0.0.1:7780, or "
      "nowhere where that is taken")
      ->type_name("ADDRESS");
  add("--admin-token-file", admin.token_file,
      "Its first line lets one change things, and read where the address is not this machine's")
      ->type_name("FILE");
  add("--admin-certificate", admin.certificate, "PEM; with --admin-key: HTTPS")->type_name("FILE");
  add("--admin-key", admin.key, "PEM")->type_name("FILE");
  add("--admin-host", admin.hosts, "A name it is called by; may be repeated")
      ->type_name("NAME")
      ->allow_extra_args(false);
}

void add_otlp_flags(CLI::App& verb, otlp::Asked& otlp) {
  const auto add = adder(verb, "OpenTelemetry (docs/opentelemetry.md)");
  add("--otlp-endpoint", otlp.endpoint,
      "A collector (http://127.0.0.1:4318): spans, log records and metrics go there; default: "
      "OTEL_EXPORTER_OTLP_ENDPOINT, or nowhere")
      ->type_name("URL");
  add("--otlp-sample", otlp.sample,
      "Of the traces that begin here; where the caller has one, its flag decides; default 1%")
      ->type_name("RATIO");
  add("--otlp-header", otlp.headers, "With all that is sent; may be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
}

/// The flags that were given and that say what a document says.
std::vector<std::string> document_flags(const CLI::App& verb) {
  std::vector<std::string> given;
  for (const auto* option : verb.get_options()) {
    if (option->get_group().starts_with("Document") && option->count() > 0) {
      given.push_back(option->get_name());
    }
  }
  return given;
}

/// For people as it is, for programs as a line of the log.
void say(const std::string& text) {
  if (log::format() == log::Format::text) {
    fmt::print(stderr, "{}\n", text);
  } else {
    log::error("{}", text);
  }
}

Result<std::vector<policy::Autoscaler>> wanted(const RunOptions& options, const CLI::App& verb,
                                               const Call& call) {
  if (options.file.empty()) {
    const auto document = document_of(options.flags, call.command);
    if (!document) return fail(document.error());
    auto read = policy::read_documents(*document, "flags", environment());
    // The places in the errors are of a document that the user has not seen.
    if (!read) {
      auto shown = options.flags;
      for (auto& pair : shown.env) pair.replace(pair.find('=') + 1, std::string::npos, "…");
      say("These flags make this document:\n\n" +
          document_of(shown, call.command).value_or(*document));
    }
    return read;
  }
  const auto given = document_flags(verb);
  if (!given.empty()) {
    return fail({Code::invalid,
                 fmt::format("{} and the file {}: the file says it all, write it there",
                             fmt::join(given, ", "), options.file),
                 {}});
  }
  if (call.dashes) {
    return fail({Code::invalid,
                 fmt::format("a command after \"--\" and the file {}: which one? The file's is in "
                             "spec.target.process.command",
                             options.file),
                 {}});
  }
  return read_runnable(options.file);
}

void print(const std::vector<policy::Autoscaler>& autoscalers) {
  const char* between = "";
  for (const auto& each : autoscalers) {
    const auto document = policy::write_document(each);
    fmt::print("{}{}{}", between, document, document.ends_with('\n') ? "" : "\n");
    between = "---\n";
  }
}

/// One file of several autoscalers has one journal, by the file's name.
std::string journal_name(const std::string& file, const std::vector<policy::Autoscaler>& wanted) {
  if (wanted.size() == 1 || file.empty()) return wanted.front().name;
  return name_of(file.substr(0, file.rfind('.')));
}

int run(const RunOptions& options, const CLI::App& verb, const Call& call) {
  if (options.verbose) log::set_level(log::Level::debug);
  if (options.quiet) log::set_level(log::Level::warn);
  log::set_format(options.log_format == "json"     ? log::Format::json
                  : options.log_format == "logfmt" ? log::Format::logfmt
                                                   : log::Format::text);
  const auto autoscalers = wanted(options, verb, call);
  if (!autoscalers) return report(autoscalers.error());
  if (options.print) {
    print(*autoscalers);
    return kOk;
  }
  auto otlp = otlp::choose(options.otlp, environment());
  if (!otlp) return report(otlp.error());
  for (const auto& warning : otlp->warnings) log::warn("otlp: {}", warning);
  ServeOptions serving{options.file, options.journal, options.threads, options.admin,
                       std::move(otlp->settings)};
  if (serving.journal.empty()) {
    auto path = journal_path(journal_name(options.file, *autoscalers));
    if (!path) return report(path.error());
    serving.journal = *path;
  }
  return serve(serving, *autoscalers);
}

}  // namespace

void add_run(CLI::App& app, Call& call) {
  auto* verb = app.add_subcommand(
      "run",
      "Runs a service behind a gateway, in as many replicas as its traffic takes:\n"
      "  headroom run [flags] -- command…\n"
      "  headroom run [flags] FILE.yaml");
  verb->footer(kRunExamples);
  auto options = std::make_shared<RunOptions>();
  verb->add_option("file", options->file, "A document with one Autoscaler or several")
      ->type_name("FILE");
  add_journal_flag(*verb, options->journal,
                   "Where decisions are written; default: ~/.local/state/headroom/NAME/journal.db");
  verb->add_option("--threads", options->threads, "Of the gateway; default: the cores, at most 4")
      ->check(CLI::Range(1, 64));
  verb->add_flag("--print", options->print, "Prints the checked document and ends");
  auto* verbose = verb->add_flag("-v,--verbose", options->verbose, "Says more");
  verb->add_flag("-q,--quiet", options->quiet, "Says warnings and errors only")->excludes(verbose);
  verb->add_option("--log-format", options->log_format, "text, logfmt or json; default text")
      ->check(CLI::IsMember({"text", "logfmt", "json"}))
      ->type_name("FORMAT");
  add_admin_flags(*verb, options->admin);
  add_otlp_flags(*verb, options->otlp);
  add_document_flags(*verb, options->flags);
  verb->callback([options, verb, &call] { call.exit = run(*options, *verb, call); });
}

}  // namespace headroom::cli
