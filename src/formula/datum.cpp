#include "formula/datum.h"

#include <algorithm>
#include <array>

#include "formula/go_number.h"

namespace headroom::formula {

List::List(std::vector<Datum> items) : items_(std::move(items)), size_(items_.size()) {
  for (const Datum& item : items_) depth_ = std::max(depth_, 1 + depth_of(item));
}

Map::Map(std::vector<std::pair<Datum, Datum>> entries, bool text_keys)
    : entries_(std::move(entries)), text_keys_(text_keys) {
  for (const auto& [key, value] : entries_) depth_ = std::max(depth_, 1 + depth_of(value));
}

int depth_of(const Datum& datum) {
  if (const auto* list = std::get_if<ListRef>(&datum)) return (*list)->depth();
  if (const auto* map = std::get_if<MapRef>(&datum)) return (*map)->depth();
  return 0;
}

Datum make_text(std::string text) { return std::make_shared<const std::string>(std::move(text)); }

std::string_view kind_name(const Datum& datum) {
  constexpr std::array<std::string_view, std::variant_size_v<Datum>> kNames = {
      "nil",   "a bool",     "an integer", "a number", "a string",  "a list",
      "a map", "a duration", "a time",     "a month",  "a weekday", "$env"};
  return kNames[datum.index()];
}

namespace {

class Writer {
 public:
  Writer(std::size_t limit, std::string& out) : limit_(limit), out_(out) {}

  bool write(const Datum& datum) {
    return std::visit([this](const auto& value) { return one(value); }, datum);
  }

 private:
  bool put(std::string_view text) {
    if (out_.size() + text.size() > limit_) return false;
    out_ += text;
    return true;
  }
  bool one(Nil) { return put("<nil>"); }
  bool one(bool value) { return put(value ? "true" : "false"); }
  bool one(std::int64_t value) { return put(std::to_string(value)); }
  bool one(double value) { return put(go_spelling(value)); }
  bool one(const Text& value) { return put(*value); }
  bool one(Duration value) { return put(go_spelling(value)); }
  bool one(const ListRef& list) {
    if (!put("[")) return false;
    for (std::size_t i = 0; i < list->size(); ++i) {
      if ((i > 0 && !put(" ")) || !write(list->at(i))) return false;
    }
    return put("]");
  }
  bool one(const MapRef& map) {
    std::vector<std::pair<std::string, const Datum*>> sorted;  // Go sorts the keys it prints
    for (const auto& [key, value] : map->entries()) {
      std::string name;
      if (!to_text(key, limit_, name)) return false;
      sorted.emplace_back(std::move(name), &value);
    }
    std::ranges::sort(sorted, {}, &std::pair<std::string, const Datum*>::first);
    if (!put("map[")) return false;
    for (std::size_t i = 0; i < sorted.size(); ++i) {
      if ((i > 0 && !put(" ")) || !put(sorted[i].first) || !put(":") || !write(*sorted[i].second)) {
        return false;
      }
    }
    return put("]");
  }
  bool one(Month month) {
    constexpr std::array<std::string_view, 12> kNames = {
        "January", "February", "March",     "April",   "May",      "June",
        "July",    "August",   "September", "October", "November", "December"};
    return put(kNames[static_cast<std::size_t>(month.number - 1)]);
  }
  bool one(Weekday day) {
    constexpr std::array<std::string_view, 7> kNames = {
        "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
    return put(kNames[static_cast<std::size_t>(day.number)]);
  }
  bool one(const Time&) { return false; }
  bool one(Environment) { return false; }

  std::size_t limit_;
  std::string& out_;
};

}  // namespace

bool to_text(const Datum& datum, std::size_t limit, std::string& out) {
  return Writer(limit, out).write(datum);
}

}  // namespace headroom::formula
