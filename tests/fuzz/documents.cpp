#include "policy/documents.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "policy/hpa.h"

/// Any bytes are documents of any kinds or a problem; an HPA is written so that it reads back
/// equal, and so is the Autoscaler that it becomes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace headroom;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto stream = policy::read_stream(text, "fuzz.yaml", {});
  check(!stream.documents.empty() || !stream.errors.empty(), "something is said");
  for (const auto& document : stream.documents) {
    check(document.skipped || document.autoscaler || !document.errors.empty(),
          "why there is none is said");
    if (!document.autoscaler || document.kind != "HorizontalPodAutoscaler") continue;
    const auto hpa = policy::hpa::from_autoscaler(*document.autoscaler);
    check(hpa.has_value(), "what came from an HPA is one");
    const auto again = policy::read_any(policy::hpa::write(*hpa), "again.yaml", {});
    check(again && again->size() == 1 && again->front().autoscaler == document.autoscaler,
          "what is written reads back");
  }
  return 0;
}
