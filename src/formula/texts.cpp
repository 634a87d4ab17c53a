#include "formula/texts.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace headroom::formula::texts {
namespace {

bool text_of(Workspace& space, const Datum& datum, std::string_view& text) {
  const auto* found = std::get_if<Text>(&datum);
  if (found == nullptr) {
    return space.fail(fmt::format("found {}, expected a string", kind_name(datum)));
  }
  text = **found;
  return space.spend(1 + text.size() / 16);
}

bool two(Workspace& space, Arguments arguments, std::string_view& first, std::string_view& second) {
  return text_of(space, arguments[0], first) && text_of(space, arguments[1], second);
}

bool with_default(Workspace& space, Arguments arguments, std::string_view& first,
                  std::string_view& second) {
  if (!text_of(space, arguments[0], first)) return false;
  return arguments.size() < 2 || text_of(space, arguments[1], second);
}

template <class Change>
bool changed(Workspace& space, Arguments arguments, Datum& out, Change change) {
  std::string_view text;
  if (!text_of(space, arguments[0], text)) return false;
  std::string result(text);
  std::ranges::transform(result, result.begin(), change);
  return space.make(std::move(result), out);
}

/// The pieces of `text` between `separator`; each character where that is empty.
bool pieces(Workspace& space, std::string_view text, std::string_view separator,
            std::vector<Datum>& items) {
  for (;;) {
    std::size_t size = 0;
    std::size_t skip = 0;
    if (separator.empty()) {
      if (text.empty()) return true;
      size = std::max<std::size_t>(character_bytes(text), 1);
    } else {
      size = find(space, text, separator);
      skip = separator.size();
    }
    const bool last = size == std::string_view::npos;
    Datum item;
    if (!space.spend(1) || !space.make(std::string(text.substr(0, size)), item)) return false;
    items.push_back(std::move(item));
    if (last) return true;
    text.remove_prefix(size + skip);
  }
}

}  // namespace

std::size_t find(Workspace& space, std::string_view text, std::string_view part) {
  if (!space.spend(1 + text.size() * (1 + part.size()) / 64)) return std::string_view::npos;
  return text.find(part);
}

bool trim(Workspace& space, Arguments arguments, Datum& out) {
  std::string_view text;
  std::string_view set = " \t\n\v\f\r";
  if (!with_default(space, arguments, text, set)) return false;
  const std::size_t first = std::min(text.find_first_not_of(set), text.size());
  text.remove_prefix(first);
  text = text.substr(0, text.find_last_not_of(set) + 1);
  return space.make(std::string(text), out);
}

bool trim_prefix(Workspace& space, Arguments arguments, Datum& out) {
  std::string_view text;
  std::string_view prefix = " ";
  if (!with_default(space, arguments, text, prefix)) return false;
  if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  return space.make(std::string(text), out);
}

bool trim_suffix(Workspace& space, Arguments arguments, Datum& out) {
  std::string_view text;
  std::string_view suffix = " ";
  if (!with_default(space, arguments, text, suffix)) return false;
  if (text.ends_with(suffix)) text.remove_suffix(suffix.size());
  return space.make(std::string(text), out);
}

bool upper(Workspace& space, Arguments arguments, Datum& out) {
  return changed(space, arguments, out,
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
}

bool lower(Workspace& space, Arguments arguments, Datum& out) {
  return changed(space, arguments, out,
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
}

bool split(Workspace& space, Arguments arguments, Datum& out) {
  std::string_view text;
  std::string_view separator;
  std::vector<Datum> items;
  return two(space, arguments, text, separator) && pieces(space, text, separator, items) &&
         space.make(std::move(items), out);
}

bool replace(Workspace& space, Arguments arguments, Datum& out) {
  std::string_view text;
  std::string_view from;
  std::string_view to;
  if (!two(space, arguments, text, from) || !text_of(space, arguments[2], to)) return false;
  std::int64_t left = -1;
  if (arguments.size() == 4) {
    const auto* count = std::get_if<std::int64_t>(&arguments[3]);
    if (count == nullptr) return space.fail("found no integer, expected how many to replace");
    left = *count;
  }
  if (from.empty()) return space.fail("replacing the empty string is not supported");
  std::string result;
  for (; left != 0; --left) {
    const std::size_t found = find(space, text, from);
    if (found == std::string_view::npos) break;
    result += text.substr(0, found);
    result += to;
    if (result.size() > kMaxString) return space.make(std::move(result), out);
    text.remove_prefix(found + from.size());
  }
  result += text;
  return space.spend(0) && space.make(std::move(result), out);
}

bool repeat(Workspace& space, Arguments arguments, Datum& out) {
  std::string_view text;
  if (!text_of(space, arguments[0], text)) return false;
  const auto* count = std::get_if<std::int64_t>(&arguments[1]);
  if (count == nullptr || *count < 0) {
    return space.fail("found no count, expected a positive integer");
  }
  if (*count > 1'000'000 || text.size() * static_cast<std::size_t>(*count) > kMaxString) {
    return space.fail(fmt::format("makes a string of more than {} bytes", kMaxString));
  }
  std::string result;
  for (std::int64_t i = 0; i < *count && !text.empty(); ++i) result += text;
  return space.grow(result.size()) && space.make(std::move(result), out);
}

bool join(Workspace& space, Arguments arguments, Datum& out) {
  const auto* list = std::get_if<ListRef>(&arguments[0]);
  if (list == nullptr) {
    return space.fail(fmt::format("found {}, expected a list", kind_name(arguments[0])));
  }
  std::string_view glue;
  if (arguments.size() == 2 && !text_of(space, arguments[1], glue)) return false;
  std::string result;
  for (std::size_t i = 0; i < (*list)->size(); ++i) {
    const Datum item = (*list)->at(i);
    std::string_view text;
    if (!text_of(space, item, text)) return false;
    if (i > 0) result += glue;
    result += text;
    if (result.size() > kMaxString) break;
  }
  return space.make(std::move(result), out);
}

bool index_of(Workspace& space, Arguments arguments, Datum& out) {
  std::string_view text;
  std::string_view part;
  if (!two(space, arguments, text, part)) return false;
  const std::size_t found = find(space, text, part);
  out = found == std::string_view::npos ? std::int64_t{-1} : static_cast<std::int64_t>(found);
  return space.spend(0);
}

bool last_index_of(Workspace& space, Arguments arguments, Datum& out) {
  std::string_view text;
  std::string_view part;
  if (!two(space, arguments, text, part)) return false;
  if (!space.spend(1 + text.size() * (1 + part.size()) / 64)) return false;
  const std::size_t found = text.rfind(part);
  out = found == std::string_view::npos ? std::int64_t{-1} : static_cast<std::int64_t>(found);
  return true;
}

bool has_prefix(Workspace& space, Arguments arguments, Datum& out) {
  std::string_view text;
  std::string_view part;
  if (!two(space, arguments, text, part)) return false;
  out = text.starts_with(part);
  return true;
}

bool has_suffix(Workspace& space, Arguments arguments, Datum& out) {
  std::string_view text;
  std::string_view part;
  if (!two(space, arguments, text, part)) return false;
  out = text.ends_with(part);
  return true;
}

}  // namespace headroom::formula::texts
