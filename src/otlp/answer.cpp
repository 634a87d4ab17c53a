#include "otlp/answer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>

#include "base/text.h"

namespace headroom::otlp {
namespace {

namespace json = boost::json;

/// A 64-bit integer is a string in protobuf's JSON; some write it as a number all the same.
std::int64_t integer(const json::value& value) {
  if (const auto* number = value.if_int64()) return *number;
  const auto* text = value.if_string();
  std::int64_t number = 0;
  if (text != nullptr) std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

/// The one form that is sent today (RFC 9110, 5.6.7).
std::optional<std::chrono::sys_seconds> read_date(std::string_view value) {
  static constexpr const char* kForm = "%a, %d %b %Y %H:%M:%S GMT";
  const std::string text(value);
  std::tm read{}, known{};
  if (::strptime(text.c_str(), kForm, &read) == nullptr) return std::nullopt;
  const std::time_t at = ::timegm(&read);
  // It takes much that is no such date: written anew it would be another text.
  std::array<char, 40> again{};
  if (::gmtime_r(&at, &known) == nullptr) return std::nullopt;
  const auto size = std::strftime(again.data(), again.size(), kForm, &known);
  if (std::string_view(again.data(), size) != value) return std::nullopt;
  return std::chrono::sys_seconds(std::chrono::seconds(at));
}

}  // namespace

std::optional<Partial> read_partial(std::string_view body) {
  if (body.empty() || body.size() > kMostAnswer) return std::nullopt;
  try {
    json::monotonic_resource memory;
    boost::system::error_code error;
    const auto document =
        json::parse({body.data(), body.size()}, error, &memory, {.max_depth = 16});
    if (error || !document.is_object()) return std::nullopt;
    const auto* said = document.as_object().if_contains("partialSuccess");
    if (said == nullptr || !said->is_object()) return std::nullopt;
    Partial partial;
    for (const auto& [key, value] : said->as_object()) {
      if (key == "errorMessage" && value.is_string()) {
        partial.message = printable({value.as_string().data(), value.as_string().size()});
      } else if (key == "rejectedSpans" || key == "rejectedLogRecords" ||
                 key == "rejectedDataPoints") {
        partial.rejected = std::max<std::int64_t>(0, integer(value));
      }
    }
    if (partial.rejected == 0 && partial.message.empty()) return std::nullopt;
    return partial;
  } catch (const std::exception&) {  // out of memory
    return std::nullopt;
  }
}

std::optional<Millis> read_retry_after(std::string_view value, std::chrono::sys_seconds now) {
  constexpr std::chrono::seconds kMost = 5min;
  if (const auto date = read_date(value)) return std::clamp(*date - now, 0s, kMost);
  std::uint32_t seconds = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (error != std::errc() || end != value.data() + value.size()) return std::nullopt;
  return std::min(std::chrono::seconds(seconds), kMost);
}

bool is_retryable(int status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

}  // namespace headroom::otlp
