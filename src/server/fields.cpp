#include "server/fields.h"

#include <charconv>

namespace headroom::server {

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

std::string parameter(std::string_view element, std::string_view name) {
  for (auto at = element.find(';'); at != std::string_view::npos; at = element.find(';', at + 1)) {
    const auto next = element.substr(at + 1);
    const auto said = lower(trimmed(next.substr(0, next.find(';'))));
    if (!said.starts_with(name) || said.substr(name.size(), 1) != "=") continue;
    auto value = std::string_view(said).substr(name.size() + 1);
    if (value.size() > 1 && value.starts_with('"') && value.ends_with('"')) {
      value = value.substr(1, value.size() - 2);
    }
    return std::string(value);
  }
  return "";
}

double weight(std::string_view element) {
  const auto said = parameter(element, "q");
  if (said.find_first_not_of("0123456789.") != std::string::npos) return 1;
  double value = 1;
  std::from_chars(said.data(), said.data() + said.size(), value);
  return std::min(value, 1.0);
}

bool takes(std::string_view list, std::string_view name) {
  return any_of_list(list, [name](std::string_view element) {
    return media_type(element) == name && weight(element) > 0;
  });
}

}  // namespace headroom::server
