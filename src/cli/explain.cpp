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
#include "journal/life.h"

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

/// That nothing was decided any more at that moment, and why; empty: it was, as far as is known.
std::string silence(const Journal& journal, const std::string& name, const journal::Entry& newest,
                    std::int64_t at) {
  constexpr std::size_t kLooked = 1000;
  const auto before = journal.events({.autoscaler = name, .until_unix_ms = at, .limit = kLooked});
  const auto after =
      journal.events({.autoscaler = name, .since_unix_ms = at + 1, .after = 0, .limit = kLooked});
  if (!before || !after) return "";
  const auto last = std::ranges::find_if(*before, journal::is_of_life);
  const auto next = std::ranges::find_if(*after, journal::is_of_life);
  const bool again = next != after->end() && journal::begins_life(*next);
  const auto since = again ? "; started again at " + local_time(next->unix_ms) : std::string();
  if (last != before->end() && journal::ends_life(*last)) {
    return fmt::format("it did not run then: stopped at {}{}", local_time(last->unix_ms), since);
  }
  journal::Query later{.autoscaler = name, .since_unix_ms = at + 1};
  if (again) later.until_unix_ms = next->unix_ms - 1;  // it may decide in the same millisecond
  const auto decided = journal.find(later);
  if (!decided || !decided->empty()) return "";
  const auto quiet = Millis(at - newest.observation.unix_millis);
  if (!again && quiet < 1min) return "";  // at zero it looks now and then
  return fmt::format("nothing was decided in the {} up to then: it did not run, or hung{}",
                     span_of(quiet), since);
}

struct Found {
  std::vector<journal::Entry> entries;  // oldest first, as a story is told
  std::string silence;                  // where it is printed
};

Result<Found> find(const ExplainOptions& options) {
  journal::Query query;
  const auto now = control::unix_millis();
  std::int64_t at = now;
  if (!options.at.empty()) {
    const auto moment = parse_moment(options.at, now);
    if (!moment) return fail({Code::invalid, "--at: " + moment.error().what, {}});
    query.until_unix_ms = *moment;
    at = std::min(at, *moment);
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
  std::string quiet;
  if (options.output == "table" && !options.rescales) {
    quiet = silence(*journal, *name, entries->front(), at);
  }
  std::ranges::reverse(*entries);
  return Found{std::move(*entries), std::move(quiet)};
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
  const auto found = find(options);
  if (!found) return complain(found.error());
  const auto& entries = found->entries;
  if (options.output == "json") {
    fmt::print("{}", tell_json(entries));
    return kOk;
  }
  if (options.output == "yaml") return print_yaml(entries);
  if (options.rescales && entries.size() > 1) {
    for (const auto& entry : entries) fmt::print("{}", tell_briefly(entry));
    return kOk;
  }
  const char* between = "";
  for (const auto& entry : entries) {
    fmt::print("{}{}", between, tell(entry));
    between = "\n";
  }
  if (!found->silence.empty()) fmt::print("\n{}\n", found->silence);
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
