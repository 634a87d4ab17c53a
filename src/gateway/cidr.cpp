#include "gateway/cidr.h"

#include <charconv>
#include <cstring>
#include <string>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include "base/text.h"

namespace headroom::gateway {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::array<std::uint8_t, 16> mapped(const in_addr& in4) {
  std::array<std::uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), kMapped.data(), 12);
  std::memcpy(bytes.data() + 12, &in4, 4);
  return bytes;
}

}  // namespace

bool Cidr::contains(const Address& address) const {
  std::array<std::uint8_t, 16> bytes{};
  if (address.family() == AF_INET) {
    bytes = mapped(reinterpret_cast<const sockaddr_in&>(address.storage).sin_addr);
  } else if (address.family() == AF_INET6) {
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6&>(address.storage).sin6_addr,
                16);
  } else {
    return false;
  }
  const auto whole = static_cast<std::size_t>(bits / 8);
  if (std::memcmp(bytes.data(), prefix.data(), whole) != 0) return false;
  if (bits % 8 == 0) return true;
  return ((bytes[whole] ^ prefix[whole]) >> (8 - bits % 8)) == 0;
}

Result<Cidr> parse_cidr(std::string_view text) {
  const auto bad = [&] {
    return headroom::fail(
        {Code::invalid, fmt::format("found \"{}\", expected an address or a block such as "
                                    "10.0.0.0/8 or fd00::/8",
                                    printable(text))});
  };
  const auto slash = text.find('/');
  const std::string host(text.substr(0, slash));
  Cidr cidr;
  in_addr in4{};
  int most = 128;
  if (::inet_pton(AF_INET, host.c_str(), &in4) == 1) {
    cidr.prefix = mapped(in4);
    most = 32;
  } else if (::inet_pton(AF_INET6, host.c_str(), cidr.prefix.data()) != 1) {
    return bad();
  }
  int bits = most;
  if (slash != text.npos) {
    const auto length = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), bits);
    if (error != std::errc{} || end != length.data() + length.size() || bits < 0 || bits > most) {
      return bad();
    }
  }
  cidr.bits = bits + (128 - most);
  return cidr;
}

}  // namespace headroom::gateway
