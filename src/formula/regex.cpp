#include "formula/regex.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "formula/letters.h"

namespace headroom::formula {
namespace {

constexpr char32_t kNone = 0xffffffff;
constexpr char32_t kLast = 0x10ffff;

bool is_word(char32_t c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

}  // namespace

/// Recursive descent over the pattern; instructions are written as they come.
class RegexCompiler {
 public:
  explicit RegexCompiler(std::string_view pattern) : pattern_(pattern) {}

  Result<Regex> run() {
    alternatives();
    if (at_ < pattern_.size()) wrong("found \")\" without \"(\"");
    emit(Code::match);
    if (!why_.empty()) {
      return fail(
          {Code_::invalid, fmt::format("the pattern \"{}\": {}", printable(pattern_, 60), why_)});
    }
    return std::move(regex_);
  }

 private:
  using Code = Regex::Code;
  using Code_ = headroom::Code;
  using Set = Regex::Set;
  static constexpr std::size_t kMostInstructions = 1000;
  static constexpr int kMostGroups = 50;
  static constexpr int kMostRepeats = 1000;

  void wrong(std::string why) {
    if (why_.empty()) why_ = std::move(why);
    at_ = pattern_.size();
  }
  bool peek(char c) const { return at_ < pattern_.size() && pattern_[at_] == c; }
  bool accept(char c) {
    if (!peek(c)) return false;
    ++at_;
    return true;
  }
  char32_t next() {
    const std::size_t size = character_bytes(pattern_.substr(at_));
    if (size == 0) {
      wrong("invalid UTF-8 or an unexpected end");
      return kNone;
    }
    const char32_t c = decode(pattern_.substr(at_), size);
    at_ += size;
    return c;
  }
  std::size_t here() const { return regex_.program_.size(); }
  std::size_t emit(Code code, std::size_t first = 0, std::size_t second = 0) {
    if (here() >= kMostInstructions) {
      wrong(fmt::format("too long: more than {} instructions", kMostInstructions));
      return 0;
    }
    regex_.program_.push_back({code, first, second});
    return here() - 1;
  }
  void emit(Set set) {
    regex_.sets_.push_back(std::move(set));
    emit(Code::set, regex_.sets_.size() - 1);
  }
  /// Puts an instruction before what begins at `start`, whose own jumps move along.
  void insert(std::size_t start, Code code, std::size_t first, std::size_t second) {
    emit(Code::jump);
    if (!why_.empty()) return;
    auto& program = regex_.program_;
    for (std::size_t i = here() - 1; i > start; --i) {
      program[i] = program[i - 1];
      if (program[i].code == Code::split || program[i].code == Code::jump) {
        if (program[i].first >= start) ++program[i].first;
        if (program[i].second >= start) ++program[i].second;
      }
    }
    program[start] = {code, first, second};
  }

  void alternatives() {
    const std::size_t start = here();
    sequence();
    while (why_.empty() && accept('|')) {
      insert(start, Code::split, start + 1, here() + 2);
      const std::size_t jump = emit(Code::jump);
      sequence();
      if (why_.empty()) regex_.program_[jump].first = here();
    }
  }

  void sequence() {
    while (why_.empty() && at_ < pattern_.size() && !peek('|') && !peek(')')) {
      const std::size_t start = here();
      const std::size_t from = at_;
      atom();
      const std::size_t to = at_;
      repetition(start, from, to);
    }
  }

  void atom() {
    switch (const char32_t c = next(); c) {
      case kNone:
        return;
      case '.':
        return emit(Set{{{'\n', '\n'}}, true});
      case '^':
        emit(Code::text_begin);
        return;
      case '$':
        emit(Code::text_end);
        return;
      case '(':
        return group();
      case '[':
        return bracket();
      case '\\':
        return escape();
      case '*':
      case '+':
      case '?':
        return wrong("found a repetition of nothing");
      default:
        emit(Set{{{c, c}}, false});
    }
  }

  void group() {
    if (peek('?')) {
      ++at_;
      if (!accept(':')) return wrong("only (…) and (?:…) are supported");
    }
    if (++groups_ > kMostGroups) return wrong("groups are nested too deeply");
    alternatives();
    --groups_;
    if (why_.empty() && !accept(')')) wrong("found no \")\" for a \"(\"");
  }

  /// \d and its like; nullopt: something else.
  static std::optional<Set> named_set(char32_t c) {
    switch (c) {
      case 'd':
      case 'D':
        return Set{{{'0', '9'}}, c == 'D'};
      case 'w':
      case 'W':
        return Set{{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}, c == 'W'};
      case 's':
      case 'S':
        return Set{{{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}}, c == 'S'};
      default:
        return std::nullopt;
    }
  }

  /// After a backslash: the character that is meant.
  char32_t escaped(char32_t c) {
    constexpr std::string_view kLetters = "afnrtv";
    constexpr std::string_view kMeanings = "\a\f\n\r\t\v";
    const std::size_t found =
        c < 0x80 ? kLetters.find(static_cast<char>(c)) : std::string_view::npos;
    if (found != std::string_view::npos) return static_cast<char32_t>(kMeanings[found]);
    if (c >= 0x80 || is_word(c)) wrong("found an escape that is not supported");
    return c;
  }

  void escape() {
    const char32_t c = next();
    if (auto set = named_set(c)) return emit(std::move(*set));
    if (c == 'b' || c == 'B') {
      emit(c == 'b' ? Code::word_edge : Code::no_word_edge);
    } else if (c == 'A') {
      emit(Code::text_begin);
    } else if (c == 'z') {
      emit(Code::text_end);
    } else {
      const char32_t meant = escaped(c);
      emit(Set{{{meant, meant}}, false});
    }
  }

  void bracket() {
    Set set;
    set.negated = accept('^');
    for (bool first = true; why_.empty() && (first || !peek(']')); first = false) {
      if (peek('[')) return wrong("a \"[\" inside […] is not supported: write \\[");
      char32_t low = next();
      if (low == '\\') {
        const char32_t c = next();
        if (const auto named = named_set(c)) {
          if (named->negated) return wrong("\\D, \\W, \\S inside […] are not supported");
          set.ranges.insert(set.ranges.end(), named->ranges.begin(), named->ranges.end());
          continue;
        }
        low = escaped(c);
      }
      char32_t high = low;
      if (peek('-') && at_ + 1 < pattern_.size() && pattern_[at_ + 1] != ']') {
        ++at_;
        high = next();
        if (high == '\\') high = escaped(next());
        if (high < low) return wrong("found a range whose end is before its begin");
      }
      set.ranges.emplace_back(low, high);
    }
    if (!accept(']')) return wrong("found no \"]\" for a \"[\"");
    emit(std::move(set));
  }

  struct Repeat {
    int least, most;  // most: -1 is without end
  };

  std::optional<Repeat> quantifier() {
    if (accept('*')) return Repeat{0, -1};
    if (accept('+')) return Repeat{1, -1};
    if (accept('?')) return Repeat{0, 1};
    if (!peek('{')) return std::nullopt;
    const std::size_t start = at_++;
    const auto least = number();
    Repeat repeat{least.value_or(0), least.value_or(0)};
    if (accept(',')) repeat.most = number().value_or(-1);
    if (!least || !accept('}')) {  // then it is a brace like any other
      at_ = start;
      return std::nullopt;
    }
    return repeat;
  }

  std::optional<int> number() {
    int value = 0;
    const std::size_t start = at_;
    while (at_ < pattern_.size() && pattern_[at_] >= '0' && pattern_[at_] <= '9') {
      value = std::min(value * 10 + (pattern_[at_++] - '0'), kMostRepeats + 1);
    }
    return at_ == start ? std::nullopt : std::optional(value);
  }

  /// What was compiled from pattern[from, to) begins at `start`; further ones compile it anew.
  void repetition(std::size_t start, std::size_t from, std::size_t to) {
    const auto repeat = quantifier();
    if (!why_.empty() || !repeat) return;
    accept('?');  // whether it is greedy makes no difference to whether it matches
    if (peek('*') || peek('+') || peek('?')) return wrong("found a repetition of a repetition");
    if (repeat->least > kMostRepeats || repeat->most > kMostRepeats ||
        (repeat->most >= 0 && repeat->most < repeat->least)) {
      return wrong("found repetitions that cannot be");
    }
    const std::size_t after = at_;
    if (repeat->least == 0) {
      if (repeat->most == 0) {
        regex_.program_.resize(start);
        return;
      }
      optional(start, repeat->most < 0);
    }
    for (int i = 1; why_.empty() && i < std::max(repeat->least, repeat->most); ++i) {
      const std::size_t again = here();
      at_ = from;
      atom();
      if (why_.empty() && at_ != to) wrong("this repetition is not supported");
      if (i >= repeat->least) optional(again, false);
    }
    if (why_.empty() && repeat->most < 0 && repeat->least > 0) {
      // The last one once more, as often as it goes: x{2,} is xx and x*.
      const std::size_t again = here();
      at_ = from;
      atom();
      optional(again, true);
    }
    if (why_.empty()) at_ = after;
  }

  void optional(std::size_t start, bool loop) {
    if (!why_.empty()) return;
    insert(start, Code::split, start + 1, 0);
    if (loop) emit(Code::jump, start);
    if (why_.empty()) regex_.program_[start].second = here();
  }

  std::string_view pattern_;
  std::size_t at_ = 0;
  int groups_ = 0;
  Regex regex_;
  std::string why_;
};

bool Regex::Set::has(char32_t c) const {
  const bool inside = std::ranges::any_of(
      ranges, [c](const auto& range) { return c >= range.first && c <= range.second; });
  return inside != negated && c <= kLast;
}

Result<Regex> Regex::compile(std::string_view pattern) { return RegexCompiler(pattern).run(); }

/// Adds the threads that `start` leads to without a character.
void Regex::follow(std::size_t start, Around around, std::vector<std::size_t>& threads,
                   std::vector<bool>& seen) const {
  std::vector<std::size_t> open{start};
  while (!open.empty()) {
    const std::size_t at = open.back();
    open.pop_back();
    if (seen[at]) continue;
    seen[at] = true;
    const Instruction& step = program_[at];
    const bool edge = (around.before != kNone && is_word(around.before)) !=
                      (around.after != kNone && is_word(around.after));
    switch (step.code) {
      case Code::jump:
        open.push_back(step.first);
        break;
      case Code::split:
        open.push_back(step.first);
        open.push_back(step.second);
        break;
      case Code::text_begin:
        if (around.before == kNone) open.push_back(at + 1);
        break;
      case Code::text_end:
        if (around.after == kNone) open.push_back(at + 1);
        break;
      case Code::word_edge:
      case Code::no_word_edge:
        if (edge == (step.code == Code::word_edge)) open.push_back(at + 1);
        break;
      case Code::set:
      case Code::match:
        threads.push_back(at);
        break;
    }
  }
}

bool Regex::matches(std::string_view text, Effort& effort) const {
  std::vector<std::size_t> threads;
  std::vector<std::size_t> next;
  std::vector<bool> seen(program_.size(), false);
  char32_t before = kNone;
  for (;;) {
    const std::size_t size = text.empty() ? 0 : std::max<std::size_t>(character_bytes(text), 1);
    const char32_t c = size == 0 ? kNone : decode(text, size);
    // Threads that consumed a character stand before what follows it.
    std::vector<std::size_t> open;
    seen.assign(seen.size(), false);
    for (const std::size_t at : next) follow(at, {before, c}, open, seen);
    follow(0, {before, c}, open, seen);  // a match may begin anywhere
    threads.swap(open);
    next.clear();
    if (!effort.spend(static_cast<std::int64_t>(program_.size() / 4 + threads.size() + 1))) {
      return false;
    }
    for (const std::size_t at : threads) {
      if (program_[at].code == Code::match) return true;
      if (c != kNone && sets_[program_[at].first].has(c)) next.push_back(at + 1);
    }
    if (size == 0) return false;
    text.remove_prefix(size);
    before = c;
  }
}

}  // namespace headroom::formula
