#include "otlp/json.h"

#include <iterator>

#include <fmt/format.h>

#include "base/text.h"

namespace headroom::otlp {

void Json::separate() {
  if (follows_) text_ += ',';
  follows_ = true;
}

Json& Json::begin(char bracket) {
  separate();
  text_ += bracket;
  follows_ = false;
  return *this;
}

Json& Json::end(char bracket) {
  text_ += bracket;
  follows_ = true;
  return *this;
}

Json& Json::key(std::string_view name) {
  text(name);
  text_ += ':';
  follows_ = false;
  return *this;
}

Json& Json::text(std::string_view value) {
  separate();
  text_ += '"';
  while (!value.empty()) {
    const auto byte = static_cast<unsigned char>(value.front());
    if (byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\') [[likely]] {
      text_ += value.front();
      value.remove_prefix(1);
      continue;
    }
    if (byte < 0x80) {
      fmt::format_to(std::back_inserter(text_), "\\u{:04x}", byte);
      value.remove_prefix(1);
      continue;
    }
    const auto size = character_bytes(value);
    text_ += size == 0 ? std::string_view("\xef\xbf\xbd") : value.substr(0, size);
    value.remove_prefix(size == 0 ? 1 : size);
  }
  text_ += '"';
  return *this;
}

Json& Json::whole(std::int64_t value) {
  separate();
  fmt::format_to(std::back_inserter(text_), "{}", value);
  return *this;
}

Json& Json::quoted(std::uint64_t value) {
  separate();
  fmt::format_to(std::back_inserter(text_), "\"{}\"", value);
  return *this;
}

Json& Json::real(double value) {
  separate();
  fmt::format_to(std::back_inserter(text_), "{}", value);
  return *this;
}

Json& Json::raw(std::string_view json) {
  separate();
  text_ += json;
  return *this;
}

}  // namespace headroom::otlp
