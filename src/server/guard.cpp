#include "server/guard.h"

#include <algorithm>
#include <array>
#include <fstream>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "server/fields.h"

namespace headroom::server {
namespace {

constexpr std::size_t kShortestToken = 16;
constexpr std::size_t kLongestToken = 4096;

/// "shop.example:7780" is "shop.example", "[::1]:80" is "[::1]". What is no port stays.
std::string_view without_port(std::string_view host) {
  const auto colon = host.rfind(':');
  if (colon == std::string_view::npos || !std::ranges::all_of(host.substr(colon + 1), is_digit)) {
    return host;
  }
  return host.substr(0, colon);
}

/// Whether a page of the host is asking. A proxy may have taken the encryption off.
bool is_of(std::string_view origin, std::string_view host) {
  const auto from = lower(origin), own = lower(host);
  return from == "http://" + own || from == "https://" + own;
}

bool is_ip(std::string_view host) {
  std::array<unsigned char, sizeof(in6_addr)> address;
  if (host.starts_with('[') && host.ends_with(']')) {
    const std::string inside(host.substr(1, host.size() - 2));
    return ::inet_pton(AF_INET6, inside.c_str(), address.data()) == 1;
  }
  return ::inet_pton(AF_INET, std::string(host).c_str(), address.data()) == 1;
}

/// As long for a wrong token as for a right one, whatever the two have in common.
bool same(std::string_view a, std::string_view b) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> of_a, of_b;
  SHA256(reinterpret_cast<const unsigned char*>(a.data()), a.size(), of_a.data());
  SHA256(reinterpret_cast<const unsigned char*>(b.data()), b.size(), of_b.data());
  return CRYPTO_memcmp(of_a.data(), of_b.data(), of_a.size()) == 0;
}

}  // namespace

Guard::Guard(std::string token, std::vector<std::string> hosts)
    : token_(std::move(token)), hosts_(std::move(hosts)) {
  for (auto& host : hosts_) host = lower(host);
}

/// An IP address cannot be made to point here by somebody else's DNS; a name can.
bool Guard::known_host(std::string_view host) const {
  const auto name = lower(without_port(host));
  return name == "localhost" || is_ip(name) || std::ranges::find(hosts_, name) != hosts_.end();
}

bool Guard::has_token(std::string_view authorization) const {
  constexpr std::string_view kScheme = "bearer ";
  if (lower(authorization.substr(0, kScheme.size())) != kScheme) return false;
  return same(authorization.substr(kScheme.size()), token_);
}

std::optional<Answer> Guard::refuse(const Request& request, Door door, Need need) const {
  if (door.local) return std::nullopt;
  if (!known_host(request.host)) {
    return refusal(403, fmt::format("Host \"{}\" is none of this server's: see --admin-host",
                                    printable(request.host)));
  }
  if (!request.origin.empty() && !is_of(request.origin, request.host)) {
    return refusal(403, fmt::format("Origin \"{}\" is another's", printable(request.origin)));
  }
  // With an image or a link a page says no Origin. The dashboard may be linked to.
  const bool of_another = request.fetch_site == "cross-site" || request.fetch_site == "same-site";
  if (of_another && need != Need::nothing) {
    return refusal(403, "another's page asks (Sec-Fetch-Site)");
  }
  if (need == Need::nothing || (need == Need::read && door.loopback)) return std::nullopt;
  if (token_.empty()) {
    return refusal(403,
                   "nobody may change anything here: start with --admin-token-file, or use the "
                   "Unix socket admin.sock");
  }
  if (has_token(request.authorization)) return std::nullopt;
  if (!request.authorization.empty()) log::warn("admin: refused: a wrong token");
  auto answer =
      refusal(401, request.authorization.empty() ? "expected Authorization: Bearer and the token"
                                                 : "another token than the one expected");
  answer.fields.emplace_back("WWW-Authenticate", "Bearer");
  return answer;
}

Result<std::string> read_token(const std::string& file) {
  std::ifstream in(file);
  std::string token;
  if (in) {
    // Not std::getline alone: a line of a device has no end.
    char c = 0;
    while (token.size() <= kLongestToken && in.get(c) && c != '\n') token += c;
  }
  if (token.ends_with('\r')) token.pop_back();
  if (!in && token.empty()) {
    return fail({Code::invalid, fmt::format("{}: cannot be read, or is empty", file), {}});
  }
  if (token.size() < kShortestToken || token.size() > kLongestToken) {
    return fail({Code::invalid,
                 fmt::format("{}: its first line has {} characters, expected a token of {} to {}: "
                             "openssl rand -hex 32 makes one",
                             file, token.size(), kShortestToken, kLongestToken),
                 {}});
  }
  if (!std::ranges::all_of(token, [](char c) { return c > ' ' && c < 0x7f; })) {
    return fail({Code::invalid,
                 fmt::format("{}: its first line has spaces or other than ASCII, which a header "
                             "cannot carry",
                             file),
                 {}});
  }
  struct stat status {};
  if (::stat(file.c_str(), &status) == 0) {
    // Of a file of somebody else's the group may be how we are let in, or stand for an access list.
    const mode_t group = status.st_uid == ::geteuid() ? S_IRGRP | S_IWGRP : 0;
    if ((status.st_mode & (S_IROTH | S_IWOTH | group)) != 0) {
      log::warn("{}: others on this machine can read or write the token: chmod 600 {}", file, file);
    }
  }
  return token;
}

}  // namespace headroom::server
