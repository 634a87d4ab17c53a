#pragma once

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"

/// A head read as plainly as can be, to hold what our reader wrote against.
namespace headroom::gateway::http1 {

struct PlainHead {
  std::string start;                                        // the first line
  std::vector<std::pair<std::string, std::string>> fields;  // names in lower case

  std::size_t count(std::string_view name) const {
    return static_cast<std::size_t>(std::count_if(
        fields.begin(), fields.end(), [name](const auto& field) { return field.first == name; }));
  }
  std::string value(std::string_view name) const {
    for (const auto& [known, value] : fields) {
      if (known == name) return value;
    }
    return "";
  }
};

inline bool is_plain_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return c < 0x80 &&
           (std::isalnum(c) || std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) !=
                                   std::string_view::npos);
  });
}

/// Stops where `head` is not as ours are written: CRLF alone, tokens, one space, nothing to trim.
inline PlainHead read_plainly(std::string_view head) {
  PlainHead plain;
  bool first = true;
  for (;;) {
    const std::size_t end = head.find("\r\n");
    check(end != std::string_view::npos, "every line ends with CRLF");
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(end + 2);
    for (const unsigned char c : line) check((c >= 0x20 && c != 0x7f) || c == '\t', "no control");
    if (line.empty()) break;
    if (first) {
      plain.start = line;
      first = false;
      continue;
    }
    const std::size_t colon = line.find(':');
    check(colon != std::string_view::npos, "every field has a colon");
    std::string name(line.substr(0, colon));
    check(is_plain_token(name), "every name is a token");
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    std::string_view value = line.substr(colon + 1);
    if (!value.empty()) {
      check(value.size() > 1 && value[0] == ' ', "one space after the colon");
      value.remove_prefix(1);
      const auto space = [](char c) { return c == ' ' || c == '\t'; };
      check(!space(value.front()) && !space(value.back()), "values are trimmed");
    }
    plain.fields.emplace_back(std::move(name), value);
  }
  check(head.empty() && !first, "the empty line is the last");
  return plain;
}

}  // namespace headroom::gateway::http1
