#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/address.h"
#include "base/result.h"

namespace headroom::gateway {

/// A block of addresses, "10.0.0.0/8", "::1/128" or one address; IPv4 as IPv4-mapped IPv6.
struct Cidr {
  std::array<std::uint8_t, 16> prefix{};
  int bits = 128;

  bool contains(const Address& address) const;
};

/// Errors: Code::invalid, naming what was found.
Result<Cidr> parse_cidr(std::string_view text);

}  // namespace headroom::gateway
