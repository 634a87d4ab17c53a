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

/// What "text/plain; Version=0.0.4" says of "version" (in lower case): "0.0.4", in lower case and
/// without quotes; empty where it says nothing.
std::string parameter(std::string_view element, std::string_view name);

/// What "text/plain; q=0.5" weighs, from 0 to 1; 1 where it does not say, or what is no number.
double weight(std::string_view element);

/// Calls `visit` with each of the elements, which are separated by commas.
template <class Visit>
void for_each_of_list(std::string_view list, const Visit& visit) {
  while (!list.empty()) {
    const auto element = list.substr(0, list.find(','));
    list.remove_prefix(std::min(element.size() + 1, list.size()));
    visit(trimmed(element));
  }
}

/// Whether any of them is one for which `holds`.
template <class Holds>
bool any_of_list(std::string_view list, const Holds& holds) {
  bool any = false;
  for_each_of_list(list, [&](std::string_view element) { any = any || holds(element); });
  return any;
}

/// Whether a list such as that of Accept has `name` (in lower case) in it, with a weight above 0.
bool takes(std::string_view list, std::string_view name);

}  // namespace headroom::server
