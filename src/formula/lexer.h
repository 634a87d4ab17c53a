#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace headroom::formula {

/// What is wrong, and where: a byte of the text.
struct Trouble {
  std::size_t at = 0;
  std::string what;
};

enum class TokenKind { end, name, number, string, op, bracket };

struct Token {
  TokenKind kind = TokenKind::end;
  std::string text;  // a string's is what it means, without quotes and escapes
  std::size_t at = 0;

  bool is_op(std::string_view op) const { return kind == TokenKind::op && text == op; }
  bool is_bracket(char c) const { return kind == TokenKind::bracket && text[0] == c; }
};

/// How a message calls it: `"+"`, `the number 5`, `the end`.
std::string describe(const Token& token);

/// Cuts `text` into tokens, the last of which is the end. Comments are left out.
std::optional<Trouble> lex(std::string_view text, std::vector<Token>& tokens);

}  // namespace headroom::formula
