#include <cstdio>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "base/text.h"
#include "base/time.h"
#include "cli/paths.h"
#include "cli/print.h"
#include "cli/screen.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "cli/watch.h"
#include "control/clock.h"

namespace headroom::cli {
namespace {

constexpr const char* kTopExamples =
    "Examples:\n"
    "  headroom top                          all that runs here; q ends it\n"
    "  headroom top shop --interval 500ms    one, with its replicas\n"
    "  headroom top | tee load.txt           a line a look, and what happens\n"
    "\n"
    "Exit codes: 0 ended, 1 nothing runs or no such autoscaler, 2 the flags are wrong.\n";

struct TopOptions {
  std::string name, journal, interval = "1s";
};

int page(Watch& watch, Millis interval) {
  std::optional<Error> error;
  {
    Terminal terminal;
    do {
      const auto seen = watch.look(Watch::Events::last);
      if (!seen) {
        error = seen.error();
        break;
      }
      const auto screen = window();
      auto lines = draw(seen->autoscalers, {seen->events.rbegin(), seen->events.rend()},
                        time_of_day(control::unix_millis()), screen);
      if (!seen->warnings.empty() && lines.size() > 1) {  // the second is empty
        lines[1] = fitted(fmt::format("{}", fmt::join(seen->warnings, "; ")), screen.columns);
      }
      terminal.show(lines);
    } while (terminal.wait(interval));
  }
  return error ? complain(*error) : kOk;
}

/// Lines of columns that stay: the heads come again only where one must be wider.
class Lines {
 public:
  void print(const Seen& seen, const std::string& now) {
    const auto rows = services(seen.autoscalers);
    auto widths = widths_of(rows, widths_);
    const auto last = rows.front().size() - 1;  // is as long as it comes
    widths[last] = last < widths_.size() ? widths_[last] : 0;
    if (widths != widths_ || rows.front() != heads_) {
      widths_ = widths;
      heads_ = rows.front();
      fmt::print("TIME      {}\n", in_columns(heads_, widths_));
    }
    for (const auto& event : seen.events) {
      fmt::print("{}  {}  {}\n", time_of_day(event.unix_ms), padded(event.autoscaler, widths_[0]),
                 printable(event.text, journal::kEventBytes));
    }
    for (std::size_t i = 1; i < rows.size(); ++i) {
      fmt::print("{}  {}\n", now, in_columns(rows[i], widths_));
    }
    for (const auto& why : seen.warnings) fmt::print("{}  {}\n", now, why);
  }

 private:
  Widths widths_{8, 7, 7, 14, 5, 6, 6, 5, 9, 12};  // of what is usual
  Row heads_;
};

/// No terminal: what happened, and a line for each autoscaler, at each look.
int plain(Watch& watch, Millis interval) {
  Lines lines;
  for (;;) {
    const auto seen = watch.look(Watch::Events::news);
    if (!seen) return complain(seen.error());
    lines.print(*seen, time_of_day(control::unix_millis()));
    if (std::fflush(stdout) != 0) return kOk;  // nobody reads any more
    ::poll(nullptr, 0, static_cast<int>(interval.count()));
  }
}

int top(const TopOptions& options) {
  const auto interval = parse_duration(options.interval);
  if (!interval) return complain({Code::invalid, "--interval: " + interval.error().what, {}});
  if (*interval < 100ms || *interval > 60s) {
    return complain({Code::invalid, "--interval: expected 100ms to 60s", {}});
  }
  Watch watch(options.journal, options.name, control::unix_millis());
  const bool both = on_screen() && ::isatty(STDIN_FILENO) == 1;
  return both ? page(watch, *interval) : plain(watch, *interval);
}

}  // namespace

void add_top(CLI::App& app, Call& call) {
  auto* verb = app.add_subcommand("top", "Shows live what runs, its load, and what happens.");
  verb->footer(kTopExamples);
  auto options = std::make_shared<TopOptions>();
  verb->add_option("name", options->name, "Of the autoscaler; default: all")->type_name("NAME");
  verb->add_option("--interval", options->interval, "Between two looks; default 1s")
      ->type_name("DURATION");
  add_journal_flag(*verb, options->journal, "Of the Headroom to ask; default: all that run");
  verb->callback([options, &call] { call.exit = top(*options); });
}

}  // namespace headroom::cli
