#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace headroom::policy {

/// JSON (RFC 8259) read strictly, as far as the tests need it: texts keep their escapes, numbers
/// and words are what stands there.
struct Json {
  std::string plain;  // of a text, number or word
  std::vector<std::pair<std::string, Json>> members;
  std::vector<Json> items;

  const Json* find(std::string_view name) const {
    for (const auto& [key, value] : members) {
      if (key == name) return &value;
    }
    return nullptr;
  }
};

class JsonReader {
 public:
  /// Nothing where the text is no JSON.
  static std::optional<Json> read(std::string_view text) {
    JsonReader reader{text};
    Json json;
    if (!reader.value(json)) return std::nullopt;
    reader.space();
    return reader.text_.empty() ? std::optional{json} : std::nullopt;
  }

 private:
  explicit JsonReader(std::string_view text) : text_(text) {}

  void space() { text_.remove_prefix(std::min(text_.find_first_not_of(" \t\r\n"), text_.size())); }
  bool take(char c) {
    space();
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool value(Json& to) {
    if (take('{')) return members(to);
    if (take('[')) return items(to);
    if (text_.starts_with('"')) return text(to.plain);
    const auto end = std::min(text_.find_first_of(",]} \t\r\n"), text_.size());
    to.plain = text_.substr(0, end);
    text_.remove_prefix(end);
    if (to.plain == "true" || to.plain == "false" || to.plain == "null") return true;
    return !to.plain.empty() && to.plain.find_first_not_of("0123456789.eE+-") == std::string::npos;
  }
  bool members(Json& to) {
    if (take('}')) return true;
    do {
      space();
      auto& [name, inside] = to.members.emplace_back();
      if (!text(name) || !take(':') || !value(inside)) return false;
    } while (take(','));
    return take('}');
  }
  bool items(Json& to) {
    if (take(']')) return true;
    do {
      if (!value(to.items.emplace_back())) return false;
    } while (take(','));
    return take(']');
  }
  bool text(std::string& to) {
    if (!take('"')) return false;
    while (!text_.empty() && text_[0] != '"') {
      if (static_cast<unsigned char>(text_[0]) < 0x20) return false;
      const std::size_t count = text_[0] == '\\' ? 2 : 1;
      if (text_.size() < count) return false;
      if (count == 2 && std::string_view("\"\\/bfnrtu").find(text_[1]) == std::string_view::npos)
        return false;
      to += text_.substr(0, count);
      text_.remove_prefix(count);
    }
    return take('"');
  }

  std::string_view text_;
};

}  // namespace headroom::policy
