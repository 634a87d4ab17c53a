#include "conformance/family.h"

#include <algorithm>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace headroom::conformance {
namespace {

namespace json = boost::json;

std::string text_of(const json::value* value) {
  return value == nullptr ? "nothing" : json::serialize(*value);
}

void compare(const json::value* upstream, const json::value* ours, const std::string& path,
             Differences& differences);

void compare_fields(const json::object& upstream, const json::object& ours, const std::string& path,
                    Differences& differences) {
  const auto at = [&](std::string_view key) {
    return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
  };
  for (const auto& [key, value] : upstream) {
    compare(&value, ours.if_contains(key), at(key), differences);
  }
  for (const auto& [key, value] : ours) {
    if (!upstream.contains(key)) compare(nullptr, &value, at(key), differences);
  }
}

void compare(const json::value* upstream, const json::value* ours, const std::string& path,
             Differences& differences) {
  const bool both = upstream != nullptr && ours != nullptr;
  if (both && *upstream == *ours) return;
  if (both && upstream->is_object() && ours->is_object()) {
    compare_fields(upstream->get_object(), ours->get_object(), path, differences);
  } else if (both && upstream->is_array() && ours->is_array()) {
    const auto& left = upstream->get_array();
    const auto& right = ours->get_array();
    for (std::size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
      compare(left.if_contains(i), right.if_contains(i), fmt::format("{}[{}]", path, i),
              differences);
    }
  } else {
    differences.push_back(
        fmt::format("{}: upstream {}, ours {}", path, text_of(upstream), text_of(ours)));
  }
}

}  // namespace

void expect_equal(const json::value& upstream, const json::value& ours, std::string_view path,
                  Differences& differences) {
  compare(&upstream, &ours, std::string(path), differences);
}

}  // namespace headroom::conformance
