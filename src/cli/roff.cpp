#include <algorithm>
#include <cctype>
#include <string_view>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/manual.h"

namespace headroom::cli {
namespace {

constexpr std::size_t kLongestLine = 78;  // beyond 80 bytes mandoc(1) complains

std::uint32_t code_point(std::string_view character) {
  auto code = static_cast<std::uint32_t>(static_cast<unsigned char>(character.front()));
  if (character.size() == 1) return code;
  code &= 0x7FU >> character.size();
  for (const char c : character.substr(1)) {
    code = code << 6 | (static_cast<unsigned char>(c) & 0x3FU);
  }
  return code;
}

/// A character that roff would take for markup, or set as another one.
std::string_view escape(char c) {
  switch (c) {
    case '\\':
      return "\\e";
    case '-':
      return "\\-";
    case '\'':
      return "\\(aq";
    case '"':
      return "\\(dq";
    case '^':
      return "\\(ha";
    case '~':
      return "\\(ti";
    default:
      return {};
  }
}

/// `text` as it is.
std::string literal(std::string_view text) {
  std::string out = text.starts_with('.') ? "\\&" : "";
  while (!text.empty()) {
    const auto bytes = std::max<std::size_t>(character_bytes(text), 1);
    const auto escaped = escape(text.front());
    if (bytes > 1) {
      out += fmt::format("\\[u{:04X}]", code_point(text.substr(0, bytes)));
    } else if (text.front() == '`') {
      out += "\\(ga";
    } else if (!escaped.empty()) {
      out += escaped;
    } else {
      out += text.front();
    }
    text.remove_prefix(bytes);
  }
  return out;
}

/// Bold where the text is in backticks, else in `font`.
std::string in_fonts(std::string_view text, char font) {
  std::string out;
  for (bool bold = false; !text.empty(); bold = !bold) {
    const auto end = std::min(text.find('`'), text.size());
    if (end > 0) {
      const auto plain = !bold && font == 'R';
      const auto part = literal(text.substr(0, end));
      out += plain ? part : fmt::format("\\f{}{}\\fR", bold ? 'B' : font, part);
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

/// Filled text, in lines that are not too long.
std::string filled(const std::string& text) {
  const auto set = in_fonts(text, 'R');
  std::string out, line;
  const auto put = [&] {
    if (!line.empty()) out += (line.starts_with('.') ? "\\&" : "") + line + "\n";
    line.clear();
  };
  for (std::size_t at = 0; at < set.size();) {
    const auto end = std::min(set.find(' ', at), set.size());
    if (line.size() + 1 + (end - at) > kLongestLine) put();
    if (end > at) line += (line.empty() ? "" : " ") + set.substr(at, end - at);
    at = end + 1;
  }
  put();
  return out;
}

std::string upper(std::string text) {
  for (auto& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

/// "Says why." as whatis(1) likes it: "says why".
std::string brief(std::string text) {
  if (text.ends_with('.')) text.pop_back();
  if (!text.empty()) {
    text.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(text.front())));
  }
  return text;
}

std::string roff(const Block& block) {
  std::string out = filled(block.paragraph);
  if (!block.literal.empty()) {
    out += ".EX\n";
    for (const auto& line : block.literal) out += literal(line) + "\n";
    out += ".EE\n";
  }
  for (const auto& [term, text] : block.items) {
    out += fmt::format(".TP\n{}\n{}", in_fonts(term, 'I'), filled(text));
  }
  return out;
}

}  // namespace

std::string roff(const Page& page, const std::string& date) {
  std::string out = fmt::format(".TH {} 1 {} \"headroom {}\" \"User Commands\"\n",
                                upper(literal(page.name)), date, HEADROOM_VERSION);
  out += ".SH NAME\n" + filled(fmt::format("{} - {}", page.name, brief(page.about)));
  for (const auto& section : page.sections) {
    const auto title = literal(section.title);
    out += section.part ? fmt::format(".SS {}\n", title) : fmt::format(".SH {}\n", upper(title));
    const char* between = "";
    for (const auto& block : section.blocks) {
      out += between + roff(block);
      between = ".PP\n";
    }
  }
  return out;
}

}  // namespace headroom::cli
