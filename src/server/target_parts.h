#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace headroom::server {

/// A target as a client sends it to a proxy: "http://shop:7780/a?b" is "shop:7780" and "/a?b".
struct AbsoluteTarget {
  std::string authority;  // may be empty
  std::string rest;       // from "/" on, whatever the target left out
};
/// nullopt: it begins neither with http:// nor with https://.
std::optional<AbsoluteTarget> read_absolute(std::string_view text);

/// What a request's target says, decoded.
struct Target {
  std::vector<std::string> path;             // "/api/v1/x%20y" is "api", "v1", "x y"; "/": one ""
  std::map<std::string, std::string> query;  // "?a=1&b" is a: "1", b: ""
};

/// Errors: invalid (does not begin with "/", a bad % or a control character, a name given twice).
Result<Target> read_target(std::string_view text);

/// A whole number from `least` to `most`. Errors: invalid, with the name of what it was to be.
struct WholeNumber {
  std::string_view name;
  std::int64_t least, most;
};
Result<std::int64_t> read_whole(const WholeNumber& expected, std::string_view text);

}  // namespace headroom::server
