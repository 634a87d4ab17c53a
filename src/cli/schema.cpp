#include <memory>

#include <CLI/CLI.hpp>
#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include "base/check.h"
#include "cli/print.h"
#include "cli/reasons.h"
#include "cli/verbs.h"
#include "policy/read.h"

namespace headroom::cli {
namespace {

std::string yaml_schema() {
  boost::json::parse_options deep;
  deep.max_depth = 64;
  boost::json::error_code error;
  const auto schema = boost::json::parse(policy::json_schema(), error, {}, deep);
  check(!error, "the schema is JSON");
  return to_yaml_text(schema);
}

struct SchemaOptions {
  bool reference = false, reasons = false;
  std::string output = "json";
};

std::string text_of(const SchemaOptions& options) {
  if (options.reference) return policy::reference_page();
  if (options.reasons) return reasons_page();
  return options.output == "yaml" ? yaml_schema() : policy::json_schema();
}

}  // namespace

void add_schema(CLI::App& app, Call& call) {
  auto* verb = app.add_subcommand("schema", "Prints the JSON Schema of the Autoscaler document.");
  verb->footer(
      "Examples:\n"
      "  headroom schema > autoscaler.schema.json\n"
      "  headroom schema --reference > docs/reference.md\n"
      "  headroom schema --reasons > docs/reasons.md\n"
      "\n"
      "An editor with a YAML language server takes it from the document's first line:\n"
      "  # yaml-language-server: $schema=./autoscaler.schema.json\n"
      "\n"
      "Exit codes: 0 printed, 2 the flags are wrong.\n");
  auto options = std::make_shared<SchemaOptions>();
  auto* reference = verb->add_flag("--reference", options->reference,
                                   "The reference page of its fields (Markdown) instead");
  auto* reasons = verb->add_flag("--reasons", options->reasons,
                                 "The page of all steps, conditions and other reasons instead");
  reasons->excludes(reference);
  verb->add_option("-o,--output", options->output, "Of the schema: json or yaml; default json")
      ->check(CLI::IsMember({"json", "yaml"}))
      ->excludes(reference)
      ->excludes(reasons)
      ->type_name("FORMAT");
  verb->callback([&call, options] {
    const auto text = text_of(*options);
    fmt::print("{}{}", text, text.ends_with('\n') ? "" : "\n");
    call.exit = kOk;
  });
}

}  // namespace headroom::cli
