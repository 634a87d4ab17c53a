#include "formula/lexer.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"
#include "formula/letters.h"

namespace headroom::formula {
namespace {

constexpr char32_t kEnd = 0xffffffff;
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
    if (at_ >= text_.size()) return kEnd;
    const std::size_t size = character_bytes(text_.substr(at_));
    if (size == 0) {
      fail("invalid UTF-8");
      return kEnd;
    }
    return decode(text_.substr(at_), size);
  }
  char32_t next() {
    const char32_t c = peek();
    if (c != kEnd) at_ += character_bytes(text_.substr(at_));
    return c;
  }
  bool accept(std::string_view set) {
    const char32_t c = peek();
    if (c >= 0x80 || set.find(static_cast<char>(c)) == std::string_view::npos) return false;
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
    if ((c == 'b' || c == 'B') && (peek() == '\'' || peek() == '"')) {
      return fail("byte strings (b\"…\") are not supported");
    }
    if (c >= '0' && c <= '9') {
      --at_;
      return number();
    }
    if (c == '.') {
      if (peek() >= '0' && peek() <= '9') return number();
      accept(".");
      return emit(TokenKind::op);
    }
    if (c == '/') return slash();
    if (c == '#') return pointer();
    if (is_letter_or_digit(c)) return name();
    sign(c);
  }

  void sign(char32_t c) {
    const auto one_of = [&](std::string_view set) {
      return c < 0x80 && set.find(static_cast<char>(c)) != std::string_view::npos;
    };
    if (one_of("([{)]}")) return emit(TokenKind::bracket);
    if (c == '?') {
      accept(".?");
    } else if (c == '|') {
      accept("|");
    } else if (c == ':') {
      accept(":");
    } else if (one_of("&!=*<>")) {
      accept("&=*");
    } else if (!one_of(",;%+-^")) {
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
    accept("#");
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

  void raw() {
    std::string value;
    for (;;) {
      const char32_t c = next();
      if (c == kEnd) return fail("this string is not closed: expected `");
      if (c != '`') {
        encode(c, value);
      } else if (!accept("`")) {  // two of them stand for one
        return emit(TokenKind::string, std::move(value));
      } else {
        value += '`';
      }
    }
  }

  void quoted(char32_t quote) {
    std::string value;
    for (char32_t c = next(); c != quote; c = next()) {
      if (c == kEnd || c == '\n') return fail("this string is not closed");
      if (c == '\\') {
        if (!escape(quote, value)) return fail("found an unknown escape in this string");
      } else if (c == '\r') {  // line ends are told as \n, and \r\n is none
        value += '\n';
      } else {
        encode(c, value);
      }
    }
    emit(TokenKind::string, std::move(value));
  }

  bool escape(char32_t quote, std::string& value) {
    constexpr std::string_view kLetters = "abfnrtv\\";
    constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\";
    const char32_t c = next();
    if (c == quote) {
      value += static_cast<char>(quote);
      return true;
    }
    if (c >= 0x80) return false;
    const std::size_t simple = kLetters.find(static_cast<char>(c));
    if (simple != std::string_view::npos) {
      value += kMeanings[simple];
      return true;
    }
    if (c >= '0' && c <= '3') {
      --at_;
      return coded(8, 3, value);
    }
    if (c == 'x') return coded(16, 2, value);
    if (c == 'U') return coded(16, 8, value);
    if (c != 'u') return false;
    if (!accept("{")) return coded(16, 4, value);
    const std::size_t close = std::min(text_.find('}', at_), text_.size());
    const std::size_t count = close - at_;
    return count >= 1 && count <= 6 && coded(16, count, value) && accept("}");
  }

  bool coded(unsigned base, std::size_t count, std::string& value) {
    char32_t code = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const char32_t c = next();
      const char32_t letter = c | 0x20;
      unsigned digit = 16;
      if (c >= '0' && c <= '9') digit = c - '0';
      if (letter >= 'a' && letter <= 'f') digit = letter - 'a' + 10;
      if (digit >= base) return false;
      code = code * base + digit;
    }
    if (code > 0x10ffff) return false;
    encode(code, value);
    return true;
  }

  std::string_view text_;
  std::vector<Token>& tokens_;
  std::size_t at_ = 0;
  std::size_t start_ = 0;
  std::optional<Trouble> trouble_;
};

}  // namespace

std::string describe(const Token& token) {
  switch (token.kind) {
    case TokenKind::end:
      return "the end";
    case TokenKind::number:
      return "the number " + token.text;
    case TokenKind::string:
      return fmt::format("the string \"{}\"", printable(token.text, 40));
    case TokenKind::name:
    case TokenKind::op:
    case TokenKind::bracket:
      break;
  }
  return fmt::format("\"{}\"", printable(token.text, 40));
}

std::optional<Trouble> lex(std::string_view text, std::vector<Token>& tokens) {
  return Lexer(text, tokens).run();
}

}  // namespace headroom::formula
