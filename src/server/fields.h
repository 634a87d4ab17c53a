#pragma once

#include <algorithm>
#include <string>
#include <string_view>

/// What the values of header fields are made of (RFC 9110, 5.6).
namespace headroom::server {

std::string lower(std::string_view text);         // in ASCII; the rest as it is
std::string_view trimmed(std::string_view text);  // of spaces and tabs

/// "Text/HTML; charset=UTF-8" is "text/html".
std::string media_type(std::string_view text);

/// Whether any of the elements, separated by commas, is one for which `holds`.
template <class Holds>
bool any_of_list(std::string_view list, const Holds& holds) {
  while (!list.empty()) {
    const auto element = list.substr(0, list.find(','));
    list.remove_prefix(std::min(element.size() + 1, list.size()));
    if (holds(trimmed(element))) return true;
  }
  return false;
}

/// Whether a list such as that of Accept has `name` (in lower case) in it, with a weight above 0.
bool takes(std::string_view list, std::string_view name);

}  // namespace headroom::server
