#include <memory>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "cli/admin.h"
#include "cli/paths.h"
#include "cli/print.h"
#include "cli/screen.h"
#include "cli/terminal.h"
#include "cli/verbs.h"

namespace headroom::cli {
namespace {

constexpr const char* kStatusExamples =
    "Examples:\n"
    "  headroom status                       all that runs here\n"
    "  headroom status shop                  with its replicas, and why so many\n"
    "  headroom status -o json | jq '.[].replicas.ready'\n"
    "\n"
    "Exit codes: 0 printed, 1 nothing runs, no such autoscaler, or one that runs does not answer,\n"
    "2 the flags are wrong.\n";

struct StatusOptions {
  std::string name, journal, output = "table";
};

struct Running {
  boost::json::array autoscalers;
  std::vector<Error> silent;         // of those that run and do not say what
  std::vector<std::string> refused;  // of those whose document is
};

/// Of one running Headroom, or of all.
Result<Running> running(const StatusOptions& options) {
  Running found;
  const auto take = [&found, &options](const Result<boost::json::value>& state) {
    if (!state) return found.silent.push_back(state.error());
    if (auto why = refused_document(*state); !why.empty()) found.refused.push_back(std::move(why));
    for (auto& each : list_at(*state, "/autoscalers")) {
      if (options.name.empty() || text_at(each, "/name") == options.name) {
        found.autoscalers.push_back(each);
      }
    }
  };
  if (options.journal.empty() && options.name.empty()) {
    for (const auto& asked : Admin::ask_all()) take(asked.state);
    if (!found.autoscalers.empty() || !found.silent.empty()) return found;
  }
  const auto admin = Admin::find(options.journal, options.name);
  if (!admin) return fail(admin.error());
  take(admin->state());
  if (found.autoscalers.empty() && !options.name.empty()) {
    return fail({Code::unavailable, fmt::format("no autoscaler \"{}\" runs there", options.name)});
  }
  return found;
}

void show(const boost::json::array& autoscalers) {
  if (autoscalers.empty()) return;
  fmt::print("{}", on_terminal() ? services_table(autoscalers, window().columns)
                                 : services_table(autoscalers));
  if (autoscalers.size() == 1) {
    fmt::print("\n{}\n\n{}", why(autoscalers.front()), replicas_table(autoscalers.front()));
  }
}

int status(const StatusOptions& options) {
  const auto found = running(options);
  if (!found) return complain(found.error());
  if (!print_data(options.output, found->autoscalers)) show(found->autoscalers);
  for (const auto& why : found->refused) fmt::print(stderr, "headroom: {}\n", why);
  for (const auto& error : found->silent) complain(error);
  return found->silent.empty() ? kOk : kFailed;
}

}  // namespace

void add_status(CLI::App& app, Call& call) {
  auto* verb = app.add_subcommand("status", "Shows what runs: replicas, load, and why so many.");
  verb->footer(kStatusExamples);
  auto options = std::make_shared<StatusOptions>();
  verb->add_option("name", options->name, "Of the autoscaler; default: all")->type_name("NAME");
  add_journal_flag(*verb, options->journal, "Of the Headroom to ask; default: all that run");
  add_output_flag(*verb, options->output);
  verb->callback([options, &call] { call.exit = status(*options); });
}

}  // namespace headroom::cli
