#include <array>
#include <memory>

#include <CLI/CLI.hpp>
#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include "base/check.h"
#include "cli/print.h"
#include "cli/verbs.h"
#include "decide/steps.h"
#include "policy/read.h"

namespace headroom::cli {
namespace {

/// "`percent`, `target`"
std::string names(const std::array<std::string_view, 4>& inputs) {
  std::string all;
  for (const auto name : inputs) {
    if (!name.empty()) all += fmt::format("{}`{}`", all.empty() ? "" : ", ", name);
  }
  return all;
}

/// The reference page, and the words of a decision: its steps' and its conditions'.
std::string reference() {
  std::string page = policy::reference_page();
  page +=
      "\n## Steps of a decision\n\n"
      "The words in brackets that `headroom explain` puts behind each step, and `code` in its "
      "JSON;\n"
      "and what its `inputs` are called there.\n\n"
      "| Code | Meaning | Inputs |\n|---|---|---|\n";
  for (const auto& kind : decide::kSteps) {
    page += fmt::format("| `{}` | {} | {} |\n", kind.code, kind.meaning, names(kind.inputs));
  }
  page +=
      "\n## Conditions of a decision\n\n"
      "As Kubernetes' and KEDA's status has them, and under `conditions` in the JSON of "
      "`headroom decide`\nand `explain`.\n\n"
      "| Type | Reason | Meaning |\n|---|---|---|\n";
  for (const auto& kind : decide::kReasons) {
    page += fmt::format("| `{}` | `{}` | {} |\n", kind.type, kind.reason, kind.meaning);
  }
  return page;
}

std::string yaml_schema() {
  boost::json::parse_options deep;
  deep.max_depth = 64;
  boost::json::error_code error;
  const auto schema = boost::json::parse(policy::json_schema(), error, {}, deep);
  check(!error, "the schema is JSON");
  return to_yaml_text(schema);
}

}  // namespace

void add_schema(CLI::App& app, Call& call) {
  auto* verb = app.add_subcommand("schema", "Prints the JSON Schema of the Autoscaler document.");
  verb->footer(
      "Examples:\n"
      "  headroom schema > autoscaler.schema.json\n"
      "  headroom schema --reference > docs/reference.md\n"
      "\n"
      "An editor with a YAML language server takes it from the document's first line:\n"
      "  # yaml-language-server: $schema=./autoscaler.schema.json\n");
  auto whole = std::make_shared<bool>(false);
  verb->add_flag("--reference", *whole, "The reference page (Markdown) instead");
  auto output = std::make_shared<std::string>("json");
  verb->add_option("-o,--output", *output, "Of the schema: json or yaml; default json")
      ->check(CLI::IsMember({"json", "yaml"}))
      ->excludes("--reference")
      ->type_name("FORMAT");
  verb->callback([&call, whole, output] {
    const auto text = *whole              ? reference()
                      : *output == "yaml" ? yaml_schema()
                                          : policy::json_schema();
    fmt::print("{}{}", text, text.ends_with('\n') ? "" : "\n");
    call.exit = kOk;
  });
}

}  // namespace headroom::cli
