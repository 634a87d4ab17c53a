#include "target/expand.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <unistd.h>

#include "policy/substitution.h"

namespace headroom::target {
namespace {

/// What only the replica knows of itself; every other $(NAME) was the document reader's.
constexpr std::array<std::string_view, 2> kOwn = {"PORT", "SOCKET"};

/// The parts of a text that are literal, and the names that are referred to, in order. "$$(PORT)"
/// is a literal "$(PORT)".
template <class Literal, class Name>
void scan(std::string_view text, Literal literal, Name name) {
  while (!text.empty()) {
    const auto dollar = text.find('$');
    literal(text.substr(0, dollar));
    if (dollar == std::string_view::npos) return;
    text.remove_prefix(dollar);
    std::size_t used = 0;
    for (const auto own : kOwn) {
      const auto reference = fmt::format("$({})", own);
      if (text.starts_with(reference)) {
        name(own);
        used = reference.size();
      } else if (text.starts_with("$" + reference)) {
        literal(reference);
        used = reference.size() + 1;
      }
    }
    if (used == 0) literal("$");
    text.remove_prefix(std::max<std::size_t>(used, 1));
  }
}

}  // namespace

std::string expand(std::string_view text, const Environment& variables) {
  std::string result;
  scan(
      text, [&](std::string_view literal) { result += literal; },
      [&](std::string_view name) {
        const auto variable = variables.find(name);
        result += variable != variables.end() ? variable->second : fmt::format("$({})", name);
      });
  return result;
}

bool wants_socket(const policy::Process& spec) {
  return policy::names_replica_variable(spec, "SOCKET");
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
