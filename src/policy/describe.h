#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "policy/fields.h"

/// How kinds of values are said in words, and their values in the document.
namespace headroom::policy {

/// The type of a member; of what an optional one holds.
template <class M>
struct Held {
  using type = M;
};
template <class M>
struct Held<std::optional<M>> {
  using type = M;
};
template <class M>
struct Held<std::vector<M>> {
  using type = M;
};
template <class M>
using held = typename Held<M>::type;

/// "Max, Min or Disabled".
std::string joined(const std::string_view* words, std::size_t count);

/// What is expected there: "a whole number from 0 to 10000".
inline std::string expected(const Whole& kind) {
  return fmt::format("a whole number from {} to {}", kind.min, kind.max);
}
inline std::string expected(const Bytes& kind) {
  return fmt::format("bytes from {} to {}", to_string(Quantity{kind.min * 1000}),
                     to_string(Quantity{kind.max * 1000}));
}
inline std::string expected(const Real& kind) {
  return fmt::format("a number from {} to {}", kind.min, kind.max);
}
inline std::string expected(const Seconds& kind) {
  return fmt::format("a whole number of seconds from {} to {}", kind.min, kind.max);
}
inline std::string expected(const Duration& kind) {
  return fmt::format("a duration from {} to {}", to_string(kind.min), to_string(kind.max));
}
inline std::string expected(const Amount& kind) {
  return fmt::format("a quantity from {} to {}", to_string(kind.min), to_string(kind.max));
}
inline std::string expected(const Flag&) { return "true or false"; }
inline std::string expected(const Text& kind) { return std::string(kind.form.expected); }
inline std::string expected(const Variables&) { return "variables as NAME: text"; }
inline std::string expected(const Pairs&) { return "texts as name: text"; }
inline std::string expected(const Level&) { return "fields as name: value"; }
inline std::string expected(const Texts& kind) {
  return fmt::format("a list of {} to {}", kind.min, kind.max);
}
inline std::string expected(const Levels& kind) {
  return fmt::format("a list of {} to {}", kind.min, kind.max);
}
template <class E>
std::string expected_word() {
  return joined(kWords<E>.data(), kWords<E>.size());
}
/// The same for any member: only a word's depends on its type.
template <class M, class Kind>
std::string expected_of(const Kind& kind) {
  if constexpr (std::is_same_v<Kind, Word>) {
    return expected_word<held<M>>();
  } else {
    return expected(kind);
  }
}

/// A value as the document spells it, without quotes.
inline std::string spelled(const std::string& value, const Text&) { return value; }
inline std::string spelled(bool value, const Flag&) { return value ? "true" : "false"; }
inline std::string spelled(std::int64_t value, const Whole&) { return std::to_string(value); }
inline std::string spelled(Replicas value, const Whole&) { return std::to_string(value.count); }
inline std::string spelled(double value, const Real&) { return fmt::format("{}", value); }
inline std::string spelled(Quantity value, const Amount&) { return to_string(value); }
inline std::string spelled(Millis value, const Duration&) { return to_string(value); }
inline std::string spelled(std::int64_t value, const Bytes&) {
  return to_string(Quantity{value * 1000});
}
inline std::string spelled(Millis value, const Seconds&) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(value).count());
}
/// The value of that word; the first one for any other.
template <class E>
E value_of(std::string_view word) {
  const auto found = std::ranges::find(kWords<E>, word);
  return found == kWords<E>.end() ? E{} : static_cast<E>(found - kWords<E>.begin());
}
template <class E>
std::string spelled(E value, const Word&) {
  return std::string(kWords<E>.at(static_cast<std::size_t>(value)));
}

/// The value of a member that nobody sets, as the document would spell it; empty where there is
/// none, or where it is a level or a list.
template <class M, class Kind>
std::string spelled_default(const M& member, const Kind& kind) {
  if constexpr (requires { spelled(member, kind); }) {
    return spelled(member, kind);
  } else {
    return {};
  }
}

}  // namespace headroom::policy
