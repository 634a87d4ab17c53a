#include "formula/lexer.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"
#include "formula/formula.h"
#include "formula/letters.h"

namespace headroom::formula {
namespace {

constexpr char32_t kEnd = 0xffffffff;
constexpr std::string_view kDigits = "0123456789";
constexpr std::array<std::string_view, 11> kWordOperators = {
    "and", "contains", "else", "endsWith", "if", "in", "let", "matches", "not", "or", "startsWith"};

class Lexer {
 public:
  Lexer(std::string_view text, std::vector<Token>& tokens) : text_(text), tokens_(tokens) {}

  std::optional<Trouble> run() {
    while (!trouble_ && at_ < text_.size()) {
      start_ = at_;
      const char32_t c = next();
      if (!is_space(c)) token(c);
    }
    tokens_.push_back({TokenKind::end, {}, text_.size()});
    return trouble_;
  }

 private:
  char32_t peek() {
    const std::string_view rest = text_.substr(at_);
    if (rest.empty()) return kEnd;
    const std::size_t size = character_bytes(rest);
    if (size > 0) return decode(rest, size);
    fail("invalid UTF-8");
    return kEnd;
  }
  char32_t next() {
    const char32_t c = peek();
    at_ += character_bytes(text_.substr(at_));  // 0 at the end
    return c;
  }
  static bool is_one_of(char32_t c, std::string_view set) {
    return c < 0x80 && set.find(static_cast<char>(c)) != std::string_view::npos;
  }
  bool accept(std::string_view set) {
    if (!is_one_of(peek(), set)) return false;
    ++at_;
    return true;
  }
  void accept_run(std::string_view set) {
    while (accept(set)) {
    }
  }
  void fail(std::string what) {
    if (!trouble_) trouble_ = Trouble{start_, std::move(what)};
    at_ = text_.size();
  }
  std::string_view word() const { return text_.substr(start_, at_ - start_); }
  void emit(TokenKind kind) { emit(kind, std::string(word())); }
  void emit(TokenKind kind, std::string text) {
    if (!trouble_) tokens_.push_back({kind, std::move(text), start_});
  }

  void token(char32_t c) {
    if (c == '\'' || c == '"') return quoted(c);
    if (c == '`') return raw();
    if (is_one_of(c, kDigits) || (c == '.' && is_one_of(peek(), kDigits))) {
      --at_;
      return number();
    }
    if (c == '/') return slash();
    if (c == '#') return pointer();
    if (is_letter_or_digit(c)) return name();
    sign(c);
  }

  void sign(char32_t c) {
    if (is_one_of(c, "([{)]}")) return emit(TokenKind::bracket);
    if (c == '?') {
      accept(".?");
    } else if (is_one_of(c, ".|:")) {
      accept(text_.substr(start_, 1));
    } else if (is_one_of(c, "&!=*<>")) {
      accept("&=*");
    } else if (!is_one_of(c, ",;%+-^")) {
      return fail(fmt::format("found \"{}\", which nothing begins with", printable(word(), 20)));
    }
    emit(TokenKind::op);
  }

  void name() {
    while (is_letter_or_digit(peek())) next();
    emit(std::ranges::find(kWordOperators, word()) == kWordOperators.end() ? TokenKind::name
                                                                           : TokenKind::op);
  }

  /// `#`, and a name that follows at once: `#acc`.
  void pointer() {
    emit(TokenKind::op);
    start_ = at_;
    while (is_letter_or_digit(peek())) next();
    if (!word().empty()) emit(TokenKind::name);
  }

  void slash() {
    if (accept("/")) {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else if (accept("*")) {
      const std::size_t end = text_.find("*/", at_);
      if (end == std::string_view::npos) return fail("this comment is not closed: expected */");
      at_ = end + 2;
    } else {
      emit(TokenKind::op);
    }
  }

  void number() {
    std::string_view digits = "0123456789_";
    if (accept("0")) {
      if (accept("xX")) {
        digits = "0123456789abcdefABCDEF_";
      } else if (accept("oO")) {
        digits = "01234567_";
      } else if (accept("bB")) {
        digits = "01_";
      }
    }
    accept_run(digits);
    const std::size_t end = at_;
    if (accept(".")) {
      if (peek() == '.') {  // 1..5 is a range
        at_ = end;
        return emit(TokenKind::number);
      }
      accept_run(digits);
    }
    if (accept("eE")) {
      accept("+-");
      accept_run(digits);
    }
    if (is_letter_or_digit(peek())) {
      next();
      return fail(fmt::format("found \"{}\", which is no number", printable(word(), 40)));
    }
    emit(TokenKind::number);
  }

  void string(std::string value) {
    if (value.size() > kMaxString) {
      return fail(
          fmt::format("found a string of {} bytes, expected at most {}", value.size(), kMaxString));
    }
    emit(TokenKind::string, std::move(value));
  }

  /// Between backquotes there are no escapes.
  void raw() {
    const std::size_t end = text_.find('`', at_);
    if (end == std::string_view::npos) return fail("this string is not closed: expected `");
    std::string value(text_.substr(at_, end - at_));
    while (at_ < end) next();  // fails for what is no UTF-8
    accept("`");
    string(std::move(value));
  }

  void quoted(char32_t quote) {
    std::string value;
    for (;;) {
      const std::size_t at = at_;
      char32_t c = next();
      if (c == quote) return string(std::move(value));
      if (c == kEnd || c == '\n') return fail("this string is not closed");
      if (c != '\\') {
        value += text_.substr(at, at_ - at);
      } else if (accept(quote == '"' ? "nrt\\\"" : "nrt\\'")) {
        const char escaped = text_[at_ - 1];
        const std::size_t control = std::string_view("nrt").find(escaped);
        value += control == std::string_view::npos ? escaped : "\n\r\t"[control];
      } else {
        return fail("found an escape that is not supported here");
      }
    }
  }

  std::string_view text_;
  std::vector<Token>& tokens_;
  std::size_t at_ = 0;
  std::size_t start_ = 0;
  std::optional<Trouble> trouble_;
};

}  // namespace

std::string describe(const Token& token) {
  if (token.kind == TokenKind::end) return "the end";
  const std::string_view kind = token.kind == TokenKind::string ? "the string " : "";
  return fmt::format("{}\"{}\"", kind, printable(token.text, 40));
}

std::optional<Trouble> lex(std::string_view text, std::vector<Token>& tokens) {
  return Lexer(text, tokens).run();
}

}  // namespace headroom::formula
