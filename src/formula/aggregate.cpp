#include "formula/aggregate.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "base/text.h"
#include "formula/operators.h"

namespace headroom::formula::aggregate {
namespace {

bool refuse(Workspace& space, const Datum& found, std::string_view expected) {
  return space.fail(fmt::format("found {}, expected {}", kind_name(found), expected));
}

bool is_number(const Datum& datum) {
  return std::holds_alternative<std::int64_t>(datum) || std::holds_alternative<double>(datum);
}

/// Takes `candidate` where it lies beyond what was found so far. NaN lies nowhere.
bool consider(Workspace& space, Op beyond, const Datum& candidate, Datum& best) {
  if (is_nil(best)) {
    best = candidate;
    return true;
  }
  bool further = false;
  if (!compare(beyond, best, candidate, further)) {
    return space.fail(
        fmt::format("cannot compare {} with {}", kind_name(best), kind_name(candidate)));
  }
  if (further) best = candidate;
  return true;
}

/// The best of a list, lists in it included; nil where there is none.
bool best_of(Workspace& space, Op beyond, const List& list, Datum& best) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (!space.spend(1)) return false;
    const Datum item = list.at(i);
    if (const auto* inner = std::get_if<ListRef>(&item)) {
      Datum nested = Nil{};
      if (!best_of(space, beyond, **inner, nested)) return false;
      if (!is_nil(nested) && !consider(space, beyond, nested, best)) return false;
    } else if (!is_number(item)) {
      return refuse(space, item, "a number");
    } else if (!consider(space, beyond, item, best)) {
      return false;
    }
  }
  return true;
}

/// max keeps what is less than a candidate, min what is more.
bool extreme(Workspace& space, Op beyond, Arguments arguments, Datum& out) {
  Datum best = Nil{};
  for (const Datum& argument : arguments) {
    if (const auto* list = std::get_if<ListRef>(&argument)) {
      Datum nested = Nil{};
      if (!best_of(space, beyond, **list, nested)) return false;
      if (!is_nil(nested) && !consider(space, beyond, nested, best)) return false;
    } else if (is_number(argument) || std::holds_alternative<Duration>(argument)) {
      if (!consider(space, beyond, argument, best)) return false;
    } else if (arguments.size() == 1) {
      best = argument;  // upstream hands back whatever stands alone: max(nil) is nil
    } else {
      return refuse(space, argument, "a number or a list");
    }
  }
  out = std::move(best);
  return true;
}

/// Calls `take(double)` with every number, lists in lists included.
template <class Take>
bool each_number(Workspace& space, const Datum& datum, Take& take) {
  if (!space.spend(1)) return false;
  double value = 0;
  if (const auto* list = std::get_if<ListRef>(&datum)) {
    for (std::size_t i = 0; i < (*list)->size(); ++i) {
      if (!each_number(space, (*list)->at(i), take)) return false;
    }
  } else if (const auto* duration = std::get_if<Duration>(&datum)) {
    take(static_cast<double>(duration->nanos));
  } else if (as_number(datum, value)) {
    take(value);
  } else {
    return refuse(space, datum, "a number or a list");
  }
  return true;
}

/// Sums up lists in lists on their own first, as upstream does: the last digits depend on it.
bool total(Workspace& space, const Datum& datum, double& sum, std::int64_t& count) {
  const auto* list = std::get_if<ListRef>(&datum);
  if (list == nullptr) {
    auto take = [&](double value) { sum += value, ++count; };
    return each_number(space, datum, take);
  }
  double own = 0;
  for (std::size_t i = 0; i < (*list)->size(); ++i) {
    if (!space.spend(1) || !total(space, (*list)->at(i), own, count)) return false;
  }
  sum += own;
  return true;
}

bool list_of(Workspace& space, const Datum& datum, ListRef& list) {
  const auto* found = std::get_if<ListRef>(&datum);
  if (found == nullptr) return refuse(space, datum, "a list");
  list = *found;
  return space.spend(list->size());
}

}  // namespace

bool max(Workspace& space, Arguments arguments, Datum& out) {
  return extreme(space, Op::less, arguments, out);
}

bool min(Workspace& space, Arguments arguments, Datum& out) {
  return extreme(space, Op::more, arguments, out);
}

bool mean(Workspace& space, Arguments arguments, Datum& out) {
  double sum = 0;
  std::int64_t count = 0;
  for (const Datum& argument : arguments) {
    // A list that is an argument is summed up into the whole, one inside it on its own.
    const auto* list = std::get_if<ListRef>(&argument);
    if (list == nullptr) {
      if (!total(space, argument, sum, count)) return false;
      continue;
    }
    for (std::size_t i = 0; i < (*list)->size(); ++i) {
      if (!total(space, (*list)->at(i), sum, count)) return false;
    }
  }
  out = count == 0 ? 0.0 : sum / static_cast<double>(count);
  return true;
}

bool median(Workspace& space, Arguments arguments, Datum& out) {
  std::vector<double> values;
  auto take = [&](double value) { values.push_back(value); };
  for (const Datum& argument : arguments) {
    if (!each_number(space, argument, take)) return false;
  }
  if (!space.spend(values.size() * static_cast<std::size_t>(std::bit_width(values.size())) / 4)) {
    return false;
  }
  std::ranges::sort(values, [](double a, double b) {  // NaN first, as Go has it
    return a < b || (std::isnan(a) && !std::isnan(b));
  });
  const std::size_t size = values.size();
  if (size == 0) {
    out = 0.0;
  } else if (size % 2 == 1) {
    out = values[size / 2];
  } else {
    out = (values[size / 2 - 1] + values[size / 2]) / 2;
  }
  return true;
}

bool take(Workspace& space, Arguments arguments, Datum& out) {
  ListRef list;
  if (!list_of(space, arguments[0], list)) return false;
  const auto* count = std::get_if<std::int64_t>(&arguments[1]);
  if (count == nullptr) return refuse(space, arguments[1], "an integer");
  if (*count < 0) return space.fail(fmt::format("cannot take {} elements", *count));
  const std::size_t size = std::min(list->size(), static_cast<std::size_t>(*count));
  std::vector<Datum> items;
  for (std::size_t i = 0; i < size; ++i) items.push_back(list->at(i));
  return space.make(std::move(items), out);
}

namespace {

template <class Pick>
bool of_map(Workspace& space, const Datum& datum, Datum& out, Pick pick) {
  const auto* map = std::get_if<MapRef>(&datum);
  if (map == nullptr) {
    if (std::holds_alternative<Environment>(datum)) {
      return space.fail("keys() and values() of $env are not supported");
    }
    return refuse(space, datum, "a map");
  }
  std::vector<Datum> items;
  for (const auto& entry : (*map)->entries()) items.push_back(pick(entry));
  return space.spend(items.size()) && space.make(std::move(items), out);
}

}  // namespace

bool keys(Workspace& space, Arguments arguments, Datum& out) {
  return of_map(space, arguments[0], out, [](const auto& entry) { return entry.first; });
}

bool values(Workspace& space, Arguments arguments, Datum& out) {
  return of_map(space, arguments[0], out, [](const auto& entry) { return entry.second; });
}

bool reverse(Workspace& space, Arguments arguments, Datum& out) {
  ListRef list;
  if (!list_of(space, arguments[0], list) || !space.grow(list->size())) return false;
  std::vector<Datum> items;
  for (std::size_t i = list->size(); i-- > 0;) items.push_back(list->at(i));
  return space.make(std::move(items), out);
}

bool uniq(Workspace& space, Arguments arguments, Datum& out) {
  ListRef list;
  if (!list_of(space, arguments[0], list)) return false;
  std::vector<Datum> items;
  for (std::size_t i = 0; i < list->size(); ++i) {
    Datum item = list->at(i);
    bool known = false;
    for (const Datum& other : items) {
      if (!space.spend(1)) return false;
      known = equal(item, other, space.effort());
      if (known) break;
    }
    if (!known) items.push_back(std::move(item));
  }
  return space.spend(0) && space.make(std::move(items), out);
}

bool concat(Workspace& space, Arguments arguments, Datum& out) {
  std::vector<Datum> items;
  for (const Datum& argument : arguments) {
    ListRef list;
    if (!list_of(space, argument, list) || !space.grow(list->size())) return false;
    for (std::size_t i = 0; i < list->size(); ++i) items.push_back(list->at(i));
  }
  return space.make(std::move(items), out);
}

namespace {

bool flatten_into(Workspace& space, const List& list, std::vector<Datum>& items) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (!space.spend(1)) return false;
    Datum item = list.at(i);
    if (const auto* inner = std::get_if<ListRef>(&item)) {
      if (!flatten_into(space, **inner, items)) return false;
    } else {
      if (items.size() >= kMaxElements) return space.grow(kMaxElements);
      items.push_back(std::move(item));
    }
  }
  return true;
}

}  // namespace

bool flatten(Workspace& space, Arguments arguments, Datum& out) {
  ListRef list;
  std::vector<Datum> items;
  return list_of(space, arguments[0], list) && flatten_into(space, *list, items) &&
         space.grow(items.size()) && space.make(std::move(items), out);
}

bool read_order(Workspace& space, const Datum& order, bool& descending) {
  const auto* text = std::get_if<Text>(&order);
  if (text == nullptr) return refuse(space, order, "\"asc\" or \"desc\"");
  descending = **text == "desc";
  if (descending || **text == "asc") return true;
  return space.fail(
      fmt::format("found \"{}\", expected \"asc\" or \"desc\"", printable(**text, 40)));
}

bool sort_by(Workspace& space, std::vector<Datum>& items, const std::vector<Datum>& keys,
             bool descending) {
  if (!space.spend(items.size() * static_cast<std::size_t>(std::bit_width(items.size())))) {
    return false;
  }
  bool comparable = true;
  const auto before = [&](std::size_t a, std::size_t b) {
    bool less = false;
    const Datum& left = keys[descending ? b : a];
    const Datum& right = keys[descending ? a : b];
    if (comparable && !compare(Op::less, left, right, less)) {
      comparable = false;
      space.fail(fmt::format("cannot compare {} with {}", kind_name(left), kind_name(right)));
    }
    return less;
  };
  std::vector<std::size_t> order(items.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  constexpr std::size_t kInsertion = 12;
  if (order.size() <= kInsertion) {
    for (std::size_t i = 1; i < order.size(); ++i) {
      for (std::size_t j = i; j > 0 && before(order[j], order[j - 1]); --j) {
        std::swap(order[j], order[j - 1]);
      }
    }
  } else {
    std::ranges::stable_sort(order, before);
  }
  if (!comparable) return false;
  std::vector<Datum> sorted;
  sorted.reserve(items.size());
  for (const std::size_t i : order) sorted.push_back(items[i]);
  items = std::move(sorted);
  return true;
}

bool sort(Workspace& space, Arguments arguments, Datum& out) {
  std::vector<Datum> items;  // of what is no list, upstream makes an empty one
  if (const auto* list = std::get_if<ListRef>(&arguments[0])) {
    if (!space.spend((*list)->size())) return false;
    for (std::size_t i = 0; i < (*list)->size(); ++i) items.push_back((*list)->at(i));
  }
  bool descending = false;
  if (arguments.size() == 2 && !read_order(space, arguments[1], descending)) return false;
  const std::vector<Datum> sorted_by = items;
  return sort_by(space, items, sorted_by, descending) && space.grow(items.size()) &&
         space.make(std::move(items), out);
}

}  // namespace headroom::formula::aggregate
