#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/text.h"
#include "base/zone.h"
#include "cli/manual.h"
#include "cli/verbs.h"
#include "control/clock.h"

namespace headroom::cli {
namespace {

constexpr const char* kManExamples =
    "Examples:\n"
    "  headroom man | man -l -\n"
    "  headroom man run | man -l -\n"
    "  headroom man --into /usr/local/share/man/man1\n"
    "  headroom man --markdown > docs/verbs.md\n"
    "\n"
    "The pages are dated by $SOURCE_DATE_EPOCH where that is set (seconds since 1970), else "
    "today.\n"
    "\n"
    "Exit codes: 0 printed, 1 the folder cannot be written, 2 no such verb.\n";

struct ManOptions {
  std::string verb, folder;
  bool markdown = false;
};

/// YYYY-MM-DD.
std::string date() {
  const char* epoch = std::getenv("SOURCE_DATE_EPOCH");
  const auto millis = epoch != nullptr && *epoch != '\0' ? std::strtoll(epoch, nullptr, 10) * 1000
                                                         : control::unix_millis();
  return utc_time(millis).substr(0, 10);
}

int write_pages(const std::vector<Page>& pages, const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  for (const auto& page : pages) {
    const auto file = (std::filesystem::path(folder) / (page.name + ".1")).string();
    std::ofstream out(file);
    out << roff(page, date());
    if (out.close(); !out) {
      return complain({Code::unavailable, file + ": cannot be written", {}});
    }
  }
  return kOk;
}

int man(const ManOptions& options, const CLI::App& app) {
  const auto verbs = verbs_of(app);
  std::vector<Page> pages;
  for (std::size_t i = 0; i < verbs.size(); ++i) pages.push_back(page_of(verbs, i));
  if (options.markdown) {
    fmt::print("{}", markdown(pages));
    return kOk;
  }
  if (!options.folder.empty()) return write_pages(pages, options.folder);
  const auto verb = std::ranges::find(verbs, options.verb, &Verb::name);
  if (verb == verbs.end()) {
    return complain({Code::invalid, fmt::format("found no verb \"{}\"", printable(options.verb))});
  }
  fmt::print("{}", roff(pages[static_cast<std::size_t>(verb - verbs.begin())], date()));
  return kOk;
}

}  // namespace

void add_man(CLI::App& app, Call& call) {
  auto* verb = app.add_subcommand("man", "Prints a manual page, of a verb or of the whole.");
  verb->footer(kManExamples);
  auto options = std::make_shared<ManOptions>();
  auto* name = verb->add_option("verb", options->verb, "Default: the page of headroom itself")
                   ->type_name("VERB");
  auto* folder = verb->add_option("--into", options->folder, "All pages, each into a file there")
                     ->type_name("FOLDER")
                     ->excludes(name);
  verb->add_flag("--markdown", options->markdown, "All on one page, as Markdown")
      ->excludes(name)
      ->excludes(folder);
  verb->callback([options, &app, &call] { call.exit = man(*options, app); });
}

}  // namespace headroom::cli
