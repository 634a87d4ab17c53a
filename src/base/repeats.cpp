#include "base/repeats.h"

#include <algorithm>
#include <iterator>

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

Repeats::Kinds::iterator Repeats::forget(Kinds::iterator kind) {
  auto& left_out = kind->second.left_out;
  if (left_out.count > 0) forgotten_.push_back(std::move(left_out));
  return kinds_.erase(kind);
}

void Repeats::forget_all() {
  while (!kinds_.empty()) forget(kinds_.begin());
}

/// Kinds whose while is over, and where that is not enough, any.
void Repeats::make_room(Time now, std::string_view but) {
  for (auto kind = kinds_.begin(); kind != kinds_.end();) {
    const bool over = now - kind->second.since >= kWhile && kind->first != but;
    kind = over ? forget(kind) : std::next(kind);
  }
  if (kinds_.size() >= kKinds && !kinds_.contains(but)) forget(kinds_.begin());
}

std::optional<std::size_t> Repeats::pass(std::string_view line, Time now) {
  auto key = kind_of(line);
  make_room(now, key);
  auto& kind = kinds_.try_emplace(std::move(key), Kind{now}).first->second;
  if (now - kind.since >= kWhile) kind = {.since = now, .left_out = std::move(kind.left_out)};
  if (kind.passed == kMost) {
    kind.left_out = {std::string(line), kind.left_out.count + 1};
    return std::nullopt;
  }
  ++kind.passed;
  return std::exchange(kind.left_out, {}).count;
}

}  // namespace headroom
