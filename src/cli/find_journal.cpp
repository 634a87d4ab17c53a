#include "cli/find_journal.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "cli/paths.h"

namespace headroom::cli {
namespace {

using journal::Journal;

Result<Journal> open(const std::string& path) { return Journal::open(path, Journal::Mode::read); }

bool knows(const Journal& journal, const std::string& name) {
  const auto names = journal.autoscalers();
  return names && std::ranges::find(*names, name) != names->end();
}

}  // namespace

Result<Journal> find_journal(const std::string& path, const std::string& name) {
  if (!path.empty()) return open(path);
  if (!name.empty()) {
    const auto own = journal_path(name);
    if (own && std::filesystem::exists(*own)) return open(*own);
  }
  const auto known = known_journals();
  for (const auto& each : known) {
    auto journal = open(each);
    if (name.empty()) return journal;
    if (journal && knows(*journal, name)) return journal;
  }
  const auto what =
      known.empty() ? std::string("no journal found; say --journal PATH, or run something first")
                    : fmt::format("no journal knows \"{}\"; say --journal PATH", name);
  return fail({Code::unavailable, what, {}});
}

}  // namespace headroom::cli
