#include "server/fields.h"

namespace headroom::server {
namespace {

/// "q=0", "q=0.0" and "q=0.000" do, "q=0.5" does not.
bool weighs_nothing(std::string_view element) {
  for (auto at = element.find(';'); at != std::string_view::npos; at = element.find(';', at + 1)) {
    const auto next = element.substr(at + 1);
    const auto parameter = lower(trimmed(next.substr(0, next.find(';'))));
    if (parameter.starts_with("q=0") && parameter.find_first_of("123456789") == std::string::npos) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::string lower(std::string_view text) {
  std::string lowered(text);
  for (char& c : lowered) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lowered;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

std::string media_type(std::string_view text) {
  return lower(trimmed(text.substr(0, text.find(';'))));
}

bool takes(std::string_view list, std::string_view name) {
  return any_of_list(list, [name](std::string_view element) {
    return media_type(element) == name && !weighs_nothing(element);
  });
}

}  // namespace headroom::server
