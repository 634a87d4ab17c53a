#include "base/address.h"

#include <charconv>
#include <cstring>
#include <memory>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>

#include "base/text.h"

namespace headroom {
namespace {

bool have_ipv6() {
  const int fd = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  const bool works = ::bind(fd, reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0;
  ::close(fd);
  return works;
}

Address any_address(std::uint16_t port) {
  Address address;
  if (have_ipv6()) {
    auto& in6 = reinterpret_cast<sockaddr_in6&>(address.storage);
    in6.sin6_family = AF_INET6;
    in6.sin6_port = htons(port);
    address.length = sizeof(sockaddr_in6);
  } else {
    auto& in4 = reinterpret_cast<sockaddr_in&>(address.storage);
    in4.sin_family = AF_INET;
    in4.sin_port = htons(port);
    address.length = sizeof(sockaddr_in);
  }
  return address;
}

Error bad_form(std::string_view text) {
  return {Code::invalid,
          fmt::format("found \"{}\", expected an address such as :8080, 127.0.0.1:8080, "
                      "[::1]:8080, localhost:8080 or unix:/path",
                      printable(text))};
}

Result<Address> look_up(const std::string& host, std::string_view port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int why = ::getaddrinfo(host.c_str(), std::string(port).c_str(), &hints, &found);
  if (why != 0) {
    return fail(
        {Code::unavailable, fmt::format("host \"{}\": {}", printable(host), ::gai_strerror(why))});
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  Address address;
  std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
  address.length = found->ai_addrlen;
  return address;
}

}  // namespace

bool Address::operator==(const Address& other) const {
  return length == other.length && std::memcmp(&storage, &other.storage, length) == 0;
}

Result<Address> resolve(std::string_view text) {
  if (text.starts_with("unix:")) return unix_address(text.substr(5));
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return fail(bad_form(text));
  auto host = text.substr(0, colon);
  const auto port = text.substr(colon + 1);
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc{} || end != port.data() + port.size()) return fail(bad_form(text));
  if (host.empty()) return any_address(number);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return fail(bad_form(text));
  }
  return look_up(std::string(host), port);
}

Address loopback(std::uint16_t port) {
  Address address;
  auto& in4 = reinterpret_cast<sockaddr_in&>(address.storage);
  in4.sin_family = AF_INET;
  in4.sin_port = htons(port);
  in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.length = sizeof(sockaddr_in);
  return address;
}

Result<Address> unix_address(std::string_view path) {
  Address address;
  auto& un = reinterpret_cast<sockaddr_un&>(address.storage);
  if (path.empty() || path.size() >= sizeof un.sun_path || path.find('\0') != path.npos) {
    return fail({Code::invalid, fmt::format("socket path \"{}\": expected 1 to {} bytes",
                                            printable(path), sizeof un.sun_path - 1)});
  }
  un.sun_family = AF_UNIX;
  std::memcpy(un.sun_path, path.data(), path.size());
  address.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return address;
}

std::string to_string(const Address& address) {
  char text[INET6_ADDRSTRLEN] = "";
  switch (address.family()) {
    case AF_INET: {
      const auto& in4 = reinterpret_cast<const sockaddr_in&>(address.storage);
      ::inet_ntop(AF_INET, &in4.sin_addr, text, sizeof text);
      return fmt::format("{}:{}", text, ntohs(in4.sin_port));
    }
    case AF_INET6: {
      const auto& in6 = reinterpret_cast<const sockaddr_in6&>(address.storage);
      ::inet_ntop(AF_INET6, &in6.sin6_addr, text, sizeof text);
      return fmt::format("[{}]:{}", text, ntohs(in6.sin6_port));
    }
    case AF_UNIX:
      return fmt::format("unix:{}", reinterpret_cast<const sockaddr_un&>(address.storage).sun_path);
    default:
      return "-";
  }
}

}  // namespace headroom
