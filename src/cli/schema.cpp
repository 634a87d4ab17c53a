#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/verbs.h"
#include "policy/read.h"

namespace headroom::cli {

void add_schema(CLI::App& app, Call& call) {
  auto* verb = app.add_subcommand("schema", "Prints the JSON Schema of the Autoscaler document.");
  verb->footer(
      "Examples:\n"
      "  headroom schema > autoscaler.schema.json\n"
      "  headroom schema --reference > docs/reference.md\n"
      "\n"
      "An editor with a YAML language server takes it from the document's first line:\n"
      "  # yaml-language-server: $schema=./autoscaler.schema.json\n");
  auto reference = std::make_shared<bool>(false);
  verb->add_flag("--reference", *reference, "The reference page (Markdown) instead");
  verb->callback([&call, reference] {
    const auto text = *reference ? policy::reference_page() : policy::json_schema();
    fmt::print("{}{}", text, text.ends_with('\n') ? "" : "\n");
    call.exit = kOk;
  });
}

}  // namespace headroom::cli
