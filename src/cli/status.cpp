#include <memory>

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
    "Exit codes: 0 printed, 1 nothing runs or no such autoscaler, 2 the flags are wrong.\n";

struct StatusOptions {
  std::string name, journal, output = "table";
};

/// The autoscalers of one running Headroom, or of all.
Result<boost::json::array> autoscalers(const StatusOptions& options) {
  boost::json::array found;
  const auto take = [&found, &options](const Admin& admin) {
    const auto state = admin.state();
    if (!state) return;
    for (auto& each : list_at(*state, "/autoscalers")) {
      if (options.name.empty() || text_at(each, "/name") == options.name) found.push_back(each);
    }
  };
  if (options.journal.empty() && options.name.empty()) {
    for (const auto& admin : Admin::all()) take(admin);
    if (!found.empty()) return found;
  }
  const auto admin = Admin::find(options.journal, options.name);
  if (!admin) return fail(admin.error());
  take(*admin);
  if (found.empty() && !options.name.empty()) {
    return fail({Code::unavailable, fmt::format("no autoscaler \"{}\" runs there", options.name)});
  }
  return found;
}

int status(const StatusOptions& options) {
  const auto found = autoscalers(options);
  if (!found) return complain(found.error());
  if (print_data(options.output, *found)) return kOk;
  fmt::print("{}",
             on_terminal() ? services_table(*found, window().columns) : services_table(*found));
  if (found->size() == 1) {
    fmt::print("\n{}\n\n{}", why(found->front()), replicas_table(found->front()));
  }
  return kOk;
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
