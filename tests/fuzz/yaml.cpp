#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "policy/read.h"

/// Any bytes are documents or a problem; documents are written so that they read back equal.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace headroom;
  const policy::Environment environment = [](std::string_view name) -> std::optional<std::string> {
    if (name == "A") return "a";
    if (name == "N") return "3";
    if (name == "S") return "$(PORT)";
    return std::nullopt;
  };
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto read = policy::read_documents(text, "fuzz.yaml", environment);
  if (!read) {
    check(!read.error().what.empty(), "a problem is said");
    return 0;
  }
  for (const auto& autoscaler : *read) {
    const auto again = policy::read_documents(policy::write_document(autoscaler), "again.yaml", {});
    check(again && again->size() == 1 && again->front() == autoscaler,
          "what is written reads back");
  }
  return 0;
}
