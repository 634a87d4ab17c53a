#include <chrono>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "otlp/answer.h"
#include "otlp/settings.h"

/// Any bytes as what a collector answers, and as a collector's URL.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace headroom;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto partial = otlp::read_partial(text)) {
    check(partial->rejected >= 0 && partial->message.size() <= 200, "within bounds");
  }
  const std::chrono::sys_seconds now{784'111'767s};  // a little before the date of RFC 9110
  if (const auto after = otlp::read_retry_after(text, now)) {
    check(*after >= 0s && *after <= 5min, "within bounds");
  }
  if (const auto endpoint = otlp::parse_endpoint(text)) {
    const auto written = otlp::to_string(*endpoint);
    if (written.size() > otlp::kLongestUrl) return 0;  // the port, where the text had none
    const auto again = otlp::parse_endpoint(written);
    check(again && again->host == endpoint->host && again->port == endpoint->port &&
              again->path == endpoint->path && again->tls == endpoint->tls,
          "what is read is written the same");
  }
  return 0;
}
