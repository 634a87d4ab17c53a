#include "policy/yaml_text.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"
#include "policy/names.h"

namespace headroom::policy {
namespace {

/// Whether YAML takes the bare words for this very text, in a list in brackets, too, and whether
/// another reader than ours (YAML 1.1 knows 0777, 1:30 and yes) does.
bool is_plain(std::string_view text) {
  static constexpr std::array<std::string_view, 9> kWordsOfYaml = {
      "null", "true", "false", "yes", "no", "on", "off", "y", "n"};
  const auto inside = [](char c) {
    return is_alphanumeric(c) || std::string_view("_-./$()+=").find(c) != std::string_view::npos;
  };
  if (text.empty() || !std::ranges::all_of(text, inside)) return false;
  const auto letter = std::ranges::find_if(text, [](char c) { return c != '-' && c != '.'; });
  if (letter == text.end()) return false;  // "---", ".."
  const bool starts_well = is_letter(*letter) || *letter == '_' || *letter == '/' || *letter == '$';
  if (!starts_well || (text[0] == '.' && is_letter(*letter))) return false;  // 1.5, -1, .inf
  if (text[0] == '-' && letter - text.begin() > 2) return false;
  const auto same = [text](std::string_view word) { return same_in_any_case(text, word); };
  return std::ranges::none_of(kWordsOfYaml, same);
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const auto bytes = std::max<std::size_t>(character_bytes(text), 1);
    const auto character = text.substr(0, bytes);
    text.remove_prefix(bytes);
    const auto byte = static_cast<unsigned char>(character[0]);
    if (character == "\"" || character == "\\") {
      out += '\\';
      out += character;
    } else if (character == "\n") {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\x{:02X}", byte);
    } else {
      out += character;
    }
  }
  return out + "\"";
}

}  // namespace

std::string yaml_text(std::string_view text) {
  return is_plain(text) ? std::string(text) : quoted(text);
}

Lines indented(const Lines& lines, std::string_view first, std::string_view rest) {
  Lines out;
  for (const auto& line : lines) out.push_back(std::string(out.empty() ? first : rest) + line);
  return out;
}

void append(Lines& lines, const Lines& more) {
  lines.insert(lines.end(), more.begin(), more.end());
}

}  // namespace headroom::policy
