#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstdint>
#include <vector>

namespace headroom::gateway {

using Micros = std::chrono::microseconds;
using Time = std::chrono::time_point<std::chrono::steady_clock, Micros>;
inline constexpr Time kNever = Time::max();

inline Time steady_now() {
  return std::chrono::time_point_cast<Micros>(std::chrono::steady_clock::now());
}

/// A place in an intrusive list; alone it points at itself.
struct Link {
  Link* prev = this;
  Link* next = this;
  Link() = default;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  bool linked() const { return next != this; }
  void unlink() {
    prev->next = next;
    next->prev = prev;
    prev = next = this;
  }
  void push_back(Link& item) {
    item.prev = prev;
    item.next = this;
    prev->next = &item;
    prev = &item;
  }
  void push_front(Link& item) { next->push_back(item); }
};

/// A Link inside the object that it stands for.
template <class T>
struct Hook : Link {
  explicit Hook(T* of) : owner(of) {}
  T* const owner;
};
template <class T>
T& owner_of(Link* link) {
  return *static_cast<Hook<T>*>(link)->owner;
}

/// What has a deadline.
struct Timed : Link {
  Time deadline = kNever;
  std::int64_t tick = 0;  // when the wheel looks at it, at the latest
};

/// Deadlines of many connections. Moving one later costs a store, no list work: the wheel finds
/// out when it gets there. Steps of 16 ms; never early.
class Wheel {
 public:
  explicit Wheel(Time now) : slots_(kSlots), tick_(tick_of(now)) {}

  void set(Timed& timed, Time deadline) {
    timed.deadline = deadline;
    if (deadline == kNever) return;
    // One that has passed already is met at the next step.
    const auto wanted =
        std::clamp(tick_of(deadline) + 1, tick_ + 1, tick_ + static_cast<std::int64_t>(kSlots) - 1);
    if (timed.linked() && timed.tick <= wanted) return;
    timed.unlink();
    link(timed, wanted);
  }

  void cancel(Timed& timed) {
    timed.deadline = kNever;
    timed.unlink();
  }

  /// Calls due(timed) for each whose deadline has passed. `due` may set and cancel any.
  template <class Due>
  void advance(Time now, Due&& due) {
    const auto to = tick_of(now);
    const auto from = std::max(tick_ + 1, to - static_cast<std::int64_t>(kSlots) + 1);
    tick_ = std::max(tick_, to);
    for (auto tick = from; tick <= to; ++tick) {
      const auto at = static_cast<std::size_t>(tick) % kSlots;
      Link& slot = slots_[at];
      occupied_[at / 64] &= ~(std::uint64_t{1} << (at % 64));
      if (!slot.linked()) continue;
      Link now_due;  // takes the slot's items, so that what is set meanwhile is not met again
      now_due.prev = slot.prev;
      now_due.next = slot.next;
      now_due.prev->next = now_due.next->prev = &now_due;
      slot.prev = slot.next = &slot;
      while (now_due.linked()) {
        auto& timed = static_cast<Timed&>(*now_due.next);
        timed.unlink();
        if (timed.deadline <= now) {
          due(timed);
        } else {
          set(timed, timed.deadline);
        }
      }
    }
  }

  /// Until the next look, in milliseconds; -1 where nothing is set.
  int wait(Time now) const {
    const auto first = static_cast<std::size_t>(tick_ + 1) % kSlots;
    std::size_t ahead = 1;
    while (ahead <= kSlots) {
      const auto at = (first + ahead - 1) % kSlots;
      const auto word = occupied_[at / 64] >> (at % 64);
      if (word != 0) {
        ahead += static_cast<std::size_t>(std::countr_zero(word));
        const auto left = Micros{(tick_ + static_cast<std::int64_t>(ahead)) * kStep.count()} -
                          now.time_since_epoch();
        return left.count() <= 0 ? 0 : static_cast<int>(left.count() / 1000) + 1;
      }
      ahead += 64 - at % 64;
    }
    return -1;
  }

 private:
  static constexpr std::size_t kSlots = 2048;
  static constexpr Micros kStep{16000};

  static std::int64_t tick_of(Time time) { return time.time_since_epoch() / kStep; }
  void link(Timed& timed, std::int64_t tick) {
    timed.tick = tick;
    const auto at = static_cast<std::size_t>(tick) % kSlots;
    slots_[at].push_back(timed);
    occupied_[at / 64] |= std::uint64_t{1} << (at % 64);
  }

  std::vector<Link> slots_;
  std::array<std::uint64_t, kSlots / 64> occupied_{};  // a bit may outlive what was cancelled
  std::int64_t tick_;
};

}  // namespace headroom::gateway
