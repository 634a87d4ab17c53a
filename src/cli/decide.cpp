#include "decide/decide.h"

#include <algorithm>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "base/zone.h"
#include "cli/print.h"
#include "cli/serve.h"
#include "cli/tell.h"
#include "cli/verbs.h"
#include "decide/json.h"
#include "decide/prepared.h"
#include "decide/record.h"
#include "policy/documents.h"

namespace headroom::cli {
namespace {

constexpr const char* kDecideExamples =
    "Examples:\n"
    "  headroom explain shop --at 14:05 -o json > seen.json\n"
    "  headroom decide --policy shop.yaml --observation seen.json\n"
    "  headroom decide --policy hpa.yaml --observation seen.json -o json | jq .decision.replicas\n"
    "\n"
    "The observation is one of `headroom explain -o json` (the whole answer will do; of several "
    "the last),\n"
    "or the object under its \"observation\". Nothing is started, asked or written.\n"
    "\n"
    "As JSON or YAML: {decision, memory}, the memory as it is afterwards.\n"
    "\n"
    "Exit codes: 0 decided, 1 a file cannot be read, 2 the flags or a file's content are wrong.\n";

struct DecideOptions {
  std::string policy;
  std::string name;
  std::string observation;
  std::string memory;
  std::string output = "table";
};

Result<policy::Autoscaler> policy_of(const DecideOptions& options) {
  const auto text = policy::read_text(options.policy);
  if (!text) return fail(text.error());
  auto documents = policy::read_any(*text, options.policy, environment());
  if (!documents) return fail(documents.error());
  std::erase_if(*documents, [&](const policy::Document& document) {
    return !document.autoscaler || (!options.name.empty() && document.name != options.name);
  });
  if (documents->size() == 1) return *documents->front().autoscaler;
  if (documents->empty()) {
    return fail({Code::invalid,
                 fmt::format("no autoscaler is called \"{}\"", options.name),
                 {options.policy}});
  }
  std::string names;
  for (const auto& each : *documents) names += (names.empty() ? "" : ", ") + each.name;
  return fail({Code::invalid, "which one? Say --name, one of " + names, {options.policy}});
}

/// What `explain -o json` prints, or a part of it that has an observation.
const boost::json::value* observation_in(const boost::json::value& text) {
  const boost::json::value* at = &text;
  if (const auto* list = at->if_array(); list != nullptr && !list->empty()) at = &list->back();
  const auto* object = at->if_object();
  const auto* inside = object != nullptr ? object->if_contains("observation") : nullptr;
  return inside != nullptr ? inside : at;
}

Error in_file(Error error, const std::string& file) {
  if (error.where.file.empty()) error.where.file = file;
  return error;
}

Result<decide::Observation> observation_of(const std::string& file) {
  const auto text = policy::read_text(file);
  if (!text) return fail(text.error());
  const auto parsed = decide::parse_json(*text);
  if (!parsed) return fail(in_file(parsed.error(), file));
  auto read = decide::observation_from_json(boost::json::serialize(*observation_in(*parsed)));
  if (!read) return fail(in_file(read.error(), file));
  return read;
}

/// What cron triggers go by, from this machine's database, where the observation does not say it.
/// A zone that is not there either stays out: its trigger fails, and says so.
void look_up_zones(const policy::Autoscaler& policy, decide::Observation& observation) {
  const std::int64_t now = observation.unix_millis / 1000;
  for (const auto& name : decide::zones_of(policy)) {
    const auto said = std::ranges::find(observation.zones, name, &decide::ZoneSeen::name);
    if (said != observation.zones.end()) continue;
    const auto offsets =
        zone_offsets(name, {now - decide::cron::kLooksBack, now + decide::cron::kLooksAhead});
    if (!offsets) continue;
    auto& zone = observation.zones.emplace_back();
    zone.name = name;
    for (const auto& [from, seconds] : *offsets) zone.offsets.push_back({from, seconds});
  }
}

Result<decide::Memory> memory_of(const std::string& file) {
  if (file.empty()) return decide::Memory{};
  const auto text = policy::read_text(file);
  if (!text) return fail(text.error());
  auto read = decide::memory_from_json(*text);
  if (!read) return fail(in_file(read.error(), file));
  return read;
}

int decide_once(const DecideOptions& options) {
  const auto policy = policy_of(options);
  if (!policy) return complain(policy.error());
  auto observation = observation_of(options.observation);
  if (!observation) return complain(observation.error());
  look_up_zones(*policy, *observation);
  auto memory = memory_of(options.memory);
  if (!memory) return complain(memory.error());
  const auto decision = decide::decide(*policy, *observation, *memory);
  if (options.output == "table") {
    fmt::print(
        "{}",
        tell({.autoscaler = policy->name, .observation = *observation, .decision = decision}));
    return kOk;
  }
  const auto text =
      data_text(options.output, fmt::format("{{\"decision\":{},\n\"memory\":{}}}\n",
                                            decide::to_json(decision), decide::to_json(*memory)));
  if (!text) return complain(text.error());
  fmt::print("{}", *text);
  return kOk;
}

}  // namespace

void add_decide(CLI::App& app, Call& call) {
  auto* verb = app.add_subcommand(
      "decide",
      "Decides for a recorded observation, and says why: for bug reports and trying out.");
  verb->footer(kDecideExamples);
  auto options = std::make_shared<DecideOptions>();
  verb->add_option("--policy", options->policy,
                   "A file with an Autoscaler, HorizontalPodAutoscaler, ScaledObject or Knative's "
                   "Service; - "
                   "for stdin")
      ->required()
      ->type_name("FILE");
  verb->add_option("--name", options->name, "Which of the file's, where it has several")
      ->type_name("NAME");
  verb->add_option("--observation", options->observation, "A file with what was seen (JSON)")
      ->required()
      ->type_name("FILE");
  verb->add_option("--memory", options->memory,
                   "A file with what was remembered (JSON), as -o json prints it under \"memory\"; "
                   "default: nothing")
      ->type_name("FILE");
  add_output_flag(*verb, options->output);
  verb->callback([options, &call] { call.exit = decide_once(*options); });
}

}  // namespace headroom::cli
