#include <algorithm>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/time.h"
#include "cli/find_journal.h"
#include "cli/moment.h"
#include "cli/numbers.h"
#include "cli/paths.h"
#include "cli/print.h"
#include "cli/tell.h"
#include "cli/verbs.h"
#include "control/clock.h"
#include "journal/journal.h"

namespace headroom::cli {
namespace {

constexpr const char* kExplainExamples =
    "Examples:\n"
    "  headroom explain                      the newest decision\n"
    "  headroom explain shop --at 14:05      what held at 14:05, and why\n"
    "  headroom explain shop --at '5m ago'\n"
    "  headroom explain shop --rescales --last 10\n"
    "  headroom explain shop --last 100 -o json | jq '.[].decision.replicas'\n"
    "\n"
    "As JSON or YAML: a list, oldest first, of {id, autoscaler, time, unixMillis, observation,\n"
    "decision, outcome}.\n"
    "\n"
    "Exit codes: 0 printed, 1 no journal or no such decision, 2 the flags are wrong.\n";

struct ExplainOptions {
  std::string name;
  std::string at;
  std::string journal;
  std::size_t last = 1;
  bool rescales = false;
  std::string output = "table";
};

using journal::Journal;

Result<std::string> name_in(const Journal& journal, const std::string& wanted) {
  const auto names = journal.autoscalers();
  if (!names) return fail(names.error());
  if (names->empty()) return fail({Code::unavailable, "the journal holds no decision yet", {}});
  if (wanted.empty()) {
    if (names->size() == 1) return names->front();
    return fail({Code::invalid,
                 fmt::format("which one? The journal knows {}", fmt::join(*names, ", ")),
                 {}});
  }
  if (std::ranges::find(*names, wanted) != names->end()) return wanted;
  return fail(
      {Code::unavailable,
       fmt::format("found no \"{}\"; the journal knows {}", wanted, fmt::join(*names, ", ")),
       {}});
}

/// Why there is nothing: with --at, the journal may begin later.
Error none_found(const Journal& journal, const std::string& name, const ExplainOptions& options) {
  auto what = fmt::format("{}: no {} in the journal", name,
                          options.rescales ? "change of the count" : "decision");
  if (!options.at.empty()) {
    what += " at or before " + options.at;
    const auto first = journal.first_decided(name);
    if (first && *first) what += "; it begins at " + local_time(**first);
  }
  return {Code::unavailable, std::move(what), {}};
}

Result<std::vector<journal::Entry>> find(const ExplainOptions& options) {
  journal::Query query;
  if (!options.at.empty()) {
    const auto moment = parse_moment(options.at, control::unix_millis());
    if (!moment) return fail({Code::invalid, "--at: " + moment.error().what, {}});
    query.until_unix_ms = *moment;
  }
  auto journal = find_journal(options.journal, options.name);
  if (!journal) return fail(journal.error());
  auto name = name_in(*journal, options.name);
  if (!name) return fail(name.error());
  query.autoscaler = *name;
  query.only_rescales = options.rescales;
  query.limit = options.last;
  auto entries = journal->find(query);
  if (!entries) return fail(entries.error());
  if (entries->empty()) return fail(none_found(*journal, *name, options));
  // Oldest first, as a story is told.
  std::ranges::reverse(*entries);
  return std::move(*entries);
}

/// One by one, so that the size of all of them does not matter.
int print_yaml(const std::vector<journal::Entry>& entries) {
  for (const auto& entry : entries) {
    const auto text = data_text("yaml", tell_json({entry}));
    if (!text) return complain(text.error());
    fmt::print("{}", *text);
  }
  return kOk;
}

int explain(const ExplainOptions& options) {
  const auto entries = find(options);
  if (!entries) return complain(entries.error());
  if (options.output == "json") {
    fmt::print("{}", tell_json(*entries));
    return kOk;
  }
  if (options.output == "yaml") return print_yaml(*entries);
  if (options.rescales && entries->size() > 1) {
    for (const auto& entry : *entries) fmt::print("{}", tell_briefly(entry));
    return kOk;
  }
  const char* between = "";
  for (const auto& entry : *entries) {
    fmt::print("{}{}", between, tell(entry));
    between = "\n";
  }
  return kOk;
}

}  // namespace

void add_explain(CLI::App& app, Call& call) {
  auto* verb = app.add_subcommand("explain", "Says why there are as many replicas as there are.");
  verb->footer(kExplainExamples);
  auto options = std::make_shared<ExplainOptions>();
  verb->add_option("name", options->name, "Of the autoscaler; not needed where there is one")
      ->type_name("NAME");
  verb->add_option("--at", options->at,
                   "The decision that held then: 14:05, 14:05:09, \"2024-05-01 14:05\", "
                   "2024-05-01T14:05:09Z, \"5m ago\", -5m; default: now")
      ->type_name("TIME");
  verb->add_option("--last", options->last, "So many decisions, up to that time; default 1")
      ->check(whole_number(1, 100'000))
      ->type_name("N");
  verb->add_flag("--rescales", options->rescales, "Only those that changed the count");
  add_journal_flag(*verb, options->journal,
                   "Default: the autoscaler's, or the newest under ~/.local/state/headroom");
  add_output_flag(*verb, options->output);
  verb->callback([options, &call] { call.exit = explain(*options); });
}

}  // namespace headroom::cli
