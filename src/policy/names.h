#pragma once

#include <string_view>

#include "base/text.h"

/// Characters, of ASCII whatever the locale, and names as Kubernetes has them. Private to the room.
namespace headroom::policy {

constexpr bool is_small_letter(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_letter(char c) { return is_small_letter(static_cast<char>(c | 0x20)); }
constexpr bool is_alphanumeric(char c) { return is_letter(c) || is_digit(c); }

/// Whether both are the same but for large and small letters.
bool same_in_any_case(std::string_view a, std::string_view b);

/// RFC 1123's label (a-z, 0-9, -) and subdomain (labels with a '.' between), of any length.
bool is_dns_label(std::string_view text);
bool is_dns_subdomain(std::string_view text);

/// A label's value, and the last part of its key: letters, digits, -, _ and ., of any length.
bool is_label_name(std::string_view text);

}  // namespace headroom::policy
