#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace headroom {

/// Lets lines through, but of one kind only so many in a while, and counts the others: a failure
/// in a loop must not fill a disk. Lines that differ in their numbers alone are of one kind.
/// Bounded: remembers the kinds of the last while, at most kKinds.
class Repeats {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::size_t kMost = 100;
  static constexpr std::chrono::seconds kWhile{10};
  static constexpr std::size_t kKinds = 256;

  /// Of a kind that is forgotten: so many lines, of which this was the last.
  struct LeftOut {
    std::string last;
    std::size_t count = 0;
  };

  /// None where the line is left out; else how many of its kind were since the last one.
  std::optional<std::size_t> pass(std::string_view line, Time now);
  /// Of the kinds that were forgotten since the last call; each is given once.
  std::vector<LeftOut> take_forgotten() { return std::exchange(forgotten_, {}); }
  void forget_all();

 private:
  struct Kind {
    Time since;
    std::size_t passed = 0;
    LeftOut left_out = {};
  };
  using Kinds = std::map<std::string, Kind, std::less<>>;
  Kinds::iterator forget(Kinds::iterator kind);
  void make_room(Time now, std::string_view but);

  Kinds kinds_;
  std::vector<LeftOut> forgotten_;
};

}  // namespace headroom
