#include "policy/names.h"

#include <algorithm>

namespace headroom::policy {
namespace {

/// Characters of `ends` and, but at both ends, of `inside`.
bool fits(std::string_view text, bool (*ends)(char), std::string_view inside) {
  const auto may_be_inside = [=](char c) { return ends(c) || inside.find(c) != inside.npos; };
  return !text.empty() && std::ranges::all_of(text, may_be_inside) && ends(text.front()) &&
         ends(text.back());
}

}  // namespace

bool same_in_any_case(std::string_view a, std::string_view b) {
  const auto small = [](char c) { return is_letter(c) ? static_cast<char>(c | 0x20) : c; };
  return std::ranges::equal(a, b, {}, small, small);
}

bool is_dns_label(std::string_view text) {
  return fits(
      text, [](char c) { return is_small_letter(c) || is_digit(c); }, "-");
}

bool is_dns_subdomain(std::string_view text) {
  while (true) {
    const auto dot = text.find('.');
    if (!is_dns_label(text.substr(0, dot))) return false;
    if (dot == text.npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_label_name(std::string_view text) { return fits(text, is_alphanumeric, "-_."); }

}  // namespace headroom::policy
