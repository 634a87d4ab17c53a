#include "cli/manual.h"

#include <algorithm>
#include <string_view>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace headroom::cli {
namespace {

constexpr std::string_view kDigits = "0123456789";

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::vector<std::string> split(std::string_view text, std::string_view between) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find(between, at), text.size());
    if (end > at) parts.emplace_back(text.substr(at, end - at));
    at = end + between.size();
  }
  return parts;
}

/// CLI11 says it all in one text: "FORMAT:{text,json}", "INT:INT in [1 - 64]".
void read_type(const std::string& type, Parameter& parameter) {
  parameter.value = type.substr(0, type.find(':'));
  const auto open = type.find(":{");
  if (open == std::string::npos) return;
  const auto close = type.find('}', open);
  parameter.choices = split(type.substr(open + 2, close - open - 2), ",");
}

Parameter parameter_of(const CLI::Option& option) {
  Parameter parameter;
  for (const auto& name : option.get_snames()) parameter.names.push_back("-" + name);
  for (const auto& name : option.get_lnames()) parameter.names.push_back("--" + name);
  if (option.get_items_expected_max() > 0) read_type(option.get_type_name(), parameter);
  parameter.about = option.get_description();
  parameter.group = option.get_group();
  parameter.required = option.get_required();
  parameter.repeats = option.get_items_expected_max() > 1;
  return parameter;
}

/// "0 done, 1 failed, or not, 130 or 143 killed." A code begins where a number does.
std::vector<Exit> exits_of(std::string_view text) {
  std::vector<Exit> exits;
  while (!text.empty()) {
    auto end = text.find(", ");
    while (end != std::string_view::npos && text.find_first_of(kDigits, end) != end + 2) {
      end = text.find(", ", end + 1);
    }
    const auto one = text.substr(0, end);
    auto code = one.find_first_not_of(kDigits);
    if (one.substr(code).starts_with(" or ")) code = one.find_first_not_of(kDigits, code + 4);
    const auto about = one.substr(one.find_first_not_of(' ', code));
    exits.push_back({std::string(one.substr(0, code)), std::string(about)});
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
  }
  auto& last = exits.back().about;
  if (last.ends_with('.')) last.pop_back();
  return exits;
}

void read_footer(const std::string& footer, Verb& verb) {
  for (const auto& paragraph : split(footer, "\n\n")) {
    if (paragraph.starts_with("Example")) {
      verb.examples = lines_of(paragraph);
      verb.examples.erase(verb.examples.begin());  // the word itself
      for (auto& line : verb.examples) line.erase(0, 2);
    } else if (constexpr std::string_view kCodes = "Exit codes: "; paragraph.starts_with(kCodes)) {
      auto text = paragraph.substr(kCodes.size());
      while (text.ends_with('\n')) text.pop_back();
      std::ranges::replace(text, '\n', ' ');
      verb.exits = exits_of(text);
    } else {
      verb.notes.push_back(paragraph);
    }
  }
}

/// "headroom logs [options] NAME", where the description says nothing better.
std::string synopsis_of(const Verb& verb) {
  std::string line = fmt::format("headroom {} [options]", verb.name);
  for (const auto& each : verb.arguments) {
    const auto value = each.value + (each.repeats ? "…" : "");
    line += each.required ? " " + value : fmt::format(" [{}]", value);
  }
  return line;
}

Verb verb_of(const CLI::App& app, bool whole) {
  Verb verb;
  if (!whole) verb.name = app.get_name();
  const auto about = lines_of(app.get_description());
  if (!about.empty()) verb.about = about.front();
  if (verb.about.ends_with(':')) verb.about.back() = '.';  // its synopsis followed
  for (const auto* option : app.get_options()) {
    auto& to = option->nonpositional() ? verb.options : verb.arguments;
    if (!option->get_group().empty()) to.push_back(parameter_of(*option));
  }
  for (std::size_t i = 1; i < about.size(); ++i) {
    verb.synopsis.push_back(about[i].substr(about[i].find_first_not_of(' ')));
  }
  if (verb.synopsis.empty()) {
    verb.synopsis.push_back(whole ? "headroom VERB [options]" : synopsis_of(verb));
  }
  read_footer(app.get_footer(), verb);
  return verb;
}

}  // namespace

std::vector<Verb> verbs_of(const CLI::App& app) {
  std::vector<Verb> verbs{verb_of(app, true)};
  for (const auto* each : app.get_subcommands(nullptr)) verbs.push_back(verb_of(*each, false));
  return verbs;
}

}  // namespace headroom::cli
