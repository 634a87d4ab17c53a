#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/result.h"

namespace headroom::target {

/// A TCP port that nobody listened on when it was taken. While this lives, take_port() hands
/// it to nobody else in this process.
class Port {
 public:
  Port() = default;
  explicit Port(std::uint16_t number) : number_(number) {}
  Port(Port&& other) noexcept : number_(std::exchange(other.number_, 0)) {}
  Port& operator=(Port&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Port();
  std::uint16_t number() const { return number_; }

 private:
  std::uint16_t number_ = 0;
};

/// Thread-safe. The port lies outside the range from which the kernel serves outgoing
/// connections, where there is room, so that none of those can take it before the replica does.
/// Errors: Code::unavailable where there is no free port.
Result<Port> take_port();
/// That one, which our predecessor had.
Port take_port(std::uint16_t number);

}  // namespace headroom::target
