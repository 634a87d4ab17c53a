#include <algorithm>

#include <fmt/format.h>

#include "formula/builtins.h"

namespace headroom::formula {

bool Workspace::spend(std::size_t steps) {
  if (effort_.spend(static_cast<std::int64_t>(steps))) return true;
  return fail(fmt::format("takes too long: more than {} steps", kMaxSteps));
}

bool Workspace::grow(std::size_t elements) {
  elements_ += std::min(elements, kMaxElements);
  if (elements_ < kMaxElements) return true;
  return fail(fmt::format("needs too much memory: {} elements of lists or more", kMaxElements));
}

bool Workspace::make(std::string text, Datum& out) {
  if (text.size() > kMaxString) {
    return fail(fmt::format("makes a string of more than {} bytes", kMaxString));
  }
  made_ += 2 + text.size() / sizeof(Datum);
  if (made_ > 2 * kMaxElements) return fail("needs too much memory: too many strings");
  out = make_text(std::move(text));
  return true;
}

bool Workspace::make(std::vector<Datum> items, Datum& out) {
  made_ += 2 + items.size();
  if (made_ > 2 * kMaxElements) return fail("needs too much memory: too many elements of lists");
  auto list = std::make_shared<const List>(std::move(items));
  if (list->depth() > kMaxListDepth) {
    return fail(fmt::format("nests lists more than {} deep", kMaxListDepth));
  }
  out = std::move(list);
  return true;
}

bool Workspace::make_map(std::vector<std::pair<Datum, Datum>> entries, bool text_keys, Datum& out) {
  made_ += 2 + 2 * entries.size();
  if (made_ > 2 * kMaxElements) return fail("needs too much memory: too many elements of maps");
  auto map = std::make_shared<const Map>(std::move(entries), text_keys);
  if (map->depth() > kMaxListDepth) {
    return fail(fmt::format("nests maps more than {} deep", kMaxListDepth));
  }
  out = std::move(map);
  return true;
}

Datum Workspace::variable(std::size_t index) const {
  if (values_[index]) return *values_[index];
  return Nil{};
}

std::optional<Datum> Workspace::variable(std::string_view name) const {
  for (std::size_t i = names_.size(); i-- > 0;) {
    if (!names_[i].empty() && names_[i] == name) return variable(i);
  }
  return std::nullopt;
}

Datum Workspace::missing() const {
  if (when_.rehearsal) return 0.0;
  return Nil{};
}

}  // namespace headroom::formula
