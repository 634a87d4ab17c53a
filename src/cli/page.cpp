#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/manual.h"

namespace headroom::cli {
namespace {

struct Place {
  const char *name, *about;
};
constexpr std::array kFiles = {
    Place{"~/.local/state/headroom/NAME/journal.db",
          "The journal: decisions, what happened, what it was like"},
    Place{"/var/lib/headroom/NAME/journal.db", "The journal of what runs as headroom@NAME.service"},
    Place{"admin.sock", "Beside the journal: where a running Headroom is asked and told"},
    Place{"/etc/headroom/NAME.yaml", "The document that headroom@NAME.service runs"},
};
constexpr std::array kEnvironment = {
    Place{"XDG_STATE_HOME", "Where the journals are, in place of ~/.local/state"},
    Place{"STATE_DIRECTORY", "The journal's own folder, as a service manager says it"},
    Place{"TZ", "The time zone of the times that are printed and read; default: the machine's"},
    Place{"NO_COLOR", "Where it is set, nothing is coloured"},
    Place{"NOTIFY_SOCKET, WATCHDOG_USEC",
          "Where `headroom run` says that it is ready, stops and lives, and how often (systemd)"},
};

template <class Places>
Section places(const char* title, const Places& all) {
  Section section{title, {{}}};
  for (const auto& [name, about] : all) {
    section.blocks.back().items.push_back({fmt::format("`{}`", name), about});
  }
  return section;
}

/// "`-o`, `--output` FORMAT"
std::string term_of(const Parameter& parameter) {
  std::string term;
  for (const auto& name : parameter.names) {
    term += fmt::format("{}`{}`", term.empty() ? "" : ", ", name);
  }
  if (parameter.value.empty()) return term;
  return fmt::format("{}{}{}{}", term, term.empty() ? "" : " ", parameter.value,
                     parameter.repeats && parameter.names.empty() ? "…" : "");
}

void add(Page& page, const std::string& title, const std::vector<Parameter>& parameters) {
  if (parameters.empty()) return;
  Section section{title, {{}}};
  for (const auto& each : parameters) {
    const auto* needed = each.required && !each.names.empty() ? " (needed)" : "";
    section.blocks.back().items.push_back({term_of(each), each.about + needed});
  }
  page.sections.push_back(std::move(section));
}

/// In the order in which the groups are declared; CLI11's own group is "Options".
void add_options(Page& page, const std::vector<Parameter>& options) {
  std::vector<std::pair<std::string, std::vector<Parameter>>> groups;
  for (const auto& option : options) {
    auto group = std::ranges::find(groups, option.group, &decltype(groups)::value_type::first);
    if (group == groups.end()) group = groups.insert(group, {option.group, {}});
    group->second.push_back(option);
  }
  for (const auto& [name, parameters] : groups) {
    add(page, name, parameters);
    page.sections.back().part = &parameters != &groups.front().second;
  }
}

/// Lines that begin with two spaces are literal, the others are filled.
void add_note(Section& section, const std::string& note) {
  Block block;
  std::size_t at = 0;
  while (at < note.size()) {
    const auto end = std::min(note.find('\n', at), note.size());
    const auto line = note.substr(at, end - at);
    at = end + 1;
    if (line.starts_with("  ")) {
      block.literal.push_back(line.substr(2));
    } else {
      block.paragraph += (block.paragraph.empty() ? "" : " ") + line;
    }
  }
  if (!block.paragraph.empty()) section.blocks.push_back({block.paragraph, {}, {}});
  if (!block.literal.empty()) section.blocks.push_back({{}, block.literal, {}});
}

Section verbs_section(const std::vector<Verb>& verbs) {
  Section section{"Verbs", {{}}};
  for (const auto& verb : verbs) {
    if (verb.name.empty()) continue;
    section.blocks.back().items.push_back({fmt::format("`{}`", verb.name), verb.about});
  }
  return section;
}

/// Then it is one of those that know files of Headroom's.
bool has_journal(const Verb& verb) {
  return std::ranges::any_of(
      verb.options, [](const Parameter& option) { return option.names.back() == "--journal"; });
}

std::string see_also(const std::vector<Verb>& verbs, bool whole) {
  if (!whole) return "`headroom`(1)";
  std::vector<std::string> pages;
  for (const auto& verb : verbs) {
    if (!verb.name.empty()) pages.push_back(fmt::format("`headroom-{}`(1)", verb.name));
  }
  return fmt::format("{}", fmt::join(pages, ", "));
}

}  // namespace

Page page_of(const std::vector<Verb>& verbs, std::size_t which) {
  const auto& verb = verbs[which];
  const bool whole = verb.name.empty();
  Page page{whole ? "headroom" : "headroom-" + verb.name, verb.about, {}};
  page.sections.push_back({"Synopsis", {{{}, verb.synopsis, {}}}});
  Section description{"Description", {{verb.about, {}, {}}}};
  for (const auto& note : verb.notes) add_note(description, note);
  page.sections.push_back(std::move(description));
  if (whole) page.sections.push_back(verbs_section(verbs));
  add(page, "Arguments", verb.arguments);
  add_options(page, verb.options);
  if (!verb.examples.empty()) page.sections.push_back({"Examples", {{{}, verb.examples, {}}}});
  Section exits{"Exit status", {{}}};
  for (const auto& [code, about] : verb.exits) {
    exits.blocks.back().items.push_back({fmt::format("`{}`", code), about});
  }
  if (!verb.exits.empty()) page.sections.push_back(std::move(exits));
  if (whole || has_journal(verb)) {
    page.sections.push_back(places("Files", kFiles));
    page.sections.push_back(places("Environment", kEnvironment));
  }
  page.sections.push_back({"See also", {{see_also(verbs, whole), {}, {}}}});
  return page;
}

}  // namespace headroom::cli
