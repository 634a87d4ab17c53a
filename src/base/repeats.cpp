#include "base/repeats.h"

#include <algorithm>
#include <utility>

namespace headroom {
namespace {

/// Each number is one digit.
std::string kind_of(std::string_view line) {
  constexpr std::size_t kTelling = 200;
  std::string kind(line.substr(0, kTelling));
  std::ranges::replace_if(
      kind, [](char c) { return c >= '0' && c <= '9'; }, '0');
  const auto both = [](char a, char b) { return a == '0' && b == '0'; };
  kind.erase(std::unique(kind.begin(), kind.end(), both), kind.end());
  return kind;
}

}  // namespace

std::optional<std::size_t> Repeats::pass(std::string_view line, Time now) {
  auto key = kind_of(line);
  if (!kinds_.contains(key) && kinds_.size() >= kKinds) {
    std::erase_if(kinds_, [now](const auto& each) {
      return each.second.left_out == 0 && now - each.second.since >= kWhile;
    });
    if (kinds_.size() >= kKinds) kinds_.erase(kinds_.begin());
  }
  auto& kind = kinds_.try_emplace(std::move(key), Kind{now}).first->second;
  if (now - kind.since >= kWhile) kind = {.since = now, .left_out = kind.left_out};
  if (kind.passed == kMost) {
    ++kind.left_out;
    return std::nullopt;
  }
  ++kind.passed;
  return std::exchange(kind.left_out, 0);
}

}  // namespace headroom
