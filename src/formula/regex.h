#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "formula/datum.h"

namespace headroom::formula {

/// The regular expressions of `matches`: RE2's syntax without flags, named and Unicode classes.
/// All alternatives are followed at once, so a match takes at most |program| x |text| steps.
class Regex {
 public:
  /// Bounds: 1,000 instructions, groups nested 50 deep.
  /// Errors: invalid, saying what is wrong with the pattern or what is not supported.
  static Result<Regex> compile(std::string_view pattern);

  /// Whether it matches anywhere in `text`. False, too, where the effort is spent.
  bool matches(std::string_view text, Effort& effort) const;

 private:
  friend class RegexCompiler;

  struct Set {
    std::vector<std::pair<char32_t, char32_t>> ranges;
    bool negated = false;
    bool has(char32_t c) const;
  };
  enum class Code { set, split, jump, text_begin, text_end, word_edge, no_word_edge, match };
  struct Instruction {
    Code code;
    std::size_t first = 0;   // set: its number; split, jump: where to
    std::size_t second = 0;  // split: where to, as well
  };
  struct Around {  // the characters beside a position; kNone: none
    char32_t before, after;
  };

  void follow(std::size_t start, Around around, std::vector<std::size_t>& threads,
              std::vector<bool>& seen) const;

  std::vector<Instruction> program_;
  std::vector<Set> sets_;
};

}  // namespace headroom::formula
