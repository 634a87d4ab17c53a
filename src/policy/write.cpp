#include <algorithm>
#include <array>
#include <type_traits>

#include <fmt/format.h>

#include "base/text.h"
#include "policy/describe.h"
#include "policy/fields.h"
#include "policy/read.h"
#include "policy/reader.h"
#include "policy/substitution.h"

namespace headroom::policy {
namespace {

using Lines = std::vector<std::string>;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Whether YAML takes the bare words for this very text, in a list in brackets, too, and whether
/// another reader than ours (YAML 1.1 knows 0777, 1:30 and yes) does.
bool is_plain(std::string_view text) {
  static constexpr std::array<std::string_view, 9> kWordsOfYaml = {
      "null", "true", "false", "yes", "no", "on", "off", "y", "n"};
  const auto inside = [](char c) {
    return is_letter(c) || is_digit(c) ||
           std::string_view("_-./$()+=").find(c) != std::string_view::npos;
  };
  if (text.empty() || !std::ranges::all_of(text, inside)) return false;
  const auto letter = std::ranges::find_if(text, [](char c) { return c != '-' && c != '.'; });
  if (letter == text.end()) return false;  // "---", ".."
  const bool starts_well = is_letter(*letter) || *letter == '_' || *letter == '/' || *letter == '$';
  if (!starts_well || (text[0] == '.' && is_letter(*letter))) return false;  // 1.5, -1, .inf
  if (text[0] == '-' && letter - text.begin() > 2) return false;
  const auto same = [text](std::string_view word) {
    return std::ranges::equal(text, word, [](char a, char b) { return (a | 0x20) == b; });
  };
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

std::string scalar(std::string_view text) {
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

/// Writes the fields of T that differ from its default.
template <class T>
class Writer {
 public:
  Writer(const T& from, bool for_replica) : from_(from), for_replica_(for_replica) {}

  template <class M, class Kind>
  void field(std::string_view name, M T::*member, const Kind& kind, const About& about) {
    static const T kDefault{};
    if (about.required || from_.*member != kDefault.*member) put(name, from_.*member, kind);
  }
  template <class Inner>
  void level(std::string_view name, const About&, const Inner& inner) {
    Writer deeper(from_, for_replica_);
    inner(deeper);
    put_level(name, deeper.lines_);
  }
  void fixed(std::string_view name, std::string_view only, const About& about,
             std::initializer_list<std::string_view>) {
    if (about.required) lines_.push_back(fmt::format("{}: {}", name, only));
  }
  void later(std::string_view) {}

  Lines lines() && { return std::move(lines_); }

 private:
  std::string text(std::string_view value) const { return scalar(escaped(value, for_replica_)); }

  void put_level(std::string_view name, const Lines& inside) {
    lines_.push_back(fmt::format("{}:{}", name, inside.empty() ? " {}" : ""));
    append(lines_, indented(inside, "  ", "  "));
  }

  template <class M>
  Lines written(const M& value) const {
    Writer<M> writer(value, for_replica_ || std::is_same_v<M, Process>);
    Fields<M>::visit(writer);
    return std::move(writer).lines();
  }

  template <class M, class Kind>
  void put(std::string_view name, const std::optional<M>& value, const Kind& kind) {
    if (value) put(name, *value, kind);
  }

  template <class M, class Kind>
  void put(std::string_view name, const M& value, const Kind& kind) {
    if constexpr (std::is_same_v<Kind, Level>) {
      put_level(name, written(value));
    } else if constexpr (std::is_same_v<Kind, Levels>) {
      lines_.push_back(fmt::format("{}:{}", name, value.empty() ? " []" : ""));
      for (const auto& item : value) append(lines_, indented(written(item), "  - ", "    "));
    } else if constexpr (std::is_same_v<Kind, Texts>) {
      put_list(name, value);
    } else if constexpr (std::is_same_v<Kind, Variables>) {
      Lines inside;
      for (const auto& [variable, what] : value) {
        inside.push_back(fmt::format("{}: {}", scalar(variable), text(what)));
      }
      put_level(name, inside);
    } else if constexpr (std::is_same_v<Kind, Text>) {
      lines_.push_back(fmt::format("{}: {}", name, text(value)));
    } else {
      lines_.push_back(fmt::format("{}: {}", name, spelled(value, kind)));
    }
  }

  void put_list(std::string_view name, const std::vector<std::string>& values) {
    constexpr std::size_t kWidth = 80;
    std::string line;
    for (const auto& value : values) line += (line.empty() ? "" : ", ") + text(value);
    if (name.size() + line.size() < kWidth) {
      lines_.push_back(fmt::format("{}: [{}]", name, line));
      return;
    }
    lines_.push_back(fmt::format("{}:", name));
    for (const auto& value : values) lines_.push_back("  - " + text(value));
  }

  const T& from_;
  bool for_replica_;
  Lines lines_;
};

}  // namespace

std::string write_document(const Autoscaler& autoscaler) {
  Autoscaler said = autoscaler;
  // What the reader would fill in need not be said.
  if (said.gateway && said.metrics.empty() && said.concurrency == Concurrency{}) {
    said.concurrency.reset();
  }
  if (!said.gateway && !said.concurrency && said.metrics == std::vector{kDefaultMetric}) {
    said.metrics.clear();
  }
  Writer<Autoscaler> writer(said, false);
  Fields<Autoscaler>::visit(writer);
  return fmt::format("{}\n", fmt::join(std::move(writer).lines(), "\n"));
}

}  // namespace headroom::policy
