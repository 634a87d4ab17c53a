#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/verbs.h"

namespace headroom::cli {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  source <(headroom completion bash)\n"
    "  headroom completion zsh > \"${fpath[1]}/_headroom\"\n"
    "  headroom completion fish > ~/.config/fish/completions/headroom.fish\n";

struct Verb {
  std::string name;
  std::string about;  // its first line
  struct Flag {
    std::string name;  // without dashes
    std::string about;
    bool value = false;
  };
  std::vector<Flag> flags;
};

/// As the app knows them, so that no flag is forgotten here.
std::vector<Verb> verbs_of(const CLI::App& app) {
  std::vector<Verb> verbs;
  for (const auto* each : app.get_subcommands(nullptr)) {
    Verb verb{each->get_name(), each->get_description(), {}};
    verb.about = verb.about.substr(0, verb.about.find('\n'));
    for (const auto* option : each->get_options()) {
      for (const auto& name : option->get_lnames()) {
        verb.flags.push_back({name, option->get_description(), option->get_items_expected() > 0});
      }
    }
    verbs.push_back(std::move(verb));
  }
  return verbs;
}

std::string joined(const std::vector<Verb::Flag>& flags) {
  std::string text;
  for (const auto& flag : flags) text += (text.empty() ? "--" : " --") + flag.name;
  return text;
}

/// In single quotes of a shell, without what has a meaning in zsh's specifications.
std::string plain(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'' || c == '\n') continue;
    out += c == '[' || c == ']' || c == ':' ? ' ' : c;
  }
  return out;
}

void print_bash(const std::vector<Verb>& verbs) {
  std::string names;
  for (const auto& verb : verbs) names += (names.empty() ? "" : " ") + verb.name;
  fmt::print(
      "_headroom() {{\n"
      "  local cur=${{COMP_WORDS[COMP_CWORD]}} verb=${{COMP_WORDS[1]}} flags= i\n"
      "  COMPREPLY=()\n"
      "  for ((i = 2; i < COMP_CWORD; i++)); do\n"
      "    if [[ ${{COMP_WORDS[i]}} == -- ]]; then  # the service's own command\n"
      "      if ((COMP_CWORD == i + 1)); then COMPREPLY=($(compgen -c -f -- \"$cur\"))\n"
      "      else COMPREPLY=($(compgen -f -- \"$cur\")); fi\n"
      "      return\n"
      "    fi\n"
      "  done\n"
      "  if ((COMP_CWORD == 1)); then\n"
      "    COMPREPLY=($(compgen -W \"{} --help --version\" -- \"$cur\"))\n"
      "    return\n"
      "  fi\n"
      "  case $verb in\n",
      names);
  for (const auto& verb : verbs)
    fmt::print("    {}) flags=\"{}\" ;;\n", verb.name, joined(verb.flags));
  fmt::print(
      "  esac\n"
      "  case $verb:$cur in\n"
      "    *:-*) COMPREPLY=($(compgen -W \"$flags\" -- \"$cur\")) ;;\n"
      "    explain:*) COMPREPLY=($(compgen -W \"$(ls \"${{XDG_STATE_HOME:-$HOME/.local/state}}"
      "/headroom\" 2>/dev/null)\" -- \"$cur\")) ;;\n"
      "    completion:*) COMPREPLY=($(compgen -W \"bash zsh fish\" -- \"$cur\")) ;;\n"
      "    *) COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n"
      "  esac\n"
      "}}\n"
      "complete -o filenames -F _headroom headroom\n");
}

void print_zsh(const std::vector<Verb>& verbs) {
  fmt::print("#compdef headroom\n_headroom() {{\n  local -a verbs\n  verbs=(\n");
  for (const auto& verb : verbs) fmt::print("    '{}:{}'\n", verb.name, plain(verb.about));
  fmt::print(
      "  )\n"
      "  if ((CURRENT == 2)); then _describe verb verbs; return; fi\n"
      "  local verb=$words[2]\n"
      "  shift words; ((CURRENT--))\n"
      "  case $verb in\n");
  for (const auto& verb : verbs) {
    fmt::print("    {}) _arguments", verb.name);
    for (const auto& flag : verb.flags) {
      fmt::print(" \\\n      '--{}[{}]{}'", flag.name, plain(flag.about),
                 flag.value ? ":value:_files" : "");
    }
    fmt::print(" \\\n      '*:file:_files' ;;\n");
  }
  fmt::print("  esac\n}}\ncompdef _headroom headroom\n");
}

void print_fish(const std::vector<Verb>& verbs) {
  for (const auto& verb : verbs) {
    fmt::print("complete -c headroom -n __fish_use_subcommand -f -a {} -d '{}'\n", verb.name,
               plain(verb.about));
    for (const auto& flag : verb.flags) {
      fmt::print("complete -c headroom -n '__fish_seen_subcommand_from {}' -l {}{} -d '{}'\n",
                 verb.name, flag.name, flag.value ? " -r" : "", plain(flag.about));
    }
  }
}

}  // namespace

void add_completion(CLI::App& app, Call& call) {
  auto* verb = app.add_subcommand("completion", "Prints the completions for a shell.");
  verb->footer(kExamples);
  auto shell = std::make_shared<std::string>();
  verb->add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}))
      ->type_name("SHELL");
  verb->callback([shell, &app, &call] {
    const auto verbs = verbs_of(app);
    if (*shell == "bash") print_bash(verbs);
    if (*shell == "zsh") print_zsh(verbs);
    if (*shell == "fish") print_fish(verbs);
    call.exit = kOk;
  });
}

}  // namespace headroom::cli
