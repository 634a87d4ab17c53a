#include <array>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

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

}  // namespace

void add_schema(CLI::App& app, Call& call) {
  auto* verb = app.add_subcommand("schema", "Prints the JSON Schema of the Autoscaler document.");
  verb->footer(
      "Examples:\n"
      "  headroom schema > autoscaler.schema.json\n"
      "  headroom schema --reference > docs/reference.md\n"
      "\n"
      "An editor with a YAML language server takes it from the document's first line:\n"
      "  # yaml-language-server: $schema=./autoscaler.schema.json\n"
      "\n"
      "Exit codes: 0 printed, 2 the flags are wrong.\n");
  auto whole = std::make_shared<bool>(false);
  verb->add_flag("--reference", *whole, "The reference page (Markdown) instead");
  verb->callback([&call, whole] {
    const auto text = *whole ? reference() : policy::json_schema();
    fmt::print("{}{}", text, text.ends_with('\n') ? "" : "\n");
    call.exit = kOk;
  });
}

}  // namespace headroom::cli
