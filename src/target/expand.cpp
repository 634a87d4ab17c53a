#include "target/expand.h"

#include <algorithm>

#include <unistd.h>

namespace headroom::target {
namespace {

/// The parts of a text that are not literal: `name` for each reference, in order.
template <class Literal, class Name>
void scan(std::string_view text, Literal literal, Name name) {
  for (std::size_t at = 0; at < text.size();) {
    const auto dollar = text.find('$', at);
    literal(text.substr(at, dollar - at));
    if (dollar == std::string_view::npos) return;
    const auto rest = text.substr(dollar);
    const auto close = rest.starts_with("$(") ? rest.find(')') : std::string_view::npos;
    if (close != std::string_view::npos) {
      name(rest.substr(2, close - 2), rest.substr(0, close + 1));
      at = dollar + close + 1;
    } else {
      literal("$");  // of "$$(" the first escapes; any other "$$" is the shell's, and stays
      at = dollar + (rest.starts_with("$$(") ? 2 : 1);
    }
  }
}

bool names_socket(std::string_view text) {
  bool found = false;
  scan(
      text, [](auto) {}, [&](std::string_view name, auto) { found = found || name == "SOCKET"; });
  return found;
}

}  // namespace

std::string expand(std::string_view text, const Environment& variables) {
  std::string result;
  scan(
      text, [&](std::string_view literal) { result += literal; },
      [&](std::string_view name, std::string_view written) {
        const auto variable = variables.find(name);
        result += variable == variables.end() ? written : std::string_view(variable->second);
      });
  return result;
}

bool wants_socket(const policy::Process& spec) {
  return std::ranges::any_of(spec.command, names_socket) ||
         std::ranges::any_of(spec.env,
                             [](const auto& entry) { return names_socket(entry.second); });
}

Environment own_environment() {
  Environment all;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    all.try_emplace(std::string(text.substr(0, equals)), text.substr(equals + 1));
  }
  return all;
}

Environment replica_environment(Environment base, const Environment& given,
                                const policy::Process& spec) {
  // A PORT of our own would lead a replica with a socket to the wrong place, and vice versa.
  base.erase("PORT");
  base.erase("SOCKET");
  for (const auto& [name, value] : given) base.insert_or_assign(name, value);
  for (const auto& [name, value] : spec.env) base.insert_or_assign(name, expand(value, base));
  return base;
}

Command make_command(const std::vector<std::string>& argv, const Environment& environment,
                     const std::string& working_directory) {
  Command command;
  for (const auto& argument : argv) command.argv.push_back(expand(argument, environment));
  for (const auto& [name, value] : environment) command.env.push_back(name + "=" + value);
  command.working_directory = working_directory;
  return command;
}

}  // namespace headroom::target
