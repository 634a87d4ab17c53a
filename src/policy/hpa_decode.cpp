#include "policy/hpa_decode.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "base/text.h"
#include "policy/names.h"
#include "policy/yaml_scalar.h"

namespace headroom::policy::hpa {
namespace {

constexpr std::size_t kShown = 60;  // of what was found

std::string found_in(const Node& node) {
  if (node.kind != Node::Kind::scalar) return std::string(words_of(node.kind));
  return fmt::format("{}\"{}\"", node.quoted ? "the text " : "", printable(node.text, kShown));
}

}  // namespace

void Decoder::wrong(const std::string& path, const Node& node, std::string_view expected) {
  problems_.add(node.place,
                fmt::format("{}: found {}, expected {}", path, found_in(node), expected));
}

void Decoder::value(const std::string& path, const Node& node, std::string& to) {
  if (node.kind != Node::Kind::scalar) return wrong(path, node, "text");
  if (scalar_of(node) != Scalar::text) {
    return wrong(path, node, fmt::format("text, in quotes: \"{}\"", printable(node.text, kShown)));
  }
  to = node.text;
}

void Decoder::value(const std::string& path, const Node& node, std::int32_t& to) {
  using Limits = std::numeric_limits<std::int32_t>;
  const auto number = whole_of(node);
  if (!number || *number < Limits::min() || *number > Limits::max()) {
    return wrong(path, node, "a whole number of 32 bits");
  }
  to = static_cast<std::int32_t>(*number);
}

void Decoder::value(const std::string& path, const Node& node, Quantity& to) {
  const auto quantity = parse_quantity(node.text);  // none of what is no scalar
  if (!quantity) return wrong(path, node, "a quantity such as 250m, 2, 1.5 or 512Mi");
  to = *quantity;
}

void Decoder::value(const std::string& path, const Node& node,
                    std::map<std::string, std::string>& to) {
  if (node.kind != Node::Kind::map) return wrong(path, node, "texts as name: text");
  for (std::size_t i = 0; i + 1 < node.items.size(); i += 2) {
    const Node& name = *node.items[i];
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
    if (same(node_.items[i]->text, name)) found = node_.items[i + 1];
  }
  return found != nullptr && found->kind != Node::Kind::null ? found : nullptr;
}

void Decoder::Fields::finish() {
  for (std::size_t i = 0; i + 1 < node_.items.size() && !decoder_.warnings_.full(); i += 2) {
    const Node& name = *node_.items[i];
    if (name.kind != Node::Kind::scalar) continue;  // said where the text was parsed
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
  return decoder_.any_case_ ? same_in_any_case(a, b) : a == b;
}

}  // namespace headroom::policy::hpa
