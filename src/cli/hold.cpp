#include <memory>

#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "base/text.h"
#include "base/time.h"
#include "cli/admin.h"
#include "cli/numbers.h"
#include "cli/paths.h"
#include "cli/print.h"
#include "cli/verbs.h"
#include "decide/words.h"
#include "server/limits.h"

/// scale, pause and resume: an operator's word.
namespace headroom::cli {
namespace {

constexpr const char* kScaleExamples =
    "Examples:\n"
    "  headroom scale shop 5                 5 replicas until `headroom resume shop`\n"
    "  headroom scale shop 5 --for 10m       for ten minutes, then by its policy again\n"
    "\n"
    "It may be less than minReplicas, never more than maxReplicas. Each decision that it holds "
    "has\n"
    "it as a step (Pinned), and it outlasts a restart.\n"
    "\n"
    "Exit codes: 0 done, 1 nothing runs or no such autoscaler, 2 the number or a flag is wrong.\n";
constexpr const char* kPauseExamples =
    "Examples:\n"
    "  headroom pause shop                   stays at what it has\n"
    "  headroom pause shop --for 1h\n"
    "\n"
    "Exit codes: 0 done, 1 nothing runs or no such autoscaler, 2 the flags are wrong.\n";
constexpr const char* kResumeExamples =
    "Example:\n"
    "  headroom resume shop                  by its policy again\n"
    "\n"
    "Exit codes: 0 done, 1 nothing runs, no such autoscaler, or nothing was held.\n";

struct HoldOptions {
  std::string name, journal, time;
  std::int32_t replicas = 0;
  std::string output = "table";
};

/// `for_ms` into the body where a time was said.
Result<void> add_time(const std::string& text, boost::json::object& body) {
  if (text.empty()) return {};
  const auto time = parse_duration(text);
  if (!time) return fail({Code::invalid, "--for: " + time.error().what, {}});
  if (*time <= 0ms || *time > server::kLongestHold) {
    return fail({Code::invalid,
                 fmt::format("--for: found \"{}\", expected a time such as 10m, at most {}",
                             printable(text), to_string(server::kLongestHold)),
                 {}});
  }
  body["forMs"] = time->count();
  return {};
}

/// What is said of its number or its hold names it.
Error refused(const std::string& name, Error error) {
  if (error.code != Code::unavailable) error.what = name + ": " + error.what;
  return error;
}

int tell(const HoldOptions& options, const char* action, boost::json::object body) {
  if (auto added = add_time(options.time, body); !added) return complain(added.error());
  const auto admin = Admin::find(options.journal, options.name);
  if (!admin) return complain(admin.error());
  const auto answer =
      admin->ask("POST", fmt::format("/api/v1/autoscalers/{}/{}", escaped(options.name), action),
                 boost::json::serialize(body));
  if (!answer) return complain(refused(options.name, answer.error()));
  if (print_data(options.output, *answer)) return kOk;
  const auto wanted = number_at(*answer, "/replicas/wanted").value_or(0);
  fmt::print("{}: {}: {}\n", options.name,
             decide::counted(static_cast<std::int64_t>(wanted), "replica"),
             text_at(*answer, "/decision/reason"));
  return kOk;
}

CLI::App* add(CLI::App& app, const char* name, const char* about, HoldOptions& options) {
  auto* verb = app.add_subcommand(name, about);
  verb->add_option("name", options.name, "Of the autoscaler")->required()->type_name("NAME");
  add_journal_flag(*verb, options.journal, "Of the Headroom to tell; default: that runs it");
  add_output_flag(*verb, options.output);
  return verb;
}

}  // namespace

void add_scale(CLI::App& app, Call& call) {
  auto options = std::make_shared<HoldOptions>();
  auto* verb =
      add(app, "scale", "Pins the number of replicas, for a while or until resumed.", *options);
  verb->footer(kScaleExamples);
  verb->add_option("replicas", options->replicas, "So many, 0 to maxReplicas")
      ->required()
      ->check(whole_number(0, server::kMostReplicas))
      ->type_name("N");
  verb->add_option("--for", options->time, "Then its policy decides again; default: until resumed")
      ->type_name("DURATION");
  verb->callback([options, &call] {
    call.exit = tell(*options, "scale", {{"replicas", options->replicas}});
  });
}

void add_pause(CLI::App& app, Call& call) {
  auto options = std::make_shared<HoldOptions>();
  auto* verb = add(app, "pause", "Holds the number of replicas where it is.", *options);
  verb->footer(kPauseExamples);
  verb->add_option("--for", options->time, "Then its policy decides again; default: until resumed")
      ->type_name("DURATION");
  verb->callback([options, &call] { call.exit = tell(*options, "pause", {}); });
}

void add_resume(CLI::App& app, Call& call) {
  auto options = std::make_shared<HoldOptions>();
  auto* verb = add(app, "resume", "Ends a pin or a pause: the policy decides again.", *options);
  verb->footer(kResumeExamples);
  verb->callback([options, &call] { call.exit = tell(*options, "resume", {}); });
}

}  // namespace headroom::cli
