#include "policy/forms.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>

#include <arpa/inet.h>

#include "policy/names.h"

namespace headroom::policy {
namespace {

bool is_visible(char c) { return c > ' ' && c < 0x7F; }

bool any(std::string_view text) { return text.find('\0') == text.npos; }
bool some(std::string_view text) { return !text.empty() && any(text); }

bool dns_label(std::string_view text) { return text.size() <= 63 && is_dns_label(text); }

bool variable(std::string_view text) {
  const auto inside = [](char c) { return is_alphanumeric(c) || c == '_'; };
  return !text.empty() && !is_digit(text[0]) && std::ranges::all_of(text, inside);
}

bool path(std::string_view text) {
  return text.starts_with('/') && std::ranges::all_of(text, is_visible);
}

bool host(std::string_view text) {
  const auto inside = [](char c) {
    return is_alphanumeric(c) || std::string_view("-._:[]%").find(c) != std::string_view::npos;
  };
  return text.size() <= 255 && std::ranges::all_of(text, inside);
}

bool header_name(std::string_view text) {
  const auto inside = [](char c) {
    return is_alphanumeric(c) ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  };
  return !text.empty() && std::ranges::all_of(text, inside);
}

bool header_value(std::string_view text) {
  const auto inside = [](char c) {
    return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != 0x7F);
  };
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  return std::ranges::all_of(text, inside) &&
         (text.empty() || (!is_space(text.front()) && !is_space(text.back())));
}

bool number_at_most(std::string_view text, std::uint32_t most) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() && number <= most;
}

bool ip(int family, std::string_view text) {
  unsigned char bytes[sizeof(in6_addr)];
  return text.size() < INET6_ADDRSTRLEN && any(text) &&
         ::inet_pton(family, std::string(text).c_str(), bytes) == 1;
}

bool listen(std::string_view text) {
  constexpr std::size_t kLongestPath = 107;  // what a Unix address holds
  const auto [name, port] = split_listen(text);
  if (text.starts_with("unix:")) return some(name) && name.size() <= kLongestPath;
  if (port.empty() || !number_at_most(port, 65535)) return false;
  if (name.starts_with('['))
    return name.ends_with(']') && ip(AF_INET6, name.substr(1, name.size() - 2));
  return name.find(':') == name.npos && name.find_first_of("[]%") == name.npos && host(name);
}

bool cidr(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == text.npos) return false;
  const auto address = text.substr(0, slash);
  const auto bits = text.substr(slash + 1);
  return (ip(AF_INET, address) && number_at_most(bits, 32)) ||
         (ip(AF_INET6, address) && number_at_most(bits, 128));
}

bool is_any_host(std::string_view host_name) {
  return host_name.empty() || host_name == "0.0.0.0" || host_name == "[::]";
}

}  // namespace

namespace form {

constinit const Form kAny = {"text", any};
constinit const Form kSome = {"text", some, "^[^\\u0000]+$"};
constinit const Form kDnsLabel = {"a DNS label such as shop-1 (a-z, 0-9, -; at most 63)", dns_label,
                                  "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"};
constinit const Form kVariable = {"the name of an environment variable such as LOG_LEVEL", variable,
                                  "^[A-Za-z_][A-Za-z0-9_]*$"};
constinit const Form kPath = {"a path such as /healthz", path, "^/[!-~]*$"};
constinit const Form kHost = {"a host such as localhost", host, "^[-A-Za-z0-9._:\\[\\]%]{0,255}$"};
constinit const Form kHeaderName = {"the name of a header such as X-Probe", header_name,
                                    "^[-!#$%&'*+.^_`|~A-Za-z0-9]+$"};
constinit const Form kHeaderValue = {"the value of a header", header_value,
                                     "^[^\\u0000-\\u0008\\u000a-\\u001f\\u007f]*$"};
constinit const Form kSecret = {"text", any};
constinit const Form kListen = {
    "an address such as :8080, localhost:8080, [::1]:8080 or unix:/path", listen,
    "^(unix:.+|([-A-Za-z0-9._]*|\\[[0-9A-Fa-f:.]+\\]):[0-9]{1,5})$"};
constinit const Form kCidr = {"a network such as 10.0.0.0/8 or fd00::/8", cidr,
                              "^[0-9A-Fa-f:.]+/[0-9]{1,3}$"};

}  // namespace form

Listen split_listen(std::string_view address) {
  if (address.starts_with("unix:")) return {address.substr(5), {}};
  const auto colon = address.rfind(':');
  if (colon == address.npos) return {address, {}};
  return {address.substr(0, colon), address.substr(colon + 1)};
}

bool collide(std::string_view a, std::string_view b) {
  const auto [host_a, port_a] = split_listen(a);
  const auto [host_b, port_b] = split_listen(b);
  if (port_a.empty() || port_b.empty()) return a == b;
  std::uint32_t number_a = 0, number_b = 0;
  std::from_chars(port_a.data(), port_a.data() + port_a.size(), number_a);
  std::from_chars(port_b.data(), port_b.data() + port_b.size(), number_b);
  if (number_a != number_b || number_a == 0) return false;  // 0: the kernel chooses
  const auto only_ipv6 = [](std::string_view name) {
    return name.starts_with('[') && name != "[::]";
  };
  if (host_a == "0.0.0.0" && only_ipv6(host_b)) return false;
  if (host_b == "0.0.0.0" && only_ipv6(host_a)) return false;
  return host_a == host_b || is_any_host(host_a) || is_any_host(host_b);
}

}  // namespace headroom::policy
