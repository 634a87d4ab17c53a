#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "base/text.h"
#include "base/time.h"
#include "cli/find_journal.h"
#include "cli/moment.h"
#include "cli/numbers.h"
#include "cli/paths.h"
#include "cli/print.h"
#include "cli/verbs.h"
#include "control/clock.h"

namespace headroom::cli {
namespace {

constexpr const char* kEventsExamples =
    "Examples:\n"
    "  headroom events                       what happened last\n"
    "  headroom events shop --since 22:00 --until 06:00\n"
    "  headroom events --watch               as it happens\n"
    "  headroom events --kind trouble --last 20 -o json\n"
    "\n"
    "It reads the journal: it works for what no longer runs, too.\n"
    "\n"
    "As JSON or YAML: a list of {id, unixMs, autoscaler, kind, text, decision}; with --watch one\n"
    "after the other, each on a line.\n"
    "\n"
    "Exit codes: 0 printed (with --watch: until it was interrupted), 1 no journal, 2 the flags are "
    "wrong.\n";

constexpr auto kLook = std::chrono::milliseconds(200);

struct EventsOptions {
  std::string name, journal, since, until, kind, output = "table";
  std::size_t last = 50;
  bool watch = false;
};

boost::json::object json_of(const journal::Event& event) {
  boost::json::object json{{"id", event.id},
                           {"unixMs", event.unix_ms},
                           {"autoscaler", event.autoscaler},
                           {"kind", journal::name(event.kind)},
                           {"text", event.text}};
  json["decision"] = event.decision ? boost::json::value(*event.decision) : nullptr;
  return json;
}

/// `names`: how wide their column is.
std::string line_of(const journal::Event& event, std::size_t names) {
  return fmt::format("{}  {}  {:<8}  {}\n", local_time(event.unix_ms),
                     padded(event.autoscaler, names), journal::name(event.kind),
                     printable(event.text, journal::kEventBytes));
}

Result<journal::EventQuery> query_of(const EventsOptions& options) {
  const auto period = parse_period(options.since, options.until, control::unix_millis());
  if (!period) return fail(period.error());
  return journal::EventQuery{.autoscaler = options.name,
                             .since_unix_ms = period->since,
                             .until_unix_ms = period->until,
                             .limit = options.last};
}

/// `names`: the width of the widest so far.
void print(const std::vector<journal::Event>& events, const EventsOptions& options,
           std::size_t& names) {
  if (options.output == "table") {
    for (const auto& event : events) names = std::max(names, width(event.autoscaler));
    for (const auto& event : events) fmt::print("{}", line_of(event, names));
  } else {
    boost::json::array all;
    for (const auto& event : events) all.push_back(json_of(event));
    if (options.watch) {
      print_stream(options.output, all);
    } else {
      print_data(options.output, all);
    }
  }
  flush();
}

/// Leaves those of the kind that was asked for.
void keep(std::vector<journal::Event>& events, const std::string& kind) {
  if (kind.empty()) return;
  std::erase_if(events, [&kind](const auto& event) { return journal::name(event.kind) != kind; });
}

int watch(const journal::Journal& journal, std::int64_t after, const EventsOptions& options,
          std::size_t names) {
  for (;;) {
    auto events = journal.events({.autoscaler = options.name, .after = after, .limit = 1000});
    if (!events) return complain(events.error());
    if (!events->empty()) after = events->back().id;
    keep(*events, options.kind);
    print(*events, options, names);
    std::this_thread::sleep_for(kLook);
  }
}

int events(const EventsOptions& options) {
  auto query = query_of(options);
  if (!query) return complain(query.error());
  const auto journal = find_journal(options.journal, options.name);
  if (!journal) return complain(journal.error());
  const auto newest = journal->events({.limit = 1});
  if (!newest) return complain(newest.error());
  // Of a kind that is rare, the newest are looked for among many.
  if (!options.kind.empty()) query->limit = 100'000;
  auto found = journal->events(*query);
  if (!found) return complain(found.error());
  keep(*found, options.kind);
  found->resize(std::min(found->size(), options.last));
  std::ranges::reverse(*found);  // as a story is told
  std::size_t names = 0;
  print(*found, options, names);
  if (!options.watch) return kOk;
  return watch(*journal, newest->empty() ? 0 : newest->front().id, options, names);
}

}  // namespace

void add_events(CLI::App& app, Call& call) {
  auto* verb = app.add_subcommand("events", "Says what happened: scaling, replicas, trouble.");
  verb->footer(kEventsExamples);
  auto options = std::make_shared<EventsOptions>();
  verb->add_option("name", options->name, "Of the autoscaler; default: all of the journal")
      ->type_name("NAME");
  verb->add_option("--since", options->since, "Not before: 14:05, \"5m ago\", …")
      ->type_name("TIME");
  verb->add_option("--until", options->until, "Not after")->type_name("TIME");
  verb->add_option("--last", options->last, "The last so many; default 50")
      ->check(whole_number(1, 100'000))
      ->type_name("N");
  verb->add_option("--kind", options->kind, "Only these")
      ->check(
          CLI::IsMember({"rescale", "ready", "draining", "gone", "trouble", "operator", "policy"}))
      ->type_name("KIND");
  verb->add_flag("-w,--watch", options->watch, "Goes on with what happens from now on")
      ->excludes(verb->get_option("--until"));
  add_journal_flag(*verb, options->journal,
                   "Default: the autoscaler's, or the newest under ~/.local/state/headroom");
  add_output_flag(*verb, options->output);
  verb->callback([options, &call] { call.exit = events(*options); });
}

}  // namespace headroom::cli
