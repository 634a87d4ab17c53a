#include <algorithm>
#include <cstdio>
#include <string_view>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/text.h"
#include "cli/verbs.h"
#include "target/guard.h"

namespace headroom::cli {
namespace {

constexpr const char* kAbout =
    "Runs a service in as many copies as its traffic takes, from zero up, and says why.";

constexpr const char* kAppExamples =
    "Examples:\n"
    "  headroom run --listen :8080 --min 0 --max 8 -- ./server --port '$(PORT)'\n"
    "  headroom run app.yaml\n"
    "  headroom explain shop --at '5m ago'\n"
    "  headroom check deploy/*.yaml\n"
    "  headroom convert hpa.yaml > autoscaler.yaml\n"
    "  headroom schema > autoscaler.schema.json\n"
    "  headroom completion bash > /etc/bash_completion.d/headroom\n"
    "\n"
    "What one verb takes: headroom VERB --help, or man headroom-VERB.\n"
    "\n"
    "Exit codes: 0 done, 1 failed, 2 the flags or the document are wrong.\n";

bool has_verb(const CLI::App& app, const std::string& word) {
  return std::ranges::any_of(app.get_subcommands(nullptr),
                             [&word](const auto* verb) { return verb->get_name() == word; });
}

/// The flag or verb that was likely meant by one that is not known.
std::string meant(const CLI::App& app, const std::string& word) {
  std::vector<std::string> names;
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  }
  for (const auto* verb : app.get_subcommands(nullptr)) names.push_back(verb->get_name());
  const std::vector<std::string_view> views(names.begin(), names.end());
  const auto flag = word.substr(0, word.find('='));
  return std::string(nearest(flag, views));
}

int complain_of_unknown(const CLI::App& where, const std::string& word, const std::string& help) {
  const auto likely = meant(where, word);
  fmt::print(stderr, "headroom: found \"{}\", {}\n", printable(word),
             likely.empty() ? fmt::format("which is not known here; see {}", help)
                            : fmt::format("did you mean \"{}\"?", likely));
  return kUsage;
}

int complain_of_unknown(const CLI::App& app) {
  const CLI::App* verb = &app;
  if (const auto called = app.get_subcommands(); !called.empty()) verb = called.front();
  const auto help = verb == &app ? std::string("headroom --help")
                                 : fmt::format("headroom {} --help", verb->get_name());
  // The first: what follows it may well be its value.
  return complain_of_unknown(*verb, app.remaining(true).front(), help);
}

int complain_of_usage(const CLI::App& app, const char* what) {
  std::string verb;
  if (const auto called = app.get_subcommands(); !called.empty()) {
    verb = " " + called.front()->get_name();
  }
  fmt::print(stderr, "headroom: {}\nSee headroom{} --help\n", what, verb);
  return kUsage;
}

int parse(CLI::App& app, std::vector<std::string> words) {
  // Told by CLI11 only where no --help follows.
  if (!words.front().starts_with('-') && !has_verb(app, words.front())) {
    return complain_of_unknown(app, words.front(), "headroom --help");
  }
  std::ranges::reverse(words);  // as CLI11 takes them
  try {
    app.parse(std::move(words));
  } catch (const CLI::ExtrasError&) {
    return complain_of_unknown(app);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    return complain_of_usage(app, error.what());
  }
  if (app.get_subcommands().empty()) return complain_of_usage(app, "found no verb");
  return kOk;
}

}  // namespace

int complain(const Error& error) {
  // A place comes first on its line, where editors look for it.
  fmt::print(stderr, "{}{}\n", error.where.file.empty() ? "headroom: " : "", to_string(error));
  return error.code == Code::invalid ? kUsage : kFailed;
}

int headroom(int argc, const char* const* argv) {
  Call call;
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  // What follows "--" is the service's command, whose flags are not ours to read.
  const auto dashes = std::ranges::find(words, "--");
  if (dashes != words.end()) {
    call.dashes = true;
    call.command.assign(dashes + 1, words.end());
    words.erase(dashes, words.end());
  }

  if (!words.empty() && words.front() == "run") target::guard::hold_late_signals();

  CLI::App app(kAbout, "headroom");
  app.footer(kAppExamples);
  app.get_formatter()->column_width(34);
  app.require_subcommand(0, 1);  // that there is one is checked after what is not known
  app.set_help_flag("-h,--help", "Says this");
  app.set_version_flag("--version", std::string("headroom " HEADROOM_VERSION), "Says which it is");
  add_run(app, call);
  add_status(app, call);
  add_top(app, call);
  add_explain(app, call);
  add_events(app, call);
  add_logs(app, call);
  add_scale(app, call);
  add_pause(app, call);
  add_resume(app, call);
  add_decide(app, call);
  add_check(app, call);
  add_convert(app, call);
  add_schema(app, call);
  add_completion(app, call);
  add_man(app, call);
  add_version(app, call);

  if (words.empty()) {
    fmt::print("{}", app.help());
    return kUsage;
  }
  // A verb's callback runs at the end of the parse and leaves its exit code in the call.
  const int parsed = parse(app, std::move(words));
  return parsed != kOk ? parsed : call.exit;
}

}  // namespace headroom::cli
