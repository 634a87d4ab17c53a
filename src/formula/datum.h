#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

/// What a formula computes with while it runs: the dynamic values of expr-lang/expr.
namespace headroom::formula {

struct Nil {};
/// Go's time.Duration.
struct Duration {
  std::int64_t nanos = 0;
};
/// Seconds since 1970 and the zone it is told in, seconds east of UTC.
struct Time {
  std::int64_t seconds = 0;
  std::int32_t nanos = 0;
  std::int32_t offset = 0;
};
/// Go's time.Month and time.Weekday: named integers that arithmetic refuses.
struct Month {
  int number = 1;
};
struct Weekday {
  int number = 0;
};
/// The variables by name: `$env`.
struct Environment {};

class List;
class Map;
using Text = std::shared_ptr<const std::string>;
using ListRef = std::shared_ptr<const List>;
using MapRef = std::shared_ptr<const Map>;

/// Copying allocates nothing; what is long is shared and never changes.
using Datum = std::variant<Nil, bool, std::int64_t, double, Text, ListRef, MapRef, Duration, Time,
                           Month, Weekday, Environment>;

/// A list; a range of integers is kept as its ends.
class List {
 public:
  explicit List(std::vector<Datum> items);
  List(std::int64_t first, std::size_t size) : first_(first), size_(size), range_(true) {}

  std::size_t size() const { return size_; }
  /// `index` is below size().
  Datum at(std::size_t index) const {
    if (range_) return first_ + static_cast<std::int64_t>(index);
    return items_[index];
  }
  /// Lists in lists: 1 for a flat one.
  int depth() const { return depth_; }

 private:
  std::vector<Datum> items_;
  std::int64_t first_ = 0;
  std::size_t size_ = 0;
  int depth_ = 1;
  bool range_ = false;
};

/// A map, in the order in which its keys came; `text_keys`: no other key can be asked for.
class Map {
 public:
  Map(std::vector<std::pair<Datum, Datum>> entries, bool text_keys);

  const std::vector<std::pair<Datum, Datum>>& entries() const { return entries_; }
  bool text_keys() const { return text_keys_; }
  int depth() const { return depth_; }

 private:
  std::vector<std::pair<Datum, Datum>> entries_;
  bool text_keys_;
  int depth_ = 1;
};

/// What is left of the effort a run may take. Once it is spent, everything fails.
class Effort {
 public:
  explicit Effort(std::int64_t steps) : left_(steps) {}
  bool spend(std::int64_t steps) {
    left_ -= steps;
    return left_ >= 0;
  }
  bool spent() const { return left_ < 0; }

 private:
  std::int64_t left_;
};

inline bool is_nil(const Datum& datum) { return std::holds_alternative<Nil>(datum); }
int depth_of(const Datum& datum);
Datum make_text(std::string text);

/// "a number", "a list", …: for messages.
std::string_view kind_name(const Datum& datum);

/// Go's %v: what `string(x)` gives. False where there is no such text here (a time, `$env`), or
/// it would be longer than `limit` bytes.
bool to_text(const Datum& datum, std::size_t limit, std::string& out);

}  // namespace headroom::formula
