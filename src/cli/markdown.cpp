#include <string_view>

#include <fmt/format.h>

#include "cli/manual.h"

namespace headroom::cli {
namespace {

constexpr std::string_view kIntroduction =
    "# Verbs\n"
    "\n"
    "What `headroom VERB --help` and `man headroom-VERB` say, on one page. It is what `headroom "
    "man "
    "--markdown`\nprints; a test compares.\n"
    "\n";

/// Outside of backticks, what Markdown or a table would take for its own.
std::string cell(std::string_view text) {
  std::string out;
  bool code = false;
  for (const char c : text) {
    if (c == '`') code = !code;
    if (c == '|' || (!code && (c == '<' || c == '*' || c == '_'))) out += '\\';
    out += c;
  }
  return out;
}

std::string markdown(const Block& block) {
  std::string out;
  if (!block.paragraph.empty()) out += cell(block.paragraph) + "\n\n";
  for (const auto& line : block.literal) out += fmt::format("    {}\n", line);
  if (!block.literal.empty()) out += "\n";
  if (block.items.empty()) return out;
  out += "| | |\n|---|---|\n";
  for (const auto& [term, text] : block.items) {
    out += fmt::format("| {} | {} |\n", cell(term), cell(text));
  }
  return out + "\n";
}

/// "headroom-run" is called as "headroom run".
std::string title_of(const Page& page) {
  auto title = page.name;
  if (const auto dash = title.find('-'); dash != std::string::npos) title[dash] = ' ';
  return title;
}

}  // namespace

std::string markdown(const std::vector<Page>& pages) {
  std::string out(kIntroduction);
  for (const auto& page : pages) {
    out += fmt::format("## {}\n\n", title_of(page));
    for (const auto& section : page.sections) {
      // What pages of their own need, and one page of all needs once or not.
      const bool again = section.title == "Files" || section.title == "Environment";
      if (section.title == "See also" || (again && &page != &pages.front())) continue;
      const bool titled = section.title != "Description" && section.title != "Synopsis";
      if (titled) out += fmt::format("**{}**\n\n", section.title);
      for (const auto& block : section.blocks) out += markdown(block);
    }
  }
  while (out.ends_with("\n\n")) out.pop_back();
  return out;
}

}  // namespace headroom::cli
