#include "decide/cron.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace {

class Fixed : public headroom::decide::cron::Zone {
 public:
  std::int32_t offset_at(std::int64_t) const override { return 3600; }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto schedule =
      headroom::decide::cron::parse({reinterpret_cast<const char*>(data), size});  // NOLINT
  constexpr std::int64_t kNow = 1'700'000'000;
  if (schedule) {
    const auto next = headroom::decide::cron::next(*schedule, Fixed{}, kNow);
    if (next && *next <= kNow) __builtin_trap();
  }
  return 0;
}
