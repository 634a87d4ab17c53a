#include "formula/regex.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "base/text.h"
#include "formula/letters.h"

namespace headroom::formula {

/// Reads a pattern item by item. Once something is wrong nothing more is read.
class RegexCompiler {
 public:
  explicit RegexCompiler(std::string_view pattern) : pattern_(pattern) {}

  Result<Regex> run() {
    regex_.from_begin_ = accept('^');
    while (!pattern_.empty()) {
      if (pattern_ == "$") {
        regex_.to_end_ = accept('$');
      } else {
        regex_.items_.push_back({item()});
        quantifier(regex_.items_.back());
      }
    }
    if (why_.empty()) return std::move(regex_);
    return fail({Code::invalid, fmt::format("this pattern is not supported here: {}", why_)});
  }

 private:
  using Set = Regex::Set;
  static constexpr char32_t kLast = 0x10ffff;

  void wrong(std::string why) {
    if (why_.empty()) why_ = std::move(why);
    pattern_ = {};
  }
  bool accept(char c) {
    if (!pattern_.starts_with(c)) return false;
    pattern_.remove_prefix(1);
    return true;
  }
  /// A token's text is valid UTF-8.
  char32_t next() {
    if (pattern_.empty()) {
      wrong("it ends too early");
      return kLast;
    }
    const std::size_t size = character_bytes(pattern_);
    const char32_t c = decode(pattern_, size);
    pattern_.remove_prefix(size);
    return c;
  }

  Set item() {
    constexpr std::string_view kSpecial = "()|{}*+?^$";
    if (kSpecial.find(pattern_[0]) != std::string_view::npos) {
      wrong(fmt::format("found \"{}\"; put a \\ before it to mean it", pattern_[0]));
      return {};
    }
    if (accept('[')) return bracketed();
    if (accept('\\')) return escaped();
    if (accept('.')) return {{{'\n', '\n'}}, true};
    return one(next());
  }

  static Set one(char32_t c) { return {{{c, c}}}; }

  /// After the backslash.
  Set escaped() {
    const char32_t c = next();
    switch (c) {
      case 'd':
      case 'D':
        return {{{'0', '9'}}, c == 'D'};
      case 's':
      case 'S':
        return {{{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}}, c == 'S'};
      case 'w':
      case 'W':
        return {{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}, c == 'W'};
      default:
        break;
    }
    if (is_letter_or_digit(c) && c != '$') wrong("found a \\ before a letter or a digit");
    return one(c);
  }

  /// After the opening bracket: [a-z_], [^\d].
  Set bracketed() {
    Set set;
    set.negated = accept('^');
    do {  // a ] in front is one of the characters
      if (pattern_.starts_with("[:")) wrong("found \"[:\"");
      const Set low = accept('\\') ? escaped() : one(next());
      if (low.negated) wrong("found \\D, \\S or \\W between brackets");
      set.ranges.insert(set.ranges.end(), low.ranges.begin(), low.ranges.end());
      if (!pattern_.starts_with("-]") && accept('-')) {
        auto& [first, last] = set.ranges.back();
        const bool single = low.ranges.front().first == last;
        last = next();
        if (!single || last < first || last == '\\') wrong("found a range that cannot be");
      }
    } while (why_.empty() && !accept(']'));
    return set;
  }

  void quantifier(Regex::Item& item) {
    const bool any = accept('*');
    item.repeats = any || accept('+');
    item.optional = any || (!item.repeats && accept('?'));
  }

  std::string_view pattern_;
  Regex regex_;
  std::string why_;
};

bool Regex::Set::has(char32_t c) const {
  const auto around = [c](const auto& range) { return c >= range.first && c <= range.second; };
  return std::ranges::any_of(ranges, around) != negated;
}

Result<Regex> Regex::compile(std::string_view pattern) { return RegexCompiler(pattern).run(); }

void Regex::skip(std::vector<bool>& reached) const {
  for (std::size_t i = 0; i < items_.size(); ++i) {
    if (reached[i] && items_[i].optional) reached[i + 1] = true;
  }
}

bool Regex::matches(std::string_view text) const {
  std::vector<bool> reached(items_.size() + 1);  // the items that may come next; the last: all fit
  reached[0] = true;
  skip(reached);
  while (!text.empty() && (to_end_ || !reached.back())) {
    const std::size_t size = character_bytes(text);
    const char32_t c = decode(text, size);
    text.remove_prefix(size);
    std::vector<bool> next(reached.size());
    next[0] = !from_begin_;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      if (!reached[i] || !items_[i].set.has(c)) continue;
      next[i + 1] = true;
      if (items_[i].repeats) next[i] = true;
    }
    skip(next);
    reached = std::move(next);
  }
  return reached.back();
}

}  // namespace headroom::formula
