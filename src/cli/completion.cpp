#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/manual.h"
#include "cli/paths.h"
#include "cli/verbs.h"
#include "journal/journal.h"

namespace headroom::cli {
namespace {

constexpr const char* kCompletionExamples =
    "Examples:\n"
    "  source <(headroom completion bash)\n"
    "  headroom completion zsh > \"${fpath[1]}/_headroom\"\n"
    "  headroom completion fish > ~/.config/fish/completions/headroom.fish\n"
    "\n"
    "Exit codes: 0 printed, 2 no such shell, or the flags are wrong.\n";

/// What stands for a value, as the printers below know it.
enum class Kind { nothing, words, names, files, folders };

struct Value {
  Kind kind = Kind::nothing;
  std::vector<std::string> words;
};

Value value_of(const Parameter& parameter, const std::vector<Verb>& verbs) {
  const auto& value = parameter.value;
  const bool argument = parameter.names.empty();
  if (!parameter.choices.empty()) return {Kind::words, parameter.choices};
  if (value == "FILE" || value == "PATH") return {Kind::files, {}};
  if (value == "FOLDER" || value == "TO") return {Kind::folders, {}};
  if (value == "NAME" && argument) return {Kind::names, {}};
  if (value != "VERB") return {};
  Value all{Kind::words, {}};
  for (const auto& verb : verbs) {
    if (!verb.name.empty()) all.words.push_back(verb.name);
  }
  return all;
}

/// `text` with `before` in front of each of `letters`.
std::string escaped(const std::string& text, std::string_view letters, std::string_view before) {
  std::string out;
  for (const char c : text) {
    if (letters.find(c) != std::string_view::npos) out += before;
    out += c;
  }
  return out;
}

/// In a specification of zsh's that stands in single quotes.
std::string for_zsh(const std::string& text) {
  return escaped(escaped(text, "[]\\", "\\"), "'", "'\\'");
}

std::string for_fish(const std::string& text) { return escaped(text, "'\\", "\\"); }

/// As _headroom_complete below takes it.
std::string bash_word(const Value& value) {
  switch (value.kind) {
    case Kind::words:
      return fmt::format("'words {}'", fmt::join(value.words, " "));
    case Kind::names:
      return "names";
    case Kind::files:
      return "files";
    case Kind::folders:
      return "folders";
    case Kind::nothing:
      return "nothing";
  }
  return "nothing";
}

constexpr const char* kBashHead =
    "_headroom_complete() {  # <what> <the word so far>\n"
    "  local IFS=$' \\t\\n'\n"
    "  case $1 in\n"
    "    words*) COMPREPLY=($(compgen -W \"${1#words}\" -- \"$2\")) ;;\n"
    "    names) COMPREPLY=($(compgen -W \"$(headroom completion --names 2>/dev/null)\" -- \"$2\")) "
    ";;\n"
    "    files) IFS=$'\\n'; compopt -o filenames; COMPREPLY=($(compgen -f -- \"$2\")) ;;\n"
    "    folders) IFS=$'\\n'; compopt -o filenames; COMPREPLY=($(compgen -d -- \"$2\")) ;;\n"
    "    commands) IFS=$'\\n'; COMPREPLY=($(compgen -c -- \"$2\")) ;;\n"
    "  esac\n"
    "}\n"
    "_headroom() {\n"
    "  local cur=${COMP_WORDS[COMP_CWORD]} verb=${COMP_WORDS[1]} flags= arguments=()\n"
    "  local i word value= nth=0\n"
    "  COMPREPLY=()\n";

constexpr const char* kBashTail =
    "  for ((i = 2; i < COMP_CWORD; i++)); do\n"
    "    word=${COMP_WORDS[i]}\n"
    "    if [[ $word == -- ]]; then  # the service's own command\n"
    "      ((COMP_CWORD == i + 1)) && _headroom_complete commands \"$cur\"\n"
    "      ((${#COMPREPLY[@]})) || _headroom_complete files \"$cur\"\n"
    "      return\n"
    "    fi\n"
    "    if [[ $word == = ]]; then continue; fi\n"
    "    if [[ $value ]]; then value=\n"
    "    elif [[ $word == -* ]]; then _headroom_value \"$verb$word\"\n"
    "    else nth=$((nth + 1)); fi\n"
    "  done\n"
    "  if [[ $cur == = ]]; then cur=; fi\n"
    "  if [[ $value ]]; then _headroom_complete \"$value\" \"$cur\"\n"
    "  elif [[ $cur == -* ]]; then _headroom_complete \"words $flags\" \"$cur\"\n"
    "  else _headroom_complete \"${arguments[nth]:-${arguments[@]: -1}}\" \"$cur\"; fi\n"
    "}\n"
    "complete -F _headroom headroom\n";

void print_bash(const std::vector<Verb>& verbs) {
  std::map<std::string, std::vector<std::string>> flags_of_value;
  std::string cases;
  std::string names;
  for (const auto& verb : verbs) {
    std::vector<std::string> flags, arguments;
    for (const auto& option : verb.options) {
      if (option.names.back() != "--help" || verb.name.empty())
        flags.push_back(option.names.back());
      if (option.value.empty()) continue;
      auto& patterns = flags_of_value[bash_word(value_of(option, verbs))];
      for (const auto& name : option.names) patterns.push_back(verb.name + name);
    }
    for (const auto& argument : verb.arguments) {
      arguments.push_back(bash_word(value_of(argument, verbs)));
    }
    if (verb.name.empty()) {
      names = fmt::format("{}", fmt::join(flags, " "));
      continue;
    }
    names += " " + verb.name;
    cases += fmt::format("    {}) flags='{}' arguments=({}) ;;\n", verb.name, fmt::join(flags, " "),
                         fmt::join(arguments, " "));
  }
  fmt::print("_headroom_value() {{  # <verb><flag>: what its value is\n  case $1 in\n");
  for (const auto& [value, flags] : flags_of_value) {
    fmt::print("    {}) value={} ;;\n", fmt::join(flags, "|"), value);
  }
  fmt::print("  esac\n}}\n{}", kBashHead);
  fmt::print("  if ((COMP_CWORD == 1)); then _headroom_complete 'words {}' \"$cur\"; return; fi\n",
             names);
  fmt::print("  case $verb in\n{}  esac\n{}", cases, kBashTail);
}

/// The end of a specification of _arguments.
std::string zsh_value(const Parameter& parameter, const std::vector<Verb>& verbs) {
  const auto value = value_of(parameter, verbs);
  const auto message = for_zsh(parameter.value);
  switch (value.kind) {
    case Kind::words:
      return fmt::format(":{}:({})", message, fmt::join(value.words, " "));
    case Kind::names:
      return fmt::format(":{}:_headroom_names", message);
    case Kind::files:
      return fmt::format(":{}:_files", message);
    case Kind::folders:
      return fmt::format(":{}:_files -/", message);
    case Kind::nothing:
      return fmt::format(":{}: ", message);
  }
  return {};
}

std::string zsh_option(const Parameter& option, const std::vector<Verb>& verbs) {
  const bool value = !option.value.empty();
  const auto rest = fmt::format("[{}]{}", for_zsh(option.about),
                                value ? zsh_value(option, verbs) : std::string());
  const auto others =
      option.repeats ? std::string("*") : fmt::format("({})", fmt::join(option.names, " "));
  std::string specs;
  for (const auto& name : option.names) {
    specs += fmt::format(" \\\n      '{}{}{}{}'", others, name,
                         value && name.starts_with("--") ? "=" : "", rest);
  }
  return specs;
}

void print_zsh(const std::vector<Verb>& verbs) {
  fmt::print(
      "#compdef headroom\n"
      "_headroom_names() {{\n"
      "  local -a names=(${{(f)\"$(headroom completion --names 2>/dev/null)\"}})\n"
      "  compadd -a names\n"
      "}}\n"
      "_headroom() {{\n"
      "  local -a verbs\n"
      "  verbs=(\n");
  for (const auto& verb : verbs) {
    if (!verb.name.empty()) fmt::print("    '{}:{}'\n", verb.name, for_zsh(verb.about));
  }
  fmt::print(
      "  )\n"
      "  if ((CURRENT == 2)); then _describe verb verbs; return; fi\n"
      "  local verb=$words[2] dashes=${{words[(i)--]}}\n"
      "  if ((dashes < CURRENT)); then  # the service's own command\n"
      "    shift $dashes words; ((CURRENT -= dashes)); _normal; return\n"
      "  fi\n"
      "  shift words; ((CURRENT--))\n"
      "  case $verb in\n");
  for (const auto& verb : verbs) {
    if (verb.name.empty()) continue;
    fmt::print("    {}) _arguments", verb.name);
    for (const auto& option : verb.options) fmt::print("{}", zsh_option(option, verbs));
    for (const auto& argument : verb.arguments) {
      fmt::print(" \\\n      '{}{}'", argument.repeats ? "*" : ":", zsh_value(argument, verbs));
    }
    fmt::print(" ;;\n");
  }
  // As a file of fpath it is called for the first word at once, and else only read.
  fmt::print(
      "  esac\n"
      "}}\n"
      "if [[ $funcstack[1] == _headroom ]]; then _headroom \"$@\"; else compdef _headroom "
      "headroom; "
      "fi\n");
}

/// What fish is to offer in place of files.
std::string fish_value(const Value& value) {
  switch (value.kind) {
    case Kind::words:
      return fmt::format(" -x -a '{}'", fmt::join(value.words, " "));
    case Kind::names:
      return " -x -a '(headroom completion --names 2>/dev/null)'";
    case Kind::files:
      return " -r -F";
    case Kind::folders:
      return " -x -a '(__fish_complete_directories)'";
    case Kind::nothing:
      return " -x";
  }
  return {};
}

void print_fish(const std::vector<Verb>& verbs) {
  fmt::print("complete -c headroom -f\n");
  for (const auto& verb : verbs) {
    if (verb.name.empty()) continue;
    fmt::print("complete -c headroom -n __fish_use_subcommand -a {} -d '{}'\n", verb.name,
               for_fish(verb.about));
    const auto here =
        fmt::format("complete -c headroom -n '__fish_seen_subcommand_from {}'", verb.name);
    for (const auto& option : verb.options) {
      std::string names;
      for (const auto& name : option.names) {
        names += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      const auto value = option.value.empty() ? "" : fish_value(value_of(option, verbs));
      fmt::print("{}{}{} -d '{}'\n", here, names, value, for_fish(option.about));
    }
    for (const auto& argument : verb.arguments) {
      const auto value = value_of(argument, verbs);
      if (value.kind != Kind::nothing) fmt::print("{}{}\n", here, fish_value(value));
    }
  }
}

/// The autoscalers that the journals know, as far as they can be read; one each, in order.
void print_names() {
  std::set<std::string> all;
  for (const auto& file : known_journals()) {
    const auto journal = journal::Journal::open(file, journal::Journal::Mode::read);
    const auto names = journal ? journal->autoscalers() : fail(journal.error());
    if (names) all.insert(names->begin(), names->end());
  }
  for (const auto& name : all) fmt::print("{}\n", name);
}

}  // namespace

void add_completion(CLI::App& app, Call& call) {
  auto* verb = app.add_subcommand("completion", "Prints the completions for a shell.");
  verb->footer(kCompletionExamples);
  auto shell = std::make_shared<std::string>();
  auto names = std::make_shared<bool>(false);
  verb->add_option("shell", *shell, "bash, zsh or fish")
      ->check(CLI::IsMember({"bash", "zsh", "fish"}))
      ->type_name("SHELL");
  verb->add_flag("--names", *names, "Instead: the autoscalers that the journals know");
  verb->require_option(1);
  verb->callback([shell, names, &app, &call] {
    const auto verbs = verbs_of(app);
    if (*shell == "bash") print_bash(verbs);
    if (*shell == "zsh") print_zsh(verbs);
    if (*shell == "fish") print_fish(verbs);
    if (*names) print_names();
    call.exit = kOk;
  });
}

}  // namespace headroom::cli
