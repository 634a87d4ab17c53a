#pragma once

#include <string>
#include <string_view>

#include "policy/read.h"

namespace headroom::policy {

/// Puts the environment's values for $(NAME). Of a run of dollar signs before a (NAME) one is
/// taken away where there are several, so $$(NAME) is a literal $(NAME).
/// Bound: all texts of a stream become at most 4 MiB together.
class Substitution {
 public:
  struct Outcome {
    std::string text;
    bool changed = false;
    std::string problem;  // empty: none
  };

  explicit Substitution(const Environment& environment) : environment_(environment) {}

  /// `for_replica`: $(PORT) and $(SOCKET), with any number of dollar signs, stay as they are.
  Outcome put(std::string_view text, bool for_replica);

 private:
  const Environment& environment_;
  std::size_t left_ = 4 << 20;
};

/// The text that `put` makes `text` of again.
std::string escaped(std::string_view text, bool for_replica);

/// Whether the command or the environment has $(name), which is not $$(name).
bool names_replica_variable(const Process& process, std::string_view name);

}  // namespace headroom::policy
