#pragma once

#include <span>
#include <string>
#include <string_view>

namespace headroom {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The candidate with the least edit distance to `word` (case ignored), or "" where
/// none is near enough to be a likely slip (more than a third of the letters differ).
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

/// The length of the valid UTF-8 character at the front of `text`; 0 where there is none.
std::size_t character_bytes(std::string_view text);

/// Whether a terminal would do something else with the character than show it.
bool is_control(std::string_view character);

/// `text` with control characters and invalid UTF-8 written as \xNN, cut to `limit` bytes
/// (with "…" where cut): what came from outside, fit for a log line or a terminal.
std::string printable(std::string_view text, std::size_t limit = 200);

/// At most three digits after the point, fewer for larger numbers: 14.2, 0.125, 1234.
std::string number(double value);

}  // namespace headroom
