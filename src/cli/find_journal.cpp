#include "cli/find_journal.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "cli/admin.h"
#include "cli/paths.h"

namespace headroom::cli {
namespace {

using journal::Journal;

Result<Journal> open(const std::string& path) { return Journal::open(path, Journal::Mode::read); }

/// When it decided last about `name`; nullopt: it knows nothing of it.
std::optional<std::int64_t> last_decided(const Journal& journal, const std::string& name) {
  const auto names = journal.autoscalers();
  if (!names || std::ranges::find(*names, name) == names->end()) return std::nullopt;
  const auto last = journal.find({.autoscaler = name, .limit = 1});
  return last && !last->empty() ? last->front().observation.unix_millis : 0;
}

Result<Journal> newest(const std::vector<std::string>& known) {
  if (!known.empty()) return open(known.front());
  return fail(
      {Code::unavailable, "no journal found; say --journal PATH, or run something first", {}});
}

/// Nothing of that name runs: another Headroom may have had it after the one of that name.
Result<Journal> decided_last(const std::vector<std::string>& known, const std::string& name) {
  std::optional<Journal> found;
  std::int64_t when = -1;
  std::string unread;  // any of them may be the one
  const auto own = journal_path(name);
  for (const auto& each : known) {
    auto journal = open(each);
    if (!journal && own && each == *own) return fail(journal.error());
    if (!journal) unread += "; " + journal.error().what;
    const auto last = journal ? last_decided(*journal, name) : std::nullopt;
    if (!last || *last <= when) continue;
    when = *last;
    found = std::move(*journal);
  }
  if (found) return std::move(*found);
  return fail({Code::unavailable,
               fmt::format("no journal knows \"{}\"; say --journal PATH{}", name, unread)});
}

}  // namespace

Result<Journal> find_journal(const std::string& path, const std::string& name) {
  if (!path.empty()) return open(path);
  const auto known = known_journals();
  if (name.empty() || known.empty()) return newest(known);
  const auto running = Admin::find("", name);
  if (running) return open(running->journal());
  if (running.error().code == Code::invalid) return fail(running.error());  // several have it
  return decided_last(known, name);
}

}  // namespace headroom::cli
