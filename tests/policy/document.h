#pragma once

#include <map>
#include <string>

#include "policy/read.h"

namespace headroom::policy {

/// A document that is right, with `more` as further lines of its spec.
inline std::string document(const std::string& more = "",
                            const std::string& gateway = "gateway: {}") {
  return "apiVersion: headroom.dev/v1alpha1\nkind: Autoscaler\nmetadata: {name: shop}\nspec:\n"
         "  target: {process: {command: [./shop]}}\n  " +
         gateway + "\n  maxReplicas: 8\n" + more;
}

/// The environment of the tests.
inline std::optional<std::string> environment(std::string_view name) {
  static const std::map<std::string, std::string, std::less<>> kVariables = {
      {"MIN", "3"},
      {"NAME", "web"},
      {"WORD", "hello"},
      {"EMPTY", ""},
      {"SELF", "$(SELF)"},
      {"PORT", "1"},
      {"LONG", std::string(100'000, 'x')},
      {"FLAG", "true"},
      {"KIND", "Autoscaler"},
      {"LIST", "[a, b]"}};
  const auto known = kVariables.find(name);
  return known == kVariables.end() ? std::nullopt : std::optional{known->second};
}

inline Result<std::vector<Autoscaler>> read(const std::string& text) {
  return read_documents(text, "a.yaml", environment);
}

/// What is wrong with a text, as people see it; "" where nothing is.
inline std::string wrong_with(const std::string& text) {
  const auto read_text = read(text);
  return read_text ? "" : to_string(read_text.error());
}

}  // namespace headroom::policy
