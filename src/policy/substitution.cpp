#include "policy/substitution.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "policy/forms.h"

namespace headroom::policy {
namespace {

/// Text up to a variable, and the variable: "$$(NAME)". At the end of a text there is none.
struct Piece {
  std::string_view before;
  std::string_view dollars;
  std::string_view name;
};

Piece take_piece(std::string_view& text) {
  for (std::size_t at = text.find('$'); at != text.npos; at = text.find('$', at)) {
    const auto open = std::min(text.find_first_not_of('$', at), text.size());
    const auto close = text.find_first_of(")$", open);
    const bool bounded = close != text.npos && text[open] == '(' && text[close] == ')';
    if (!bounded || !form::kVariable.fits(text.substr(open + 1, close - open - 1))) {
      at = open;
      continue;
    }
    const Piece piece{text.substr(0, at), text.substr(at, open - at),
                      text.substr(open + 1, close - open - 1)};
    text.remove_prefix(close + 1);
    return piece;
  }
  const Piece rest{text, {}, {}};
  text = {};
  return rest;
}

bool is_replicas(std::string_view name) { return name == "PORT" || name == "SOCKET"; }

}  // namespace

Substitution::Outcome Substitution::put(std::string_view text, bool for_replica) {
  Outcome outcome;
  while (!text.empty()) {
    const auto [before, dollars, name] = take_piece(text);
    outcome.text += before;
    if (for_replica && is_replicas(name)) {
      outcome.text += fmt::format("{}({})", dollars, name);
    } else if (dollars.size() > 1) {
      outcome.text += fmt::format("{}({})", dollars.substr(1), name);
      outcome.changed = true;
    } else if (!name.empty()) {
      const auto value = environment_ ? environment_(name) : std::nullopt;
      if (!value) {
        outcome.problem = fmt::format(
            "found $({0}), expected a variable of the environment (a literal $({0}) "
            "is written $$({0}))",
            printable(name, 60));
        return outcome;
      }
      outcome.text += *value;
      outcome.changed = true;
    }
    if (outcome.text.size() > left_) {
      outcome.problem = "found more, expected at most 4 MiB of text, variables put in";
      return outcome;
    }
  }
  left_ -= outcome.text.size();
  return outcome;
}

std::string escaped(std::string_view text, bool for_replica) {
  std::string out;
  while (!text.empty()) {
    const auto [before, dollars, name] = take_piece(text);
    out += before;
    if (name.empty()) continue;
    const bool stays = for_replica && is_replicas(name);
    out += fmt::format("{}{}({})", stays ? "" : "$", dollars, name);
  }
  return out;
}

bool names_replica_variable(const Process& process, std::string_view name) {
  const auto names = [name](std::string_view text) {
    while (!text.empty()) {
      const auto piece = take_piece(text);
      if (piece.name == name && piece.dollars.size() == 1) return true;
    }
    return false;
  };
  return std::ranges::any_of(process.command, names) ||
         std::ranges::any_of(process.env, [&](const auto& entry) { return names(entry.second); });
}

}  // namespace headroom::policy
