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
/// In UTC, seconds since 1970.
struct Time {
  std::int64_t seconds = 0;
};

class List;
using Text = std::shared_ptr<const std::string>;
using ListRef = std::shared_ptr<const List>;

/// Copying allocates nothing; what is long is shared and never changes.
using Datum = std::variant<Nil, bool, std::int64_t, double, Text, ListRef, Duration, Time>;

/// A list, in which there are no lists; a range of integers is kept as its ends.
class List {
 public:
  explicit List(std::vector<Datum> items) : items_(std::move(items)), size_(items_.size()) {}
  List(std::int64_t first, std::size_t size) : first_(first), size_(size), range_(true) {}

  std::size_t size() const { return size_; }
  /// `index` is below size().
  Datum at(std::size_t index) const {
    if (range_) return first_ + static_cast<std::int64_t>(index);
    return items_[index];
  }

 private:
  std::vector<Datum> items_;
  std::int64_t first_ = 0;
  std::size_t size_ = 0;
  bool range_ = false;
};

inline bool is_nil(const Datum& datum) { return std::holds_alternative<Nil>(datum); }
Datum make_text(std::string text);

/// "a number", "a list", …: for messages.
std::string_view kind_name(const Datum& datum);

}  // namespace headroom::formula
