#include <algorithm>

#include <fmt/format.h>

#include "formula/builtins.h"

namespace headroom::formula {

bool Workspace::spend(std::size_t steps) {
  steps_ += std::min<std::size_t>(steps, kMaxSteps);
  if (steps_ <= kMaxSteps) return true;
  return fail(fmt::format("takes too long: more than {} steps", kMaxSteps));
}

bool Workspace::grow(std::size_t elements) {
  elements_ += std::min(elements, kMaxElements);
  if (elements_ < kMaxElements) return true;
  return fail(fmt::format("needs too much memory: {} elements of lists or more", kMaxElements));
}

bool Workspace::make(std::vector<Datum> items, Datum& out) {
  const auto is_list = [](const Datum& item) { return std::holds_alternative<ListRef>(item); };
  if (std::ranges::any_of(items, is_list)) return fail(std::string(kNoListsInLists));
  const std::size_t size = items.size();
  out = std::make_shared<const List>(std::move(items));
  return grow(size);
}

Datum Workspace::variable(std::size_t index) const {
  if (values_[index]) return *values_[index];
  return Nil{};
}

}  // namespace headroom::formula
