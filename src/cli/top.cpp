#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/time.h"
#include "cli/admin.h"
#include "cli/paths.h"
#include "cli/print.h"
#include "cli/screen.h"
#include "cli/verbs.h"
#include "control/clock.h"

namespace headroom::cli {
namespace {

constexpr const char* kTopExamples =
    "Examples:\n"
    "  headroom top                          all that runs here; q ends it\n"
    "  headroom top shop --interval 500ms    one, with its replicas\n"
    "  headroom top | tee load.txt           plain lines where it is no terminal\n"
    "\n"
    "Exit codes: 0 ended, 1 nothing runs or no such autoscaler, 2 the flags are wrong.\n";

constexpr std::size_t kEventsShown = 100;

struct TopOptions {
  std::string name, journal, interval = "1s";
};

struct Seen {
  boost::json::array autoscalers;
  std::vector<journal::Event> events;  // newest first
};

std::vector<journal::Event> events_of(const boost::json::value& answer) {
  std::vector<journal::Event> events;
  for (const auto& each : list_at(answer, "/events")) {
    auto& event = events.emplace_back();
    event.unix_ms = static_cast<std::int64_t>(number_at(each, "/unixMs").value_or(0));
    event.autoscaler = text_at(each, "/autoscaler");
    event.text = text_at(each, "/text");
  }
  return events;
}

Result<Seen> look(const Admin& admin, const std::string& name) {
  const auto state = admin.state();
  if (!state) return fail(state.error());
  const auto events = admin.get(fmt::format("/api/v1/events?limit={}{}", kEventsShown,
                                            name.empty() ? "" : "&autoscaler=" + escaped(name)));
  if (!events) return fail(events.error());
  Seen seen{.autoscalers = {}, .events = events_of(*events)};
  for (auto& each : list_at(*state, "/autoscalers")) {
    if (name.empty() || text_at(each, "/name") == name) seen.autoscalers.push_back(each);
  }
  return seen;
}

std::string clock_text() {
  const auto now = local_time(control::unix_millis());
  return now.substr(now.find(' ') + 1);
}

volatile std::sig_atomic_t ended = 0;

/// The terminal while it is ours: another page, no echo, no cursor; given back at the end.
class Page {
 public:
  Page() {
    ::tcgetattr(STDIN_FILENO, &before_);
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    std::fputs("\x1b[?1049h\x1b[?25l", stdout);
    // Without SA_RESTART: a window that changes or a Ctrl-C ends the wait.
    struct sigaction action {};
    action.sa_handler = [](int signal) { ended = signal == SIGWINCH ? ended : signal; };
    for (const int signal : {SIGINT, SIGTERM, SIGWINCH}) ::sigaction(signal, &action, nullptr);
  }
  ~Page() {
    std::fputs("\x1b[?25h\x1b[?1049l", stdout);
    std::fflush(stdout);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  Page(const Page&) = delete;
  Page& operator=(const Page&) = delete;

  Screen size() const {
    winsize window{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col == 0) return {};
    return {window.ws_col, window.ws_row};
  }

  /// In one write, each line over the one that was there: nothing flickers.
  void show(const std::vector<std::string>& lines) const {
    std::string text = "\x1b[?2026h\x1b[H";
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const bool bold = i == 0 && colours();
      text += (bold ? "\x1b[1m" : "") + lines[i] + (bold ? "\x1b[0m" : "") + "\x1b[K";
      if (i + 1 < lines.size()) text += "\r\n";
    }
    text += "\x1b[J\x1b[?2026l";
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  }

  /// Whether it goes on after so long: q and Ctrl-C end it.
  bool wait(Millis time) const {
    pollfd keys{STDIN_FILENO, POLLIN, 0};
    if (::poll(&keys, 1, static_cast<int>(time.count())) > 0) {
      char key = 0;
      if (::read(STDIN_FILENO, &key, 1) <= 0 || key == 'q' || key == 'Q' || key == 27) return false;
    }
    return ended == 0;
  }

 private:
  termios before_{};
};

int page(const Admin& admin, const TopOptions& options, Millis interval) {
  std::optional<Error> error;
  {
    const Page page;
    do {
      const auto seen = look(admin, options.name);
      if (!seen) {
        error = seen.error();
        break;
      }
      page.show(draw(seen->autoscalers, seen->events, clock_text(), page.size()));
    } while (page.wait(interval));
  }
  return error ? complain(*error) : kOk;
}

/// No terminal: a line for each autoscaler at each look.
int plain(const Admin& admin, const TopOptions& options, Millis interval) {
  for (;;) {
    const auto seen = look(admin, options.name);
    if (!seen) return complain(seen.error());
    const auto now = clock_text();
    const auto lines = services_table(seen->autoscalers);
    for (std::size_t at = 0; at < lines.size();) {
      const auto end = lines.find('\n', at);
      fmt::print("{}  {}\n", now, lines.substr(at, end - at));
      at = end + 1;
    }
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
  const auto admin = Admin::find(options.journal, options.name);
  if (!admin) return complain(admin.error());
  const bool both = on_terminal() && ::isatty(STDIN_FILENO) == 1;
  return both ? page(*admin, options, *interval) : plain(*admin, options, *interval);
}

}  // namespace

void add_top(CLI::App& app, Call& call) {
  auto* verb = app.add_subcommand("top", "Shows live what runs, its load, and what happens.");
  verb->footer(kTopExamples);
  auto options = std::make_shared<TopOptions>();
  verb->add_option("name", options->name, "Of the autoscaler; default: all")->type_name("NAME");
  verb->add_option("--interval", options->interval, "Between two looks; default 1s")
      ->type_name("DURATION");
  add_journal_flag(*verb, options->journal, "Of the Headroom to ask; default: that runs");
  verb->callback([options, &call] { call.exit = top(*options); });
}

}  // namespace headroom::cli
