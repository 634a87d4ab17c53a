#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <sys/socket.h>
#include <sys/un.h>

#include "base/result.h"

namespace headroom {

/// Where a socket listens or connects: an IPv4, IPv6 or Unix address.
struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;

  int family() const { return storage.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  bool operator==(const Address& other) const;
};

/// Reads ":8080" (all addresses: [::] with IPv4 mapped, or 0.0.0.0 where there is no
/// IPv6), "127.0.0.1:8080", "[::1]:8080", "localhost:8080" (resolved, may block; the
/// first address is used) or "unix:/path/to.sock".
/// Errors: Code::invalid for a bad form, Code::unavailable where a name does not resolve.
Result<Address> resolve(std::string_view text);

Address loopback(std::uint16_t port);
/// Errors: Code::invalid for a path longer than a Unix address holds (107 bytes).
Result<Address> unix_address(std::string_view path);

/// "127.0.0.1:8080", "[::1]:8080", "unix:/path".
std::string to_string(const Address& address);

}  // namespace headroom
