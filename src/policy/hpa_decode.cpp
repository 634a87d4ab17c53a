#include "policy/hpa_decode.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include <fmt/format.h>

#include "base/text.h"

namespace headroom::policy::hpa {
namespace {

constexpr std::size_t kShown = 60;  // of what was found

std::string found_in(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::scalar:
      return fmt::format("{}\"{}\"", node.quoted ? "the text " : "", printable(node.text, kShown));
    case Node::Kind::sequence:
      return "a list";
    case Node::Kind::map:
      return "a map";
  }
  return "nothing";
}

bool equal_in_any_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

bool is_number(std::string_view text) {
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  if (equal_in_any_case(text, ".inf") || equal_in_any_case(text, ".nan")) return true;
  if (text.starts_with("0x") || text.starts_with("0o") || text.starts_with("0b")) {
    return text.size() > 2 &&
           text.substr(2).find_first_not_of("0123456789abcdefABCDEF_") == std::string_view::npos;
  }
  const bool digit_first = !text.empty() && (text[0] >= '0' && text[0] <= '9');
  if (!digit_first && !text.starts_with('.')) return false;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error != std::errc::invalid_argument && end == text.data() + text.size();
}

/// Whether bare words are no text to kubectl's YAML (1.1), and so none to the API server.
bool is_other_than_text(std::string_view bare) {
  static constexpr std::string_view kWords[] = {"true", "false", "yes", "no",   "on",
                                                "off",  "y",     "n",   "null", "~"};
  const auto same = [bare](std::string_view word) { return equal_in_any_case(bare, word); };
  return std::ranges::any_of(kWords, same) || is_number(bare);
}

}  // namespace

void Decoder::wrong(const std::string& path, const Node& node, std::string_view expected) {
  problems_.add(node.place,
                fmt::format("{}: found {}, expected {}", path, found_in(node), expected));
}

void Decoder::value(const std::string& path, const Node& node, std::string& to) {
  if (node.kind != Node::Kind::scalar) return wrong(path, node, "text");
  if (!node.quoted && is_other_than_text(node.text)) {
    return wrong(path, node, fmt::format("text, in quotes: \"{}\"", printable(node.text, kShown)));
  }
  to = node.text;
}

void Decoder::value(const std::string& path, const Node& node, std::int32_t& to) {
  constexpr std::string_view kExpected = "a whole number of 32 bits";
  if (node.kind != Node::Kind::scalar || node.quoted) return wrong(path, node, kExpected);
  std::string_view text = node.text;
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || text.starts_with('+')) {
    return wrong(path, node, kExpected);
  }
  to = number;
}

void Decoder::value(const std::string& path, const Node& node, Quantity& to) {
  const auto quantity =
      node.kind == Node::Kind::scalar ? parse_quantity(node.text) : Result<Quantity>(fail(Error{}));
  if (!quantity) return wrong(path, node, "a quantity such as 250m, 2, 1.5 or 512Mi");
  to = *quantity;
}

void Decoder::value(const std::string& path, const Node& node,
                    std::map<std::string, std::string>& to) {
  if (node.kind != Node::Kind::map) return wrong(path, node, "texts as name: text");
  for (std::size_t i = 0; i + 1 < node.items.size() && !problems_.full(); i += 2) {
    const Node& name = *node.items[i];
    if (name.kind != Node::Kind::scalar) continue;  // said where the text was parsed
    std::string& text = to[name.text];
    const Node& inside = *node.items[i + 1];
    if (inside.kind == Node::Kind::null) continue;
    value(fmt::format("{}[{}]", path, printable(name.text, kShown)), inside, text);
  }
}

const Node* Decoder::Fields::take(std::string_view name) {
  names_.push_back(name);
  const Node* found = nullptr;
  for (std::size_t i = 0; i + 1 < node_.items.size(); i += 2) {
    if (node_.items[i]->kind == Node::Kind::scalar && same(node_.items[i]->text, name)) {
      found = node_.items[i + 1];
    }
  }
  return found != nullptr && found->kind != Node::Kind::null ? found : nullptr;
}

void Decoder::Fields::finish() {
  for (std::size_t i = 0; i + 1 < node_.items.size() && !decoder_.warnings_.full(); i += 2) {
    const Node& name = *node_.items[i];
    if (name.kind != Node::Kind::scalar) continue;
    const auto known = [&](std::string_view one) { return same(name.text, one); };
    if (std::ranges::any_of(names_, known)) continue;
    const auto near = nearest(name.text, names_);
    decoder_.warnings_.add(
        name.place, fmt::format("unknown field \"{}\" is dropped, as the API server does{}",
                                inner(printable(name.text, kShown)),
                                near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near)));
  }
}

std::string Decoder::Fields::inner(std::string_view name) const {
  return path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name);
}

bool Decoder::Fields::same(std::string_view a, std::string_view b) const {
  return decoder_.any_case_ ? equal_in_any_case(a, b) : a == b;
}

}  // namespace headroom::policy::hpa
