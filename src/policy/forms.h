#pragma once

#include <string_view>

namespace headroom::policy {

/// A kind of text: what it must look like, in words, as a check and as a pattern for editors.
struct Form {
  std::string_view expected;       // "a DNS label such as shop-1"
  bool (*fits)(std::string_view);  // no form lets a NUL byte pass
  std::string_view pattern = {};   // ECMA regular expression of the same; empty: anything
};

namespace form {

extern const Form kAny;          // any text without NUL
extern const Form kSome;         // the same, not empty
extern const Form kDnsLabel;     // RFC 1123, at most 63
extern const Form kVariable;     // name of an environment variable
extern const Form kPath;         // the path of a URL
extern const Form kHost;         // a host's name or address, or nothing
extern const Form kHeaderName;   // token of RFC 9110
extern const Form kHeaderValue;  // field value of RFC 9110
extern const Form kSecret;  // kAny; what is wrong with it is said without it, as of kHeaderValue
extern const Form kListen;  // ":8080", "localhost:8080", "[::1]:8080", "unix:/path"
extern const Form kCidr;    // "10.0.0.0/8", "fd00::/8"

}  // namespace form

/// The parts of an address that has the form kListen.
struct Listen {
  std::string_view host;  // "", "127.0.0.1", "[::1]", or the path of a Unix socket
  std::string_view port;  // empty: a Unix socket
};
Listen split_listen(std::string_view address);

/// Whether two addresses of the form kListen cannot both be listened on, as far as the text
/// tells: names are not resolved.
bool collide(std::string_view a, std::string_view b);

}  // namespace headroom::policy
