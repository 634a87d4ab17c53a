#include "formula/aggregate.h"

#include <algorithm>
#include <cmath>

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
void consider(Op beyond, const Datum& candidate, Datum& best) {
  bool further = is_nil(best);
  if (!further) compare(beyond, best, candidate, further);
  if (further) best = candidate;
}

/// max keeps what is less than a candidate, min what is more.
bool extreme(Workspace& space, Op beyond, Arguments arguments, Datum& out) {
  Datum best = Nil{};
  for (const Datum& argument : arguments) {
    if (const auto* list = std::get_if<ListRef>(&argument)) {
      Datum nested = Nil{};  // its own first, as upstream: NaN in front of it hides no others
      for (std::size_t i = 0; i < (*list)->size(); ++i) {
        const Datum item = (*list)->at(i);
        if (!is_number(item)) return refuse(space, item, "a number");
        consider(beyond, item, nested);
      }
      if (!is_nil(nested)) consider(beyond, nested, best);
    } else if (is_number(argument)) {
      consider(beyond, argument, best);
    } else if (arguments.size() == 1) {
      best = argument;  // upstream hands back whatever stands alone: max(nil) is nil
    } else {
      return refuse(space, argument, "a number or a list");
    }
  }
  out = std::move(best);
  return true;
}

/// All numbers, those in lists included.
bool numbers_of(Workspace& space, Arguments arguments, std::vector<double>& values) {
  const auto take = [&](const Datum& datum, std::string_view expected) {
    double value = 0;
    if (!as_number(datum, value)) return refuse(space, datum, expected);
    values.push_back(value);
    return true;
  };
  for (const Datum& argument : arguments) {
    const auto* list = std::get_if<ListRef>(&argument);
    if (list == nullptr) {
      if (!take(argument, "a number or a list")) return false;
      continue;
    }
    for (std::size_t i = 0; i < (*list)->size(); ++i) {
      if (!take((*list)->at(i), "a number")) return false;
    }
  }
  return true;
}

bool read_order(Workspace& space, const Datum& order, bool& descending) {
  const auto* text = std::get_if<Text>(&order);
  if (text == nullptr) return refuse(space, order, "\"asc\" or \"desc\"");
  descending = **text == "desc";
  if (descending || **text == "asc") return true;
  return space.fail(
      fmt::format("found \"{}\", expected \"asc\" or \"desc\"", printable(**text, 40)));
}

}  // namespace

bool max(Workspace& space, Arguments arguments, Datum& out) {
  return extreme(space, Op::less, arguments, out);
}

bool min(Workspace& space, Arguments arguments, Datum& out) {
  return extreme(space, Op::more, arguments, out);
}

bool mean(Workspace& space, Arguments arguments, Datum& out) {
  std::vector<double> values;
  if (!numbers_of(space, arguments, values)) return false;
  double sum = 0;
  for (const double value : values) sum += value;
  out = values.empty() ? 0.0 : sum / static_cast<double>(values.size());
  return true;
}

bool median(Workspace& space, Arguments arguments, Datum& out) {
  std::vector<double> values;
  if (!numbers_of(space, arguments, values)) return false;
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

bool sort(Workspace& space, Arguments arguments, Datum& out) {
  std::vector<Datum> items;  // of what is no list, upstream makes an empty one
  if (const auto* list = std::get_if<ListRef>(&arguments[0])) {
    for (std::size_t i = 0; i < (*list)->size(); ++i) items.push_back((*list)->at(i));
  }
  bool descending = false;
  if (arguments.size() == 2 && !read_order(space, arguments[1], descending)) return false;
  bool comparable = true;
  const auto before = [&](const Datum& a, const Datum& b) {
    bool less = false;
    if (!compare(descending ? Op::more : Op::less, a, b, less)) {
      comparable = space.fail(fmt::format("cannot compare {} with {}", kind_name(a), kind_name(b)));
    }
    return less;
  };
  constexpr std::size_t kInsertion = 12;
  if (items.size() <= kInsertion) {
    for (std::size_t i = 1; i < items.size(); ++i) {
      for (std::size_t j = i; j > 0 && before(items[j], items[j - 1]); --j) {
        std::swap(items[j], items[j - 1]);
      }
    }
  } else {
    std::ranges::stable_sort(items, before);
  }
  return comparable && space.make(std::move(items), out);
}

}  // namespace headroom::formula::aggregate
