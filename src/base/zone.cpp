#include "base/zone.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <string_view>

#include <cctz/time_zone.h>
#include <fmt/format.h>

#include "base/text.h"

namespace headroom {
namespace {

using Moment = cctz::time_point<cctz::seconds>;

constexpr std::size_t kMostOffsets = 1'000;
constexpr std::size_t kMostName = 255;
constexpr std::int64_t kFurthest = std::int64_t{1} << 36;  // some two thousand years

Moment moment(std::int64_t unix_seconds) {
  return Moment(cctz::seconds(std::clamp(unix_seconds, -kFurthest, kFurthest)));
}

/// The library knows more kinds of names (paths, "libc:…", "Fixed/…"), which are no zones to Go.
bool is_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
           c == '_' || c == '-' || c == '+' || c == '.';
  };
  return name.size() <= kMostName && std::ranges::all_of(name, fits) && !name.starts_with('/') &&
         !name.starts_with("Fixed/") && name.find("..") == name.npos;
}

Result<cctz::time_zone> load(const std::string& name) {
  if (name.empty() || name == "UTC") return cctz::utc_time_zone();
  if (name == "Local") return cctz::local_time_zone();
  cctz::time_zone zone;
  if (is_name(name) && cctz::load_time_zone(name, &zone)) return zone;
  return fail({Code::invalid, fmt::format("unknown time zone \"{}\"", printable(name, 60))});
}

}  // namespace

Result<std::vector<ZoneOffset>> zone_offsets(const std::string& name, Span span) {
  const auto zone = load(name);
  if (!zone) return fail(zone.error());
  const Moment end = moment(span.until);
  std::vector<ZoneOffset> offsets;
  const auto add = [&](Moment at) {
    const std::int32_t seconds = zone->lookup(at).offset;
    if (!offsets.empty() && offsets.back().seconds == seconds) return;  // another name alone
    offsets.push_back({at.time_since_epoch().count(), seconds});
  };
  Moment at = moment(span.from);
  add(at);
  cctz::time_zone::civil_transition change;
  while (offsets.size() < kMostOffsets && zone->next_transition(at, &change)) {
    const Moment next = zone->lookup(change.to).trans;
    if (next <= at || next > end) break;
    add(at = next);
  }
  return offsets;
}

std::string utc_time(std::int64_t unix_millis) {
  const auto seconds = static_cast<std::time_t>(unix_millis / 1000);
  std::tm time{};
  if (::gmtime_r(&seconds, &time) == nullptr) return "";
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", time.tm_year + 1900,
                     time.tm_mon + 1, time.tm_mday, time.tm_hour, time.tm_min, time.tm_sec,
                     unix_millis % 1000);
}

}  // namespace headroom
