#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace headroom::formula {

/// The regular expressions of `matches`, of RE2's syntax what stands in a row: characters, `.`,
/// classes ([a-z], \d \w \s, \D \W \S), each with * + ? or none, ^ in front and $ at the end.
/// A match takes at most |pattern| x |text| steps.
class Regex {
 public:
  /// Errors: invalid, saying what is wrong with the pattern or what is not supported here.
  static Result<Regex> compile(std::string_view pattern);

  /// Whether it matches anywhere in `text`.
  bool matches(std::string_view text) const;

 private:
  friend class RegexCompiler;

  struct Set {
    std::vector<std::pair<char32_t, char32_t>> ranges;
    bool negated = false;
    bool has(char32_t c) const;
  };
  struct Item {
    Set set;
    bool optional = false;
    bool repeats = false;
  };

  /// Adds what is reached from those already there without a character.
  void skip(std::vector<bool>& reached) const;

  std::vector<Item> items_;
  bool from_begin_ = false;
  bool to_end_ = false;
};

}  // namespace headroom::formula
