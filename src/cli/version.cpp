#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/verbs.h"

namespace headroom::cli {

void add_version(CLI::App& app, Call& call) {
  auto* verb = app.add_subcommand("version", "Prints the version.");
  verb->footer("Example:\n  headroom version\n\nExit codes: 0 printed, 2 the flags are wrong.\n");
  verb->callback([&call] {
    fmt::print("headroom {}\n", HEADROOM_VERSION);
    call.exit = kOk;
  });
}

}  // namespace headroom::cli
