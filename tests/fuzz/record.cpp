#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "decide/decide.h"
#include "decide/record.h"

/// Any text read as a record: refused, or read to what is written as it was read; and a memory
/// that was read can be decided with.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace headroom;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  decide::Observation seen;
  seen.now = Instant{1h};
  seen.current = {2};
  seen.load = decide::Load{.concurrency = 5, .rate = 50, .waiting = 3, .running = 2};
  if (const auto observation = decide::observation_from_json(text)) {
    const auto again = decide::observation_from_json(decide::to_json(*observation));
    check(again.has_value(), "an observation that was written can be read");
    check(decide::to_json(*again) == decide::to_json(*observation), "and is the same");
    seen = *observation;
  }
  if (const auto decision = decide::decision_from_json(text)) {
    const auto again = decide::decision_from_json(decide::to_json(*decision));
    check(again.has_value() && *again == *decision, "a decision comes back as it was written");
    check(decision->reason().size() <= size, "a reason is made of the steps' texts");
  }
  decide::Memory memory;
  if (const auto read = decide::memory_from_json(text)) {
    const auto again = decide::memory_from_json(decide::to_json(*read));
    check(again.has_value() && *again == *read, "a memory comes back as it was written");
    memory = *read;
  }
  policy::Autoscaler policy;
  policy.min_replicas = {0};
  policy.max_replicas = {9};
  policy.gateway.emplace();
  policy.concurrency.emplace().scale_down_delay = 20s;
  policy.metrics.emplace_back();
  policy.behavior.emplace();
  const auto decision = decide::decide(policy, seen, memory);
  check(decision.replicas >= policy.min_replicas && decision.replicas <= policy.max_replicas,
        "inside the bounds");
  return 0;
}
