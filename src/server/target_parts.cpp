#include "server/target_parts.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/text.h"
#include "server/fields.h"

namespace headroom::server {
namespace {

std::optional<unsigned> hex(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

/// nullopt: a % without two hex digits, or a control character.
std::optional<std::string> decode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const auto high = hex(text[i + 1]), low = hex(text[i + 2]);
      if (!high || !low) return std::nullopt;
      c = static_cast<char>(*high * 16 + *low);
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) return std::nullopt;
    decoded += c;
  }
  return decoded;
}

Error wrong(std::string_view text) {
  return {Code::invalid, fmt::format("the target \"{}\" is none", printable(text)), {}};
}

}  // namespace

std::optional<AbsoluteTarget> read_absolute(std::string_view text) {
  const auto scheme = lower(text.substr(0, text.find(':')));
  if (scheme != "http" && scheme != "https") return std::nullopt;
  text.remove_prefix(scheme.size());
  if (!text.starts_with("://")) return std::nullopt;
  text.remove_prefix(3);
  const auto end = std::min(text.find_first_of("/?"), text.size());
  const auto rest = text.substr(end);
  return AbsoluteTarget{std::string(text.substr(0, end)),
                        fmt::format("{}{}", rest.starts_with('/') ? "" : "/", rest)};
}

Result<Target> read_target(std::string_view text) {
  if (!text.starts_with('/')) return fail(wrong(text));
  const auto mark = std::min(text.find('?'), text.size());
  Target target;
  for (std::string_view path = text.substr(1, mark - 1);;) {
    const auto slash = std::min(path.find('/'), path.size());
    auto part = decode(path.substr(0, slash), false);
    if (!part) return fail(wrong(text));
    target.path.push_back(std::move(*part));
    if (slash == path.size()) break;
    path.remove_prefix(slash + 1);
  }
  auto query = text.substr(std::min(mark + 1, text.size()));
  while (!query.empty()) {
    const auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.empty()) continue;
    const auto equals = std::min(pair.find('='), pair.size());
    auto name = decode(pair.substr(0, equals), true);
    auto value = decode(pair.substr(std::min(equals + 1, pair.size())), true);
    if (!name || !value) return fail(wrong(text));
    const auto [at, fresh] = target.query.emplace(std::move(*name), std::move(*value));
    if (!fresh) {
      return fail({Code::invalid, fmt::format("{}: given twice", printable(at->first)), {}});
    }
  }
  return target;
}

Result<std::int64_t> read_whole(const WholeNumber& expected, std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value >= expected.least &&
      value <= expected.most) {
    return value;
  }
  return fail({Code::invalid,
               fmt::format("{}: found \"{}\", expected a whole number from {} to {}", expected.name,
                           printable(text), expected.least, expected.most),
               {}});
}

}  // namespace headroom::server
