#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/text.h"
#include "base/time.h"
#include "base/units.h"

/// Quantities and durations: what is read is spelled so that it reads back; what is printable
/// stays within its limit.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace headroom;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto quantity = parse_quantity(text)) {
    const auto again = parse_quantity(to_string(*quantity));
    check(again && *again == *quantity, "a quantity reads back");
  }
  if (const auto duration = parse_duration(text)) {
    check(*duration >= 0ms, "no duration is negative");
    const auto again = parse_duration(to_string(*duration));
    check(again && *again == *duration, "a duration reads back");
  }
  check(printable(text, 40).size() <= 40, "printable keeps to its limit");
  check(printable(printable(text, size * 4), size * 4) == printable(text, size * 4),
        "what is printable stays as it is");
  return 0;
}
