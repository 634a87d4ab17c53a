#pragma once

#include <string_view>

/// Characters as Go's unicode package sorts them.
namespace headroom::formula {

/// What a name consists of: letters, decimal digits, _ and $.
bool is_letter_or_digit(char32_t c);
bool is_space(char32_t c);

/// The character at the front of `text`, which is valid and `size` bytes long there.
char32_t decode(std::string_view text, std::size_t size);

}  // namespace headroom::formula
