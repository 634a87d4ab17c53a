#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "cli/print.h"
#include "cli/verbs.h"

namespace headroom::cli {

void add_version(CLI::App& app, Call& call) {
  auto* verb = app.add_subcommand("version", "Prints the version.");
  verb->footer(
      "Example:\n  headroom version -o json     {\"version\": \"…\"}\n\nExit codes: 0 printed, 2 "
      "the flags are wrong.\n");
  auto output = std::make_shared<std::string>("table");
  add_output_flag(*verb, *output);
  verb->callback([&call, output] {
    const boost::json::object data{{"version", HEADROOM_VERSION}};
    if (!print_data(*output, data)) fmt::print("headroom {}\n", HEADROOM_VERSION);
    call.exit = kOk;
  });
}

}  // namespace headroom::cli
